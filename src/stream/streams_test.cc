// SPDX-License-Identifier: Apache-2.0
#include "stream/streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/testing/appending.h"
#include "log/testing/failing_log.h"
#include "log/testing/memory_log.h"
#include "meta/sqlite.h"

namespace weft::stream {
namespace {

using log::BatchOf;
using log::FailingLog;
using log::LogCall;

class SteppingClock final : public Clock {
 public:
  Timestamp Now() const override { return now_; }
  microseconds Elapsed() const override { return now_.time_since_epoch(); }
  void Set(int64_t second) { now_ = Timestamp(seconds(second)); }

 private:
  Timestamp now_;
};

class StreamsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto database = meta::OpenSqlite({.path = ""});
    ASSERT_TRUE(database.ok()) << database.error().message();
    database_ = std::move(*database);
    ASSERT_TRUE(meta::Migrate(*database_, "stream", Streams::Migrations()).ok());
    streams_ = std::make_unique<Streams>(*database_, log_);
  }
  void Restart() { streams_ = std::make_unique<Streams>(*database_, log_); }

  Status Create(const StreamName& name) {
    return database_->Transact([&](meta::Transaction& tx) { return streams_->Create(tx, name); });
  }
  Status Delete(const StreamName& name) {
    return database_->Transact([&](meta::Transaction& tx) { return streams_->Delete(tx, name); });
  }
  Result<log::Appended> Append(const StreamName& name, const std::vector<std::string>& values) {
    Result<log::Appended> answer = Fail(Code::kInternal, "not answered");
    streams_->Append(name, BatchOf(values), [&](auto appended) { answer = std::move(appended); });
    return answer;
  }
  std::vector<std::string> Values(const StreamName& name) {
    auto batches = streams_->Read({.stream = name}, {0}, {});
    std::vector<std::string> values;
    if (!batches.ok()) return {std::string(CodeName(batches.error().code()))};
    for (const auto& batch : *batches) {
      for (const auto& record : batch.records) values.emplace_back(record.value);
    }
    return values;
  }

  SteppingClock clock_;
  std::unique_ptr<log::RecordLog> memory_ = log::OpenMemoryLog(clock_);
  FailingLog log_{*memory_};
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<Streams> streams_;
  const StreamName orders_{"orders"};
};

TEST_F(StreamsTest, AStreamTakesAndGivesRecords) {
  ASSERT_TRUE(Create(orders_).ok());
  auto shards = streams_->Shards(orders_);
  ASSERT_TRUE(shards.ok());
  EXPECT_THAT(*shards, testing::ElementsAre(ShardId{.stream = orders_, .number = 0}));
  ASSERT_TRUE(Append(orders_, {"a", "b"}).ok());
  EXPECT_THAT(Values(orders_), testing::ElementsAre("a", "b"));
  EXPECT_EQ(streams_->BoundsOf({.stream = orders_})->end.value, 2);
  EXPECT_EQ(streams_->WaitPast({.stream = orders_}, {1}, milliseconds(0))->end.value, 2);
  ASSERT_TRUE(streams_->Trim({.stream = orders_}, {1}).ok());
  EXPECT_EQ(streams_->BoundsOf({.stream = orders_})->begin.value, 1);
}

TEST_F(StreamsTest, CreatingTwiceKeepsTheRecords) {
  ASSERT_TRUE(Create(orders_).ok());
  ASSERT_TRUE(Append(orders_, {"a"}).ok());
  ASSERT_TRUE(Create(orders_).ok());
  EXPECT_THAT(Values(orders_), testing::ElementsAre("a"));
}

TEST_F(StreamsTest, WhatDoesNotExistIsNotFound) {
  EXPECT_EQ(Append(orders_, {"a"}).error().code(), Code::kNotFound);
  EXPECT_EQ(streams_->Shards(orders_).error().code(), Code::kNotFound);
  EXPECT_EQ(Delete(orders_).error().code(), Code::kNotFound);
  ASSERT_TRUE(Create(orders_).ok());
  EXPECT_EQ(streams_->BoundsOf({.stream = orders_, .number = 1}).error().code(), Code::kNotFound);
  EXPECT_EQ(streams_->BoundsOf({.stream = orders_, .number = -1}).error().code(), Code::kNotFound);
}

TEST_F(StreamsTest, RefusesNamesThatAreNot) {
  for (const char* bad : {"", "a/b", "a b", "\n", "\xc3\xa4"}) {
    EXPECT_EQ(Create(StreamName(bad)).error().code(), Code::kInvalid) << bad;
  }
  EXPECT_EQ(Create(StreamName(std::string(129, 'a'))).error().code(), Code::kInvalid);
  EXPECT_TRUE(Create(StreamName(std::string(128, 'a'))).ok());
  EXPECT_TRUE(Create(StreamName("..")).ok());
}

TEST_F(StreamsTest, ARolledBackStreamIsNotThere) {
  Status failed = database_->Transact([&](meta::Transaction& tx) -> Status {
    TRY(streams_->Create(tx, orders_));
    return Fail(Code::kConflict, "changed my mind");
  });
  EXPECT_EQ(failed.error().code(), Code::kConflict);
  EXPECT_EQ(Append(orders_, {"a"}).error().code(), Code::kNotFound);
  ASSERT_TRUE(streams_->RemoveOrphans().ok());
  EXPECT_TRUE(memory_->Partitions()->empty());
  ASSERT_TRUE(Create(orders_).ok());
  EXPECT_TRUE(Append(orders_, {"a"}).ok());
}

TEST_F(StreamsTest, NoStreamWithoutItsPartition) {
  log_.FailCall(LogCall::kCreatePartition, 1, Error(Code::kUnavailable, "full"));
  EXPECT_EQ(Create(orders_).error().code(), Code::kUnavailable);
  EXPECT_EQ(streams_->Shards(orders_).error().code(), Code::kNotFound);
  ASSERT_TRUE(Create(orders_).ok());
}

TEST_F(StreamsTest, ADeletedStreamTakesItsRecordsAlong) {
  ASSERT_TRUE(Create(orders_).ok());
  ASSERT_TRUE(Append(orders_, {"old"}).ok());
  ASSERT_TRUE(Delete(orders_).ok());
  EXPECT_EQ(Append(orders_, {"a"}).error().code(), Code::kNotFound);
  EXPECT_TRUE(memory_->Partitions()->empty());
  ASSERT_TRUE(Create(orders_).ok());
  EXPECT_TRUE(Values(orders_).empty());
}

TEST_F(StreamsTest, DeletedAndMadeInOneTransactionItIsNewAndWritable) {
  ASSERT_TRUE(Create(orders_).ok());
  ASSERT_TRUE(Append(orders_, {"old"}).ok());
  ASSERT_TRUE(database_
                  ->Transact([&](meta::Transaction& tx) -> Status {
                    TRY(streams_->Delete(tx, orders_));
                    return streams_->Create(tx, orders_);
                  })
                  .ok());
  ASSERT_TRUE(Append(orders_, {"new"}).ok());
  EXPECT_THAT(Values(orders_), testing::ElementsAre("new"));
  EXPECT_EQ(memory_->Partitions()->size(), 1u);
}

TEST_F(StreamsTest, ARestartKeepsStreamsAndRemovesOrphans) {
  const StreamName clicks("clicks");
  ASSERT_TRUE(Create(orders_).ok());
  ASSERT_TRUE(Append(orders_, {"a"}).ok());
  ASSERT_TRUE(Create(clicks).ok());
  log_.FailCall(LogCall::kDeletePartition, 1, Error(Code::kUnavailable, "crashed before it"));
  ASSERT_TRUE(Delete(clicks).ok());
  ASSERT_TRUE(memory_->CreatePartition(log::PartitionName("another/owner")).ok());
  EXPECT_EQ(memory_->Partitions()->size(), 3u);
  Restart();
  ASSERT_TRUE(streams_->RemoveOrphans().ok());
  EXPECT_EQ(memory_->Partitions()->size(), 2u);
  EXPECT_THAT(Values(orders_), testing::ElementsAre("a"));
  Restart();
  EXPECT_THAT(Values(orders_), testing::ElementsAre("a"));
}

TEST_F(StreamsTest, FindsTheOffsetOfATime) {
  ASSERT_TRUE(Create(orders_).ok());
  EXPECT_EQ(streams_->OffsetAt({.stream = orders_}, Timestamp(seconds(5)))->value, 0);
  for (int64_t second : {10, 20, 20, 30}) {
    clock_.Set(second);
    ASSERT_TRUE(Append(orders_, {"a", "b"}).ok());
  }
  auto at = [&](int64_t second) {
    auto offset = streams_->OffsetAt({.stream = orders_}, Timestamp(seconds(second)));
    EXPECT_TRUE(offset.ok());
    return offset.ok() ? offset->value : -1;
  };
  EXPECT_EQ(at(0), 0);
  EXPECT_EQ(at(10), 0);
  EXPECT_EQ(at(11), 2);
  EXPECT_EQ(at(20), 2);
  EXPECT_EQ(at(30), 6);
  EXPECT_EQ(at(31), 8);
  ASSERT_TRUE(streams_->Trim({.stream = orders_}, {3}).ok());
  EXPECT_EQ(at(0), 3);
  EXPECT_EQ(at(20), 3);
  EXPECT_EQ(at(30), 6);
  log_.FailCall(LogCall::kRead, 2, Error(Code::kCorrupt, "damaged"));
  EXPECT_EQ(streams_->OffsetAt({.stream = orders_}, Timestamp(seconds(30))).error().code(),
            Code::kCorrupt);
}

TEST(RecordIdTest, SortsAsTheOffset) {
  EXPECT_EQ(RecordId(0, {7}), "0000-0000000000000000007");
  EXPECT_EQ(RecordId(12, {INT64_MAX}), "0012-9223372036854775807");
  EXPECT_LT(RecordId(0, {9}), RecordId(0, {10}));
  EXPECT_LT(RecordId(0, {INT64_MAX}), RecordId(1, {0}));
}

}  // namespace
}  // namespace weft::stream
