// SPDX-License-Identifier: Apache-2.0
// Retention, throughput and scaling, in simulated time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <thread>

#include "stream/testing/streams_ground.h"

namespace weft::stream {
namespace {

using log::LogCall;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;

class KeepTest : public StreamsGround {
 protected:
  void SetUp() override {
    StreamsGround::SetUp();
    clock_.Set(hours(24 * 365 * 56));
  }
  log::Bounds Bounds(int shard = 0) {
    auto bounds = streams_->BoundsOf({orders_, shard});
    EXPECT_TRUE(bounds.ok());
    return bounds.ok() ? *bounds : log::Bounds{};
  }
  std::vector<int> Numbers() {
    std::vector<int> numbers;
    auto shards = streams_->Shards(orders_);
    EXPECT_TRUE(shards.ok());
    for (const ShardId& shard : *shards) numbers.push_back(shard.number);
    return numbers;
  }
};

// A record each minute of three days, kept for 24 h, then 48 h, then 24 h again.
TEST_F(KeepTest, KeepsWhatRetentionSaysOverDaysOfSimulatedTime) {
  ASSERT_TRUE(Create(orders_, Use::kFree).ok());
  const Timestamp start = clock_.Now();
  auto set_retention = [&](int64_t wanted) {
    ASSERT_TRUE(Update(orders_, [&](StreamSettings& settings) -> Status {
                  settings.retention = hours(wanted);
                  return {};
                }).ok());
  };
  int64_t kept_from = 0;
  for (int64_t minute = 0; minute < 3 * 24 * 60; ++minute) {
    clock_.Set((start + minutes(minute)).time_since_epoch());
    int64_t retention = 24;
    if (minute == 30 * 60) set_retention(48);
    if (minute == 60 * 60) set_retention(24);
    if (minute >= 30 * 60 && minute < 60 * 60) retention = 48;
    ASSERT_TRUE(Append(orders_, {std::to_string(minute)}).ok());
    ASSERT_TRUE(streams_->Keep().ok());
    // Of a minute that is exactly so old as the retention, the record is kept.
    kept_from = std::max(kept_from, minute - retention * 60);
    const log::Bounds bounds = Bounds();
    ASSERT_EQ(bounds.begin.value, kept_from) << minute;
    ASSERT_EQ(bounds.end.value, minute + 1);
    if (minute % 97 != 0) continue;
    const int64_t wanted = kept_from + (minute - kept_from) / 3;
    ASSERT_EQ(streams_->OffsetAt({orders_, 0}, start + minutes(wanted))->value, wanted);
    ASSERT_EQ(streams_->OffsetAt({orders_, 0}, start + minutes(wanted) - seconds(59))->value,
              wanted);
    ASSERT_EQ(streams_->OffsetAt({orders_, 0}, start)->value, kept_from);
    ASSERT_EQ(streams_->OffsetAt({orders_, 0}, start + minutes(minute + 1))->value, minute + 1);
  }
  EXPECT_EQ(kept_from, 2 * 24 * 60 - 1);
}

TEST_F(KeepTest, KeepsNoMoreThanSoManyOctets) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 1, {.retention_bytes = 100'000}).ok());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(Append(orders_, {std::string(10'000, 'x')}).ok());
    clock_.Pass(seconds(1));
    ASSERT_TRUE(streams_->Keep().ok());
    EXPECT_LE(Bounds().bytes, 100'000);
  }
  EXPECT_EQ(Bounds().end.value, 50);
  EXPECT_EQ(Bounds().begin.value, 41);
  EXPECT_GT(Bounds().bytes, 80'000);
}

TEST_F(KeepTest, LeavesProductsAndInternalStreamsAlone) {
  const StreamName bad(orders_.text() + ".quarantine");
  ASSERT_TRUE(Create(orders_, Use::kProduct).ok());
  ASSERT_TRUE(Create(bad, Use::kInternal).ok());
  ASSERT_TRUE(Append(orders_, {"a"}).ok());
  ASSERT_TRUE(Append(bad, {"a"}).ok());
  clock_.Pass(hours(9'000));
  ASSERT_TRUE(streams_->Keep().ok());
  EXPECT_THAT(Values(orders_), ElementsAre("a"));
  EXPECT_THAT(Values(bad), ElementsAre("a"));
}

TEST_F(KeepTest, AClosedShardIsForgottenWhenItHoldsNothingAndItsRetentionIsOver) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 2, {.mode = Mode::kProvisioned}).ok());
  auto route = streams_->RouteOf(orders_);
  ASSERT_TRUE(AppendAlong(*route, orders_, 0, {"a"}).ok());
  clock_.Pass(hours(20));
  ASSERT_TRUE(streams_->Split(orders_, 0, 9).ok());
  clock_.Pass(hours(10));
  ASSERT_TRUE(streams_->Keep().ok());
  // Empty by now, but a reader may still ask for the parent of the children.
  EXPECT_EQ(Bounds(0).begin.value, 1);
  EXPECT_THAT(Numbers(), ElementsAre(0, 1, 2, 3));
  clock_.Pass(hours(15));
  ASSERT_TRUE(streams_->Keep().ok());
  // Somebody may still append there.
  EXPECT_THAT(Numbers(), ElementsAre(0, 1, 2, 3));
  ASSERT_TRUE(AppendAlong(*route, orders_, 0, {"late"}).ok());
  route = streams_->RouteOf(orders_);
  ASSERT_TRUE(streams_->Keep().ok());
  EXPECT_THAT(Numbers(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Values({orders_, 0}), ElementsAre("late"));
  clock_.Pass(hours(24) + minutes(1));
  ASSERT_TRUE(streams_->Keep().ok());
  EXPECT_THAT(Numbers(), ElementsAre(1, 2, 3));
  EXPECT_EQ(streams_->BoundsOf({orders_, 0}).error().code(), Code::kNotFound);
  EXPECT_EQ(memory_->Partitions()->size(), 3u);
  Restart();
  EXPECT_THAT(Numbers(), ElementsAre(1, 2, 3));
  ASSERT_TRUE(streams_->Split(orders_, 2, 7).ok());
  EXPECT_THAT(Numbers(), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(KeepTest, AProductsClosedShardStaysUntilItsRecordsAreTrimmed) {
  ASSERT_TRUE(Create(orders_, Use::kProduct).ok());
  ASSERT_TRUE(Append(orders_, {"a"}).ok());
  ASSERT_TRUE(streams_->Split(orders_, 0, 9).ok());
  clock_.Pass(hours(1'000));
  ASSERT_TRUE(streams_->Keep().ok());
  EXPECT_THAT(Numbers(), ElementsAre(0, 1, 2));
  ASSERT_TRUE(streams_->Trim({orders_, 0}, {1}).ok());
  ASSERT_TRUE(streams_->Keep().ok());
  EXPECT_THAT(Numbers(), ElementsAre(1, 2));
}

TEST_F(KeepTest, QuietStreamsCostNoLookAtTheLog) {
  options_.on_demand_streams_max = 2'000;
  options_.shards_max = 9'000;
  Restart();
  for (int i = 0; i < 1'000; ++i) {
    const StreamName name(fmt::format("111122223333.s{}", i));
    ASSERT_TRUE(Create(name, Use::kFree, 4).ok());
    if (i % 2 == 0) {
      ASSERT_TRUE(Append(name, {"a"}).ok());
    }
  }
  ASSERT_TRUE(streams_->Keep().ok());
  auto looks = [&] { return log_.Calls(LogCall::kRead) + log_.Calls(LogCall::kBoundsOf); };
  const int before = looks();
  for (int second = 0; second < 3'600; second += 60) {
    clock_.Pass(seconds(60));
    ASSERT_TRUE(streams_->Keep().ok());
  }
  EXPECT_EQ(looks(), before);
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(streams_->Keep().ok());
  const auto each = (std::chrono::steady_clock::now() - began) / 10;
  RecordProperty("keep_microseconds",
                 static_cast<int>(std::chrono::duration_cast<microseconds>(each).count()));
  EXPECT_LT(each, milliseconds(200));
}

TEST_F(KeepTest, AThousandStreamsTakeLittleMemory) {
  options_.on_demand_streams_max = 2'000;
  Restart();
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(Create(StreamName(fmt::format("111122223333.s{}", i)), Use::kFree).ok());
  }
  Restart();
  const auto before = mallinfo2().uordblks;
  ASSERT_TRUE(streams_->Find(StreamName("111122223333.s0")).ok());
  ASSERT_TRUE(streams_->Keep().ok());
  const auto each = (mallinfo2().uordblks - before) / 1'000;
  RecordProperty("stream_bytes", static_cast<int>(each));
  EXPECT_LT(each, 4'096u);
}

TEST_F(KeepTest, WhatFailsIsToldAndLeftForLater) {
  const StreamName clicks("111122223333.clicks");
  ASSERT_TRUE(Create(orders_, Use::kFree).ok());
  ASSERT_TRUE(Create(clicks, Use::kFree).ok());
  ASSERT_TRUE(Append(orders_, {"a"}).ok());
  ASSERT_TRUE(Append(clicks, {"a"}).ok());
  clock_.Pass(hours(25));
  log_.FailCall(LogCall::kTrim, 1, Error(Code::kUnavailable, "no"));
  EXPECT_EQ(streams_->Keep().error().code(), Code::kUnavailable);
  EXPECT_TRUE(streams_->Keep().ok());
  clock_.Pass(minutes(2));
  EXPECT_TRUE(streams_->Keep().ok());
  EXPECT_TRUE(Values(orders_).empty());
  EXPECT_TRUE(Values(clicks).empty());
}

TEST_F(KeepTest, AProvisionedShardTakesOneMebibyteAndAThousandRecordsASecond) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 2, {.mode = Mode::kProvisioned}).ok());
  const ShardId shard{orders_, 0};
  ASSERT_TRUE(streams_->AdmitWrite(shard, 0, 999).ok());
  ASSERT_TRUE(streams_->AdmitWrite(shard, 1 << 20, 1).ok());
  const Status refused = streams_->AdmitWrite(shard, 1, 1);
  EXPECT_EQ(refused.error().code(), Code::kThrottled);
  EXPECT_THAT(refused.error().message(),
              "Rate exceeded for shard shardId-000000000000 in stream orders under account "
              "111122223333.");
  EXPECT_TRUE(streams_->AdmitWrite({orders_, 1}, 1, 1).ok());
  clock_.Pass(milliseconds(500));
  EXPECT_FALSE(streams_->AdmitWrite(shard, (1 << 19) + 2, 1).ok());
  EXPECT_TRUE(streams_->AdmitWrite(shard, 1 << 19, 500).ok());
  EXPECT_FALSE(streams_->AdmitWrite(shard, 0, 1).ok());
  // However long nothing came, there is one second's worth.
  clock_.Pass(hours(1));
  EXPECT_TRUE(streams_->AdmitWrite(shard, 1, 1'000).ok());
  EXPECT_FALSE(streams_->AdmitWrite(shard, 1, 1).ok());
}

TEST_F(KeepTest, ARecordLargerThanASecondsWorthIsPaidForLater) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 1, {.mode = Mode::kProvisioned}).ok());
  const ShardId shard{orders_, 0};
  ASSERT_TRUE(streams_->AdmitWrite(shard, 4 << 20, 1).ok());
  clock_.Pass(seconds(3));
  EXPECT_FALSE(streams_->AdmitWrite(shard, 1, 1).ok());
  clock_.Pass(seconds(1));
  EXPECT_TRUE(streams_->AdmitWrite(shard, 1, 1).ok());
}

TEST_F(KeepTest, AProvisionedShardGivesFiveReadsAndTwoMebibytesASecond) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 1, {.mode = Mode::kProvisioned}).ok());
  const ShardId shard{orders_, 0};
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(streams_->AdmitRead(shard).ok());
  EXPECT_EQ(streams_->AdmitRead(shard).error().code(), Code::kThrottled);
  clock_.Pass(milliseconds(200));
  ASSERT_TRUE(streams_->AdmitRead(shard).ok());
  streams_->ChargeRead(shard, 10 << 20);
  clock_.Pass(milliseconds(3'900));
  EXPECT_FALSE(streams_->AdmitRead(shard).ok());
  clock_.Pass(milliseconds(200));
  EXPECT_TRUE(streams_->AdmitRead(shard).ok());
}

TEST_F(KeepTest, AnOnDemandShardIsNotBound) {
  ASSERT_TRUE(Create(orders_, Use::kFree).ok());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(streams_->AdmitWrite({orders_, 0}, 1 << 20, 1'000).ok());
    ASSERT_TRUE(streams_->AdmitRead({orders_, 0}).ok());
    streams_->ChargeRead({orders_, 0}, 10 << 20);
  }
  EXPECT_EQ(streams_->AdmitWrite({orders_, 7}, 1, 1).error().code(), Code::kNotFound);
}

// Writes to all shards for a time, each as much a second, as the route has them.
class ScalingTest : public KeepTest {
 protected:
  void Load(int64_t bytes, int records, seconds time) {
    for (seconds past{0}; past < time; past += seconds(1)) {
      for (int shard : OpenOnes(orders_)) {
        ASSERT_TRUE(streams_->AdmitWrite({orders_, shard}, bytes, records).ok());
      }
      clock_.Pass(seconds(1));
      ASSERT_TRUE(streams_->Keep().ok());
    }
  }
};

TEST_F(ScalingTest, BusyShardsAreSplitUpToTheLimit) {
  options_.on_demand_shards_max = 8;
  Restart();
  ASSERT_TRUE(Create(orders_, Use::kFree, 2).ok());
  Load(1 << 20, 900, seconds(60));
  EXPECT_EQ(OpenOnes(orders_).size(), 2u);
  Load((1 << 20) + 10'000, 1, seconds(10));
  EXPECT_EQ(OpenOnes(orders_).size(), 4u);
  Load(1, 1'001, seconds(100));
  EXPECT_EQ(OpenOnes(orders_).size(), 8u);
}

TEST_F(ScalingTest, OnlyTheBusyShardIsSplitInItsMiddle) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 4).ok());
  for (int second = 0; second < 12; ++second) {
    ASSERT_TRUE(streams_->AdmitWrite({orders_, 2}, 2 << 20, 1).ok());
    clock_.Pass(seconds(1));
    ASSERT_TRUE(streams_->Keep().ok());
  }
  EXPECT_THAT(OpenOnes(orders_), ElementsAre(0, 1, 3, 4, 5));
  const HashRange left = ShardAt(orders_, 4).range, right = ShardAt(orders_, 5).range;
  EXPECT_EQ(left.last - left.first, right.last - right.first);
}

TEST_F(ScalingTest, NeighboursThatAreQuietForAnHourAreMergedDownToTheFewest) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 6).ok());
  Load(120'000, 100, seconds(3'590));
  EXPECT_EQ(OpenOnes(orders_).size(), 6u);
  Load(120'000, 100, seconds(60));
  EXPECT_EQ(OpenOnes(orders_).size(), 4u);
  Load(1, 1, seconds(2 * 3'700));
  EXPECT_EQ(OpenOnes(orders_).size(), 4u);
}

TEST_F(ScalingTest, NeighboursThatHaveMoreThanAQuarterTogetherStay) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 6).ok());
  Load(140'000, 1, seconds(2 * 3'600));
  EXPECT_EQ(OpenOnes(orders_).size(), 6u);
  Load(1, 126, seconds(2 * 3'600));
  EXPECT_EQ(OpenOnes(orders_).size(), 6u);
}

TEST_F(ScalingTest, ProvisionedStreamsStayAsTheyAre) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 6, {.mode = Mode::kProvisioned}).ok());
  Load(1, 1, seconds(2 * 3'600));
  EXPECT_EQ(OpenOnes(orders_).size(), 6u);
}

TEST_F(KeepTest, RunsByItself) {
  ASSERT_TRUE(Create(orders_, Use::kFree).ok());
  ASSERT_TRUE(Append(orders_, {"a"}).ok());
  clock_.Pass(hours(25));
  streams_->Start();
  streams_->Start();
  for (int i = 0; i < 500 && Bounds().begin.value == 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  streams_->Stop();
  EXPECT_EQ(Bounds().begin.value, 1);
}

}  // namespace
}  // namespace weft::stream
