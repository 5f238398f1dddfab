// SPDX-License-Identifier: Apache-2.0
#include "stream/reshard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "stream/testing/streams_ground.h"

namespace weft::stream {
namespace {

using ReshardTest = StreamsGround;

// The open shards share all hash keys, in order of their ranges.
std::vector<HashRange> OpenRanges(const std::vector<Shard>& shards) {
  std::vector<HashRange> ranges;
  for (const Shard& shard : shards) {
    if (!shard.closed) ranges.push_back(shard.range);
  }
  std::sort(ranges.begin(), ranges.end(), [](auto& a, auto& b) { return a.first < b.first; });
  return ranges;
}

TEST(EvenRangesTest, AreThoseOfKinesis) {
  EXPECT_EQ(EvenRanges(1).front(), HashRange());
  auto three = EvenRanges(3);
  EXPECT_EQ(HashKeyText(three[0].last), "113427455640312821154458202477256070484");
  EXPECT_EQ(HashKeyText(three[1].first), "113427455640312821154458202477256070485");
  EXPECT_EQ(HashKeyText(three[2].last), "340282366920938463463374607431768211455");
  EXPECT_EQ(HashKeyText(EvenRanges(2)[1].first), "170141183460469231731687303715884105728");
}

TEST(EvenRangesTest, ShareAllHashKeys) {
  for (int count : {1, 2, 3, 5, 7, 64, 100, 1'000}) {
    const auto ranges = EvenRanges(count);
    ASSERT_EQ(ranges.size(), static_cast<size_t>(count));
    EXPECT_EQ(ranges.front().first, HashKey{0});
    EXPECT_EQ(ranges.back().last, kHashKeyMax);
    for (size_t i = 1; i < ranges.size(); ++i) {
      EXPECT_EQ(ranges[i].first, ranges[i - 1].last + 1);
    }
  }
}

TEST(ResizeTest, EveryAllowedStepLeadsToEvenRangesAndNoShardHasThreeParents) {
  for (int from = 1; from <= 12; ++from) {
    for (int to = (from + 1) / 2; to <= 2 * from; ++to) {
      StreamInfo stream;
      for (const HashRange& range : EvenRanges(from)) {
        stream.shards.push_back({.number = static_cast<int>(stream.shards.size()),
                                 .range = range,
                                 .parent = std::nullopt,
                                 .adjacent_parent = std::nullopt,
                                 .opened = Timestamp(),
                                 .closed = std::nullopt});
      }
      Reshard reshard(stream, from, Timestamp(seconds(1)));
      ASSERT_TRUE(reshard.Resize(to).ok()) << from << " " << to;
      EXPECT_EQ(OpenRanges(reshard.shards()), EvenRanges(to)) << from << " " << to;
      std::set<int> numbers;
      for (const Shard& shard : reshard.shards()) {
        EXPECT_TRUE(numbers.insert(shard.number).second);
        EXPECT_LT(shard.parent.value_or(-1), shard.number);
        EXPECT_LT(shard.adjacent_parent.value_or(-1), shard.number);
      }
    }
  }
}

TEST_F(ReshardTest, ASplitGivesItsKeysToTwoChildren) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 1).ok());
  clock_.Set(seconds(5));
  ASSERT_TRUE(streams_->Split(orders_, 0, 100).ok());
  EXPECT_THAT(OpenOnes(orders_), testing::ElementsAre(1, 2));
  EXPECT_EQ(ShardAt(orders_, 0).closed, Timestamp(seconds(5)));
  EXPECT_EQ(ShardAt(orders_, 1).range, (HashRange{.first = 0, .last = 99}));
  EXPECT_EQ(ShardAt(orders_, 2).range, (HashRange{.first = 100, .last = kHashKeyMax}));
  EXPECT_EQ(ShardAt(orders_, 2).parent, 0);
  EXPECT_EQ(ShardAt(orders_, 2).adjacent_parent, std::nullopt);
  EXPECT_EQ(ShardAt(orders_, 2).opened, Timestamp(seconds(5)));
  auto route = streams_->RouteOf(orders_);
  ASSERT_TRUE(route.ok());
  EXPECT_EQ(route->ShardOf(99), 1);
  EXPECT_EQ(route->ShardOf(100), 2);
  EXPECT_EQ(route->ShardOf(kHashKeyMax), 2);
}

TEST_F(ReshardTest, AMergeTakesNeighboursInEitherOrder) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 3).ok());
  ASSERT_TRUE(streams_->Merge(orders_, 1, 0).ok());
  EXPECT_THAT(OpenOnes(orders_), testing::ElementsAre(2, 3));
  EXPECT_EQ(ShardAt(orders_, 3).parent, 1);
  EXPECT_EQ(ShardAt(orders_, 3).adjacent_parent, 0);
  EXPECT_EQ(ShardAt(orders_, 3).range.first, HashKey{0});
  ASSERT_TRUE(streams_->Merge(orders_, 3, 2).ok());
  EXPECT_EQ(ShardAt(orders_, 4).range, HashRange());
  EXPECT_EQ(streams_->RouteOf(orders_)->ShardOf(kHashKeyMax), 4);
}

TEST_F(ReshardTest, RefusesWhatCannotBe) {
  const StreamName bad(orders_.text() + ".quarantine");
  ASSERT_TRUE(Create(orders_, Use::kFree, 3).ok());
  ASSERT_TRUE(Create(bad, Use::kInternal).ok());
  EXPECT_EQ(streams_->Split(StreamName("none"), 0, 1).error().code(), Code::kNotFound);
  EXPECT_EQ(streams_->Split(orders_, 3, 1).error().code(), Code::kNotFound);
  EXPECT_EQ(streams_->Split(orders_, 0, 0).error().code(), Code::kInvalid);
  const HashRange last = ShardAt(orders_, 2).range;
  EXPECT_EQ(streams_->Split(orders_, 2, last.first).error().code(), Code::kInvalid);
  EXPECT_EQ(streams_->Split(orders_, 0, last.first).error().code(), Code::kInvalid);
  EXPECT_EQ(streams_->Merge(orders_, 0, 2).error().code(), Code::kInvalid);
  EXPECT_EQ(streams_->Merge(orders_, 1, 1).error().code(), Code::kInvalid);
  EXPECT_EQ(streams_->Merge(orders_, 0, 9).error().code(), Code::kNotFound);
  EXPECT_EQ(streams_->Resize(orders_, 7).error().code(), Code::kInvalid);
  EXPECT_EQ(streams_->Resize(orders_, 1).error().code(), Code::kInvalid);
  EXPECT_EQ(streams_->Split(bad, 0, 5).error().code(), Code::kInvalid);
  EXPECT_THAT(OpenOnes(orders_), testing::ElementsAre(0, 1, 2));
  ASSERT_TRUE(streams_->Split(orders_, 0, 1).ok());
  EXPECT_EQ(streams_->Split(orders_, 0, 2).error().code(), Code::kInvalid);
  EXPECT_EQ(streams_->Merge(orders_, 0, 1).error().code(), Code::kInvalid);
  // A child of one key cannot be split any further, but merged.
  EXPECT_EQ(streams_->Split(orders_, 3, 0).error().code(), Code::kInvalid);
  EXPECT_TRUE(streams_->Merge(orders_, 3, 4).ok());
}

TEST_F(ReshardTest, AnAccountsOpenShardsAreLimited) {
  options_.shards_max = 4;
  Restart();
  ASSERT_TRUE(Create(orders_, Use::kFree, 3, {.mode = Mode::kProvisioned}).ok());
  EXPECT_EQ(Create(StreamName("111122223333.b"), Use::kFree, 2).error().code(), Code::kThrottled);
  ASSERT_TRUE(Create(StreamName("111122223333.b.quarantine"), Use::kInternal).ok());
  EXPECT_TRUE(streams_->Split(orders_, 0, 1).ok());
  EXPECT_EQ(streams_->Split(orders_, 1, ShardAt(orders_, 1).range.last).error().code(),
            Code::kThrottled);
  EXPECT_EQ(streams_->Resize(orders_, 5).error().code(), Code::kThrottled);
  EXPECT_TRUE(streams_->Resize(orders_, 2).ok());
  EXPECT_EQ(*streams_->OpenShardsOf(account_), 2);
  // What a mesh declares is made all the same.
  EXPECT_TRUE(Create(StreamName("111122223333.c"), Use::kProduct, 9).ok());
}

TEST_F(ReshardTest, ARestartKnowsTheShards) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 2).ok());
  clock_.Set(seconds(7));
  ASSERT_TRUE(streams_->Merge(orders_, 0, 1).ok());
  ASSERT_TRUE(streams_->Split(orders_, 2, kHashKeyMax).ok());
  const auto before = streams_->Find(orders_);
  Restart();
  ASSERT_TRUE(streams_->RemoveOrphans().ok());
  const auto after = streams_->Find(orders_);
  ASSERT_TRUE(after.ok());
  ASSERT_EQ((*after)->shards.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    const Shard &a = (*before)->shards[i], &b = (*after)->shards[i];
    EXPECT_EQ(a.number, b.number);
    EXPECT_EQ(a.range, b.range);
    EXPECT_EQ(a.parent, b.parent);
    EXPECT_EQ(a.adjacent_parent, b.adjacent_parent);
    EXPECT_EQ(a.opened, b.opened);
    EXPECT_EQ(a.closed, b.closed);
  }
  EXPECT_EQ(memory_->Partitions()->size(), 5u);
  ASSERT_TRUE(streams_->Merge(orders_, 3, 4).ok());
  EXPECT_EQ(ShardAt(orders_, 5).range, HashRange());
}

TEST_F(ReshardTest, ASplitThatFailsChangesNothing) {
  ASSERT_TRUE(Create(orders_, Use::kFree).ok());
  log_.FailCall(log::LogCall::kCreatePartition, 2, Error(Code::kUnavailable, "full"));
  EXPECT_EQ(streams_->Split(orders_, 0, 9).error().code(), Code::kUnavailable);
  EXPECT_THAT(OpenOnes(orders_), testing::ElementsAre(0));
  EXPECT_FALSE(Ended(orders_, 0));
  EXPECT_TRUE(Append(orders_, {"a"}).ok());
  ASSERT_TRUE(streams_->Split(orders_, 0, 9).ok());
  EXPECT_THAT(OpenOnes(orders_), testing::ElementsAre(1, 2));
}

TEST_F(ReshardTest, AClosedShardEndsWithTheLastRouteToIt) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 2).ok());
  auto route = streams_->RouteOf(orders_);
  ASSERT_TRUE(streams_->Split(orders_, 0, 9).ok());
  EXPECT_FALSE(Ended(orders_, 0));
  // On its way before the split: it may still arrive.
  ASSERT_TRUE(AppendAlong(*route, orders_, 5, {"late"}).ok());
  int woken = 0;
  auto watch = streams_->OnPast({orders_, 0}, {1}, [&] { ++woken; });
  ASSERT_TRUE(watch.ok());
  route = streams_->RouteOf(orders_);
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(Ended(orders_, 0));
  EXPECT_FALSE(Ended(orders_, 1));
  EXPECT_THAT(Values({orders_, 0}), testing::ElementsAre("late"));
  EXPECT_TRUE(streams_->OnPast({orders_, 0}, {1}, [&] { ++woken; }).ok());
  EXPECT_EQ(woken, 2);
}

TEST_F(ReshardTest, AShardOutlastsLaterSplitsOfOthers) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 2).ok());
  auto old = streams_->RouteOf(orders_);
  ASSERT_TRUE(streams_->Split(orders_, 0, 9).ok());
  ASSERT_TRUE(streams_->Merge(orders_, 3, 1).ok());
  EXPECT_FALSE(Ended(orders_, 1));
  EXPECT_TRUE(Ended(orders_, 3));
  ASSERT_TRUE(AppendAlong(*old, orders_, kHashKeyMax, {"late"}).ok());
  old = streams_->RouteOf(orders_);
  EXPECT_TRUE(Ended(orders_, 1));
  EXPECT_THAT(Values({orders_, 1}), testing::ElementsAre("late"));
}

TEST_F(ReshardTest, AfterARestartAllClosedShardsHaveEnded) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 2).ok());
  auto route = streams_->RouteOf(orders_);
  ASSERT_TRUE(streams_->Split(orders_, 0, 9).ok());
  EXPECT_FALSE(Ended(orders_, 0));
  Restart();
  EXPECT_TRUE(Ended(orders_, 0));
  EXPECT_FALSE(Ended(orders_, 1));
  EXPECT_FALSE(Ended(orders_, 2));
}

TEST_F(ReshardTest, AWatchThatWentIsNotWokenByTheEnd) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 2).ok());
  int woken = 0;
  auto watch = streams_->OnPast({orders_, 0}, {0}, [&] { ++woken; });
  ASSERT_TRUE(watch.ok());
  watch->reset();
  ASSERT_TRUE(streams_->Split(orders_, 0, 9).ok());
  ASSERT_TRUE(Ended(orders_, 0));
  EXPECT_EQ(woken, 0);
}

TEST_F(ReshardTest, AnAppendNeedsARouteOfItsStream) {
  const StreamName clicks("111122223333.clicks");
  ASSERT_TRUE(Create(orders_, Use::kFree, 2).ok());
  ASSERT_TRUE(Create(clicks, Use::kFree, 2).ok());
  auto route = streams_->RouteOf(clicks);
  auto code = [&](const Route& given, int shard) {
    Code answer = Code::kInternal;
    std::vector<Streams::Part> unit;
    unit.push_back(
        {.stream = orders_, .route = given, .shard = shard, .batch = log::BatchOf({"a"})});
    streams_->Append(std::move(unit), [&](const Result<std::vector<log::Appended>>& appended) {
      ASSERT_FALSE(appended.ok());
      answer = appended.error().code();
    });
    return answer;
  };
  EXPECT_EQ(code(Route(), 0), Code::kInvalid);
  EXPECT_EQ(code(*route, 0), Code::kInvalid);
  EXPECT_EQ(code(*streams_->RouteOf(orders_), 2), Code::kInvalid);
}

TEST_F(ReshardTest, APartsOfAUnitGoToTheirShardsTogether) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 2).ok());
  auto route = streams_->RouteOf(orders_);
  std::vector<Streams::Part> unit;
  for (int shard : {1, 0}) {
    unit.push_back({.stream = orders_,
                    .route = *route,
                    .shard = shard,
                    .batch = log::BatchOf({std::to_string(shard)})});
  }
  size_t answered = 0;
  streams_->Append(std::move(unit), [&](const Result<std::vector<log::Appended>>& appended) {
    ASSERT_TRUE(appended.ok());
    answered = appended->size();
  });
  EXPECT_EQ(answered, 2u);
  EXPECT_THAT(Values({orders_, 0}), testing::ElementsAre("0"));
  EXPECT_THAT(Values({orders_, 1}), testing::ElementsAre("1"));
}

TEST_F(ReshardTest, BatchesWithoutKeysGoToAllShards) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 4).ok());
  auto route = streams_->RouteOf(orders_);
  std::set<int> shards;
  for (int i = 0; i < 100; ++i) shards.insert(route->ShardOfBatch("batch-" + std::to_string(i)));
  EXPECT_THAT(shards, testing::ElementsAre(0, 1, 2, 3));
}

}  // namespace
}  // namespace weft::stream
