// SPDX-License-Identifier: Apache-2.0
// What every record log owes, as a suite: INSTANTIATE_TEST_SUITE_P(Name, RecordLogContract,
// Values(opener)).
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "log/limits.h"
#include "log/record_log.h"
#include "log/testing/appending.h"

namespace weft::log {

// An open log and what it needs to live.
struct OpenedLog {
  std::shared_ptr<void> holder;
  RecordLog* log = nullptr;
};

class RecordLogContract : public testing::TestWithParam<std::function<OpenedLog()>> {
 protected:
  void SetUp() override {
    opened_ = GetParam()();
    ASSERT_NE(opened_.log, nullptr);
    ASSERT_TRUE(log().CreatePartition(orders_).ok());
  }
  RecordLog& log() { return *opened_.log; }
  static std::vector<std::string> Values(RecordLog& log, const PartitionName& partition,
                                         Offset from = {0}) {
    auto values = ReadValues(log, partition, from);
    EXPECT_TRUE(values.ok()) << values.error().message();
    return values.ok() ? *values : std::vector<std::string>{};
  }
  Code AppendFailure(const PartitionName& partition, Batch batch) {
    auto appended = AppendAndWait(log(), partition, std::move(batch));
    EXPECT_FALSE(appended.ok());
    return appended.ok() ? Code::kInternal : appended.error().code();
  }

  OpenedLog opened_;
  const PartitionName orders_{"orders/0"};
};

TEST_P(RecordLogContract, GivesBackWhatWasAppendedInOrder) {
  auto first = AppendAndWait(log(), orders_, BatchOf({"a", "b"}, "one"));
  auto second = AppendAndWait(log(), orders_, BatchOf({"c"}, "two"));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->first.value, 0);
  EXPECT_EQ(second->first.value, 2);
  EXPECT_THAT(Values(log(), orders_), testing::ElementsAre("a", "b", "c"));
  auto batches = log().Read(orders_, {0}, {});
  ASSERT_TRUE(batches.ok());
  ASSERT_EQ(batches->size(), 2u);
  EXPECT_EQ((*batches)[0].id, "one");
  EXPECT_EQ((*batches)[0].records[1].key, "k");
  EXPECT_EQ((*batches)[0].arrival, first->arrival);
  EXPECT_EQ((*batches)[1].first.value, 2);
  EXPECT_EQ((*batches)[1].next().value, 3);
}

TEST_P(RecordLogContract, ReadsFromWithinABatch) {
  ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({"a", "b", "c"})).ok());
  auto batches = log().Read(orders_, {1}, {});
  ASSERT_TRUE(batches.ok());
  ASSERT_EQ(batches->size(), 1u);
  EXPECT_EQ(batches->front().first.value, 0);
  EXPECT_THAT(Values(log(), orders_, {2}), testing::ElementsAre("c"));
}

TEST_P(RecordLogContract, KeepsBytesThatAreNotText) {
  std::string odd("\0\xff\n\"", 4);
  ASSERT_TRUE(
      AppendAndWait(log(), orders_, BatchOf({odd, "", std::string(100000, '\0')}, odd)).ok());
  auto batches = log().Read(orders_, {0}, {});
  ASSERT_TRUE(batches.ok());
  EXPECT_EQ(batches->front().id, odd);
  EXPECT_THAT(Values(log(), orders_), testing::ElementsAre(odd, "", std::string(100000, '\0')));
}

TEST_P(RecordLogContract, OneReadStopsAfterTheBatchThatReachesTheLimit) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({std::string(1000, 'x')})).ok());
  }
  auto one = log().Read(orders_, {3}, {.bytes_max = 1});
  ASSERT_TRUE(one.ok());
  ASSERT_EQ(one->size(), 1u);
  EXPECT_EQ(one->front().first.value, 3);
  auto some = log().Read(orders_, {0}, {.bytes_max = 2500});
  ASSERT_TRUE(some.ok());
  EXPECT_EQ(some->size(), 3u);
}

TEST_P(RecordLogContract, AnswersReadsOutsideOfTheBounds) {
  ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({"a", "b", "c"})).ok());
  auto at_end = log().Read(orders_, {3}, {});
  ASSERT_TRUE(at_end.ok());
  EXPECT_TRUE(at_end->empty());
  EXPECT_EQ(log().Read(orders_, {4}, {}).error().code(), Code::kInvalid);
  ASSERT_TRUE(log().Trim(orders_, {1}).ok());
  EXPECT_EQ(log().Read(orders_, {0}, {}).error().code(), Code::kNotFound);
  EXPECT_TRUE(log().Read(orders_, {1}, {}).ok());
  EXPECT_EQ(log().Read(PartitionName("none"), {0}, {}).error().code(), Code::kNotFound);
}

TEST_P(RecordLogContract, RefusesBatchesPastTheLimits) {
  EXPECT_EQ(AppendFailure(orders_, Batch{}), Code::kInvalid);
  EXPECT_EQ(AppendFailure(orders_, BatchOf({"a"}, std::string(256, 'i'))), Code::kInvalid);
  EXPECT_EQ(AppendFailure(orders_, BatchOf({std::string(kValueBytesMax + 1, 'v')})),
            Code::kInvalid);
  std::string key(kKeyBytesMax + 1, 'k');
  Batch long_key{.id = "", .records = {{.key = key, .value = "v"}}, .owner = nullptr};
  EXPECT_EQ(AppendFailure(orders_, long_key), Code::kInvalid);
  EXPECT_EQ(log().BoundsOf(orders_)->end.value, 0);
  EXPECT_TRUE(AppendAndWait(log(), orders_,
                            BatchOf({std::string(kValueBytesMax, 'v')}, std::string(255, 'i')))
                  .ok());
}

TEST_P(RecordLogContract, KnowsItsPartitions) {
  EXPECT_TRUE(log().CreatePartition(orders_).ok());
  ASSERT_TRUE(log().CreatePartition(PartitionName("a.b_c-D/9")).ok());
  for (const char* bad : {"", "white space", "new\nline", "\xc3\xa4"}) {
    EXPECT_EQ(log().CreatePartition(PartitionName(bad)).error().code(), Code::kInvalid) << bad;
  }
  EXPECT_FALSE(log().CreatePartition(PartitionName(std::string(201, 'n'))).ok());
  EXPECT_TRUE(log().CreatePartition(PartitionName(std::string(200, 'n'))).ok());
  auto names = log().Partitions();
  ASSERT_TRUE(names.ok());
  EXPECT_THAT(*names, testing::ElementsAre(PartitionName("a.b_c-D/9"),
                                           PartitionName(std::string(200, 'n')), orders_));
}

TEST_P(RecordLogContract, ADeletedPartitionIsGoneAndStartsAnew) {
  ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({"old"})).ok());
  ASSERT_TRUE(log().DeletePartition(orders_).ok());
  EXPECT_EQ(log().DeletePartition(orders_).error().code(), Code::kNotFound);
  EXPECT_EQ(log().BoundsOf(orders_).error().code(), Code::kNotFound);
  EXPECT_EQ(log().Trim(orders_, {0}).error().code(), Code::kNotFound);
  EXPECT_EQ(log().WaitPast(orders_, {0}, milliseconds(1)).error().code(), Code::kNotFound);
  EXPECT_EQ(AppendFailure(orders_, BatchOf({"a"})), Code::kNotFound);
  ASSERT_TRUE(log().CreatePartition(orders_).ok());
  auto appended = AppendAndWait(log(), orders_, BatchOf({"new"}));
  ASSERT_TRUE(appended.ok());
  EXPECT_EQ(appended->first.value, 0);
  EXPECT_THAT(Values(log(), orders_), testing::ElementsAre("new"));
}

TEST_P(RecordLogContract, TrimsUpToTheEndAndNeverBack) {
  ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({"a", "b", "c"})).ok());
  ASSERT_TRUE(log().Trim(orders_, {2}).ok());
  ASSERT_TRUE(log().Trim(orders_, {1}).ok());
  EXPECT_EQ(log().BoundsOf(orders_)->begin.value, 2);
  EXPECT_THAT(Values(log(), orders_, {2}), testing::ElementsAre("c"));
  ASSERT_TRUE(log().Trim(orders_, {100}).ok());
  EXPECT_EQ(log().BoundsOf(orders_)->begin.value, 3);
  EXPECT_EQ(log().BoundsOf(orders_)->end.value, 3);
  auto next = AppendAndWait(log(), orders_, BatchOf({"d"}));
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->first.value, 3);
}

TEST_P(RecordLogContract, WaitingEndsWithARecordOrTheTime) {
  auto nothing = log().WaitPast(orders_, {0}, milliseconds(5));
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(nothing->end.value, 0);
  std::thread writer([&] {
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_TRUE(AppendAndWait(log(), orders_, BatchOf({"a"})).ok());
  });
  auto start = std::chrono::steady_clock::now();
  auto bounds = log().WaitPast(orders_, {0}, seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
  writer.join();
  ASSERT_TRUE(bounds.ok());
  EXPECT_EQ(bounds->end.value, 1);
}

TEST_P(RecordLogContract, WaitingEndsWhenThePartitionGoesOrTheLogStops) {
  ASSERT_TRUE(log().CreatePartition(PartitionName("going")).ok());
  std::thread deleter([&] {
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_TRUE(log().DeletePartition(PartitionName("going")).ok());
  });
  EXPECT_EQ(log().WaitPast(PartitionName("going"), {0}, seconds(30)).error().code(),
            Code::kNotFound);
  deleter.join();
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(20));
    log().Stop();
  });
  EXPECT_TRUE(log().WaitPast(orders_, {0}, seconds(30)).ok());
  stopper.join();
}

TEST_P(RecordLogContract, AfterStopAppendsFailAndReadsGoOn) {
  ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({"a"})).ok());
  log().Stop();
  log().Stop();
  EXPECT_EQ(AppendFailure(orders_, BatchOf({"b"})), Code::kUnavailable);
  EXPECT_THAT(Values(log(), orders_), testing::ElementsAre("a"));
}

TEST_P(RecordLogContract, ManyCallersKeepTheirOwnOrder) {
  constexpr int kCallers = 8, kEach = 200;
  ASSERT_TRUE(log().CreatePartition(PartitionName("clicks")).ok());
  std::atomic<int> answered{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < kCallers; ++c) {
    callers.emplace_back([&, c] {
      const PartitionName& partition = c % 2 == 0 ? orders_ : PartitionName("clicks");
      for (int i = 0; i < kEach; ++i) {
        log().Append(partition, BatchOf({std::to_string(c), std::to_string(i)}),
                     [&](auto appended) {
                       EXPECT_TRUE(appended.ok());
                       ++answered;
                     });
      }
    });
  }
  for (auto& caller : callers) caller.join();
  for (const PartitionName& partition : {orders_, PartitionName("clicks")}) {
    const Offset last{kCallers * kEach - 1};
    ASSERT_TRUE(log().WaitPast(partition, last, seconds(30)).ok());
    auto values = Values(log(), partition);
    ASSERT_EQ(values.size(), static_cast<size_t>(kCallers * kEach));
    std::map<std::string, int> next;
    for (size_t i = 0; i < values.size(); i += 2) {
      EXPECT_EQ(values[i + 1], std::to_string(next[values[i]]++));
    }
  }
  log().Stop();
  EXPECT_EQ(answered, kCallers * kEach);
}

TEST_P(RecordLogContract, ArrivalNeverGoesBack) {
  Timestamp last;
  for (int i = 0; i < 50; ++i) {
    auto appended = AppendAndWait(log(), orders_, BatchOf({"a"}));
    ASSERT_TRUE(appended.ok());
    EXPECT_GE(appended->arrival, last);
    last = appended->arrival;
  }
}

TEST_P(RecordLogContract, AUnitGoesToAllItsPartitionsOrNone) {
  const PartitionName clicks("clicks"), views("views");
  ASSERT_TRUE(log().CreatePartition(clicks).ok());
  ASSERT_TRUE(log().CreatePartition(views).ok());
  ASSERT_TRUE(AppendAndWait(log(), clicks, BatchOf({"before"})).ok());
  auto appended =
      AppendAndWait(log(), UnitOf({{orders_, {"a", "b"}}, {clicks, {"c"}}, {views, {"d"}}}));
  ASSERT_TRUE(appended.ok());
  ASSERT_EQ(appended->size(), 3u);
  EXPECT_EQ((*appended)[0].first.value, 0);
  EXPECT_EQ((*appended)[1].first.value, 1);
  EXPECT_EQ((*appended)[2].first.value, 0);
  EXPECT_THAT(Values(log(), orders_), testing::ElementsAre("a", "b"));
  EXPECT_THAT(Values(log(), clicks), testing::ElementsAre("before", "c"));
  EXPECT_THAT(Values(log(), views), testing::ElementsAre("d"));
  auto refused = [&](std::vector<Part> unit) {
    auto answer = AppendAndWait(log(), std::move(unit));
    return answer.ok() ? Code::kInternal : answer.error().code();
  };
  EXPECT_EQ(refused({}), Code::kInvalid);
  EXPECT_EQ(refused(UnitOf({{orders_, {"x"}}, {clicks, {"x"}}, {orders_, {"x"}}})), Code::kInvalid);
  EXPECT_EQ(refused(UnitOf({{orders_, {"x"}}, {clicks, {}}})), Code::kInvalid);
  EXPECT_EQ(refused(UnitOf({{orders_, {"x"}}, {PartitionName("none"), {"x"}}})), Code::kNotFound);
  std::vector<Part> large;
  const std::string ten_mib(kValueBytesMax, 'v');
  for (int i = 0; i < 14; ++i) {
    const PartitionName name("large/" + std::to_string(i));
    ASSERT_TRUE(log().CreatePartition(name).ok());
    large.push_back({.partition = name, .batch = BatchOf({ten_mib})});
  }
  EXPECT_EQ(refused(std::move(large)), Code::kInvalid);
  EXPECT_EQ(log().BoundsOf(orders_)->end.value, 2);
  EXPECT_EQ(log().BoundsOf(clicks)->end.value, 2);
}

TEST_P(RecordLogContract, WakesWhoeverWatchesOnce) {
  ASSERT_TRUE(log().CreatePartition(PartitionName("clicks")).ok());
  std::atomic<int> past_zero{0}, past_two{0}, dropped{0}, clicks{0};
  auto first = log().OnPast(orders_, {0}, [&] { ++past_zero; });
  auto later = log().OnPast(orders_, {2}, [&] { ++past_two; });
  auto other = log().OnPast(PartitionName("clicks"), {0}, [&] { ++clicks; });
  auto gone = log().OnPast(orders_, {0}, [&] { ++dropped; });
  ASSERT_TRUE(first.ok() && later.ok() && other.ok() && gone.ok());
  gone->reset();
  EXPECT_EQ(past_zero, 0);
  auto wait = [&](const std::atomic<int>& count) {
    for (int i = 0; i < 5000 && count == 0; ++i) std::this_thread::sleep_for(milliseconds(1));
  };
  ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({"a", "b"})).ok());
  wait(past_zero);
  EXPECT_EQ(past_two, 0);
  ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({"c"})).ok());
  wait(past_two);
  ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({"d"})).ok());
  EXPECT_EQ(clicks, 0);
  log().Stop();
  wait(clicks);
  EXPECT_EQ(past_zero, 1);
  EXPECT_EQ(past_two, 1);
  EXPECT_EQ(dropped, 0);
  EXPECT_EQ(clicks, 1);
}

TEST_P(RecordLogContract, WakesAtOnceWhoeverIsLate) {
  ASSERT_TRUE(log().CreatePartition(PartitionName("going")).ok());
  ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({"a"})).ok());
  int woken = 0;
  ASSERT_TRUE(log().OnPast(orders_, {0}, [&] { ++woken; }).ok());
  EXPECT_EQ(woken, 1);
  std::atomic<int> deleted{0};
  auto watch = log().OnPast(PartitionName("going"), {0}, [&] { ++deleted; });
  ASSERT_TRUE(watch.ok());
  ASSERT_TRUE(log().DeletePartition(PartitionName("going")).ok());
  EXPECT_EQ(deleted, 1);
  EXPECT_EQ(log().OnPast(PartitionName("going"), {0}, [&] { ++woken; }).error().code(),
            Code::kNotFound);
  log().Stop();
  ASSERT_TRUE(log().OnPast(orders_, {7}, [&] { ++woken; }).ok());
  EXPECT_EQ(woken, 2);
}

TEST_P(RecordLogContract, CountsTheOctetsItKeeps) {
  EXPECT_EQ(log().BoundsOf(orders_)->bytes, 0);
  EXPECT_EQ(log().OffsetWithin(orders_, 0)->value, 0);
  EXPECT_EQ(log().OffsetWithin(PartitionName("none"), 0).error().code(), Code::kNotFound);
  constexpr int kBatches = 20;
  for (int i = 0; i < kBatches; ++i) {
    ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({std::string(500, 'a'), "b"})).ok());
  }
  const int64_t all = log().BoundsOf(orders_)->bytes;
  const int64_t each = all / kBatches;
  EXPECT_EQ(all, each * kBatches);
  EXPECT_GT(each, 500);
  EXPECT_LT(each, 700);
  EXPECT_EQ(log().OffsetWithin(orders_, all)->value, 0);
  EXPECT_EQ(log().OffsetWithin(orders_, all - 1)->value, 2);
  EXPECT_EQ(log().OffsetWithin(orders_, each * 7)->value, 2 * (kBatches - 7));
  EXPECT_EQ(log().OffsetWithin(orders_, each)->value, 2 * (kBatches - 1));
  EXPECT_EQ(log().OffsetWithin(orders_, each - 1)->value, 2 * kBatches);
  // A batch of which a part is kept counts whole.
  ASSERT_TRUE(log().Trim(orders_, {5}).ok());
  EXPECT_EQ(log().BoundsOf(orders_)->bytes, all - 2 * each);
  EXPECT_EQ(log().OffsetWithin(orders_, all)->value, 5);
  EXPECT_EQ(log().OffsetWithin(orders_, all - 3 * each)->value, 6);
  ASSERT_TRUE(log().Trim(orders_, {2 * kBatches}).ok());
  EXPECT_EQ(log().BoundsOf(orders_)->bytes, 0);
}

TEST_P(RecordLogContract, WhatWasReadStaysReadable) {
  ASSERT_TRUE(AppendAndWait(log(), orders_, BatchOf({std::string(1000, 'a')})).ok());
  auto batches = log().Read(orders_, {0}, {});
  ASSERT_TRUE(batches.ok());
  ASSERT_TRUE(log().DeletePartition(orders_).ok());
  log().Stop();
  EXPECT_EQ(batches->front().records.front().value, std::string(1000, 'a'));
}

}  // namespace weft::log
