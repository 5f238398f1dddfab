// SPDX-License-Identifier: Apache-2.0
#include "stream/streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/testing/passing_log.h"
#include "stream/testing/streams_ground.h"

namespace weft::stream {
namespace {

using log::LogCall;
using StreamsTest = StreamsGround;

TEST_F(StreamsTest, AStreamTakesAndGivesRecords) {
  ASSERT_TRUE(Create(orders_).ok());
  auto shards = streams_->Shards(orders_);
  ASSERT_TRUE(shards.ok());
  EXPECT_THAT(*shards, testing::ElementsAre(ShardId{.stream = orders_, .number = 0}));
  ASSERT_TRUE(Append(orders_, {"a", "b"}).ok());
  EXPECT_THAT(Values(orders_), testing::ElementsAre("a", "b"));
  EXPECT_EQ(streams_->BoundsOf({.stream = orders_})->end.value, 2);
  int woken = 0;
  ASSERT_TRUE(streams_->OnPast({.stream = orders_}, {1}, [&] { ++woken; }).ok());
  EXPECT_EQ(woken, 1);
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
  EXPECT_EQ(Create(StreamName(std::string(161, 'a'))).error().code(), Code::kInvalid);
  EXPECT_TRUE(Create(StreamName(std::string(160, 'a'))).ok());
  EXPECT_TRUE(Create(StreamName("..")).ok());
}

TEST_F(StreamsTest, ARolledBackStreamIsNotThere) {
  Status failed = database_->Transact([&](meta::Transaction& tx) -> Status {
    TRY(streams_->Create(tx, {.name = orders_, .account = account_, .use = Use::kProduct}));
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
                    return streams_->Create(
                        tx, {.name = orders_, .account = account_, .use = Use::kProduct});
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
    clock_.Set(seconds(second));
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
  log_.FailCall(LogCall::kRead, 2, Error(Code::kUnavailable, "failed"));
  EXPECT_EQ(streams_->OffsetAt({.stream = orders_}, Timestamp(seconds(30))).error().code(),
            Code::kUnavailable);
}

TEST_F(StreamsTest, DamageHidesNoOffsetOfATime) {
  ASSERT_TRUE(Create(orders_).ok());
  for (int64_t second = 0; second < 64; ++second) {
    clock_.Set(seconds(second));
    ASSERT_TRUE(Append(orders_, {"a"}).ok());
  }
  for (int64_t second = 0; second < 64; ++second) {
    for (int read = 1; read < 8; ++read) {
      log_.FailCall(LogCall::kRead, read, Error(Code::kCorrupt, "damaged"));
      auto offset = streams_->OffsetAt({.stream = orders_}, Timestamp(seconds(second)));
      ASSERT_TRUE(offset.ok());
      EXPECT_LE(offset->value, second);
    }
  }
  log_.FailCall(LogCall::kRead, 1, Error(Code::kCorrupt, "all of it"),
                log::FailingLog::Then::kKeepFailing);
  EXPECT_EQ(streams_->OffsetAt({.stream = orders_}, Timestamp(seconds(5)))->value, 0);
}

TEST_F(StreamsTest, SettingsOutlastARestart) {
  ASSERT_TRUE(Create(orders_, Use::kFree, 2,
                     {.mode = Mode::kProvisioned, .retention = std::chrono::hours(48)})
                  .ok());
  ASSERT_TRUE(Update(orders_, [](StreamSettings& settings) -> Status {
                settings.retention = std::chrono::hours(8'760);
                settings.retention_bytes = 7;
                settings.record_kib_max = 10'240;
                settings.key_id = "alias/k";
                settings.tags = {{"team", "sales \xc3\xa4\""}, {"", "v"}};
                settings.shard_metrics = {"IncomingBytes"};
                return {};
              }).ok());
  for (int start = 0; start < 2; ++start) {
    auto info = streams_->Find(orders_);
    ASSERT_TRUE(info.ok());
    EXPECT_EQ((*info)->account, account_);
    EXPECT_EQ((*info)->short_name, "orders");
    EXPECT_EQ((*info)->use, Use::kFree);
    const StreamSettings& settings = (*info)->settings;
    EXPECT_EQ(settings.mode, Mode::kProvisioned);
    EXPECT_EQ(settings.retention, std::chrono::hours(8'760));
    EXPECT_EQ(settings.retention_bytes, 7);
    EXPECT_EQ(settings.record_kib_max, 10'240);
    EXPECT_EQ(settings.key_id, "alias/k");
    EXPECT_EQ(settings.tags.at("team"), "sales \xc3\xa4\"");
    EXPECT_EQ(settings.tags.size(), 2u);
    EXPECT_THAT(settings.shard_metrics, testing::ElementsAre("IncomingBytes"));
    Restart();
  }
}

// A log that remembers what was asked to be sealed.
class SealingLog final : public log::PassingLog {
 public:
  using PassingLog::PassingLog;
  std::vector<bool> sealed;
  void Append(std::vector<log::Part> unit, OnUnitDurable done) override {
    for (const log::Part& part : unit) sealed.push_back(part.batch.seal);
    inner_.Append(std::move(unit), std::move(done));
  }
};

TEST_F(StreamsTest, WhatGoesToAStreamWithAKeyIsSealed) {
  SealingLog sealing(*memory_);
  streams_ = std::make_unique<Streams>(options_, *database_, sealing, clock_, metrics_);
  ASSERT_TRUE(Create(orders_, Use::kFree).ok());
  for (const char* key : {"", "alias/k", ""}) {
    ASSERT_TRUE(Update(orders_, [&](StreamSettings& settings) -> Status {
                  settings.key_id = key;
                  return {};
                }).ok());
    ASSERT_TRUE(Append(orders_, {"a"}).ok());
    EXPECT_FALSE(Ended(orders_, 0));
  }
  EXPECT_THAT(sealing.sealed, testing::ElementsAre(false, true, false));
  streams_.reset();
}

TEST_F(StreamsTest, RefusesSettingsOutOfRange) {
  using std::chrono::hours;
  ASSERT_TRUE(Create(orders_, Use::kFree).ok());
  const std::function<void(StreamSettings&)> wrong[] = {
      [](auto& s) { s.retention = hours(23); },   [](auto& s) { s.retention = hours(8'761); },
      [](auto& s) { s.retention_bytes = -1; },    [](auto& s) { s.record_kib_max = 1'023; },
      [](auto& s) { s.record_kib_max = 10'241; },
  };
  for (const auto& change : wrong) {
    StreamSettings settings;
    change(settings);
    EXPECT_EQ(Create(StreamName("other"), Use::kFree, 1, settings).error().code(), Code::kInvalid);
    EXPECT_EQ(Update(orders_,
                     [&](StreamSettings& s) -> Status {
                       change(s);
                       return {};
                     })
                  .error()
                  .code(),
              Code::kInvalid);
  }
  EXPECT_EQ(
      Update(orders_,
             [](StreamSettings&) -> Status { return Fail(Code::kConflict, "changed meanwhile"); })
          .error()
          .code(),
      Code::kConflict);
  EXPECT_EQ(Update(StreamName("none"), [](StreamSettings&) { return Status(); }).error().code(),
            Code::kNotFound);
  EXPECT_EQ((*streams_->Find(orders_))->settings.retention, hours(24));
  EXPECT_EQ(Create(StreamName("other"), Use::kFree, 0).error().code(), Code::kInvalid);
  EXPECT_EQ(Create(StreamName("other"), Use::kInternal, 2).error().code(), Code::kInvalid);
}

TEST_F(StreamsTest, AFreeStreamTakesNoNameThatIsTaken) {
  ASSERT_TRUE(Create(orders_, Use::kProduct).ok());
  EXPECT_TRUE(Create(orders_, Use::kProduct).ok());
  EXPECT_EQ(Create(orders_, Use::kFree).error().code(), Code::kExists);
  EXPECT_EQ(Create(orders_, Use::kInternal).error().code(), Code::kExists);
  const StreamName clicks("111122223333.clicks");
  ASSERT_TRUE(Create(clicks, Use::kFree).ok());
  EXPECT_EQ(Create(clicks, Use::kFree).error().code(), Code::kExists);
  EXPECT_EQ(Create(clicks, Use::kProduct).error().code(), Code::kExists);
}

TEST_F(StreamsTest, AnAccountSeesItsStreamsInOrderAndNoInternalOnes) {
  for (const char* name : {"111122223333.b", "111122223333.a", "111122223333.c"}) {
    ASSERT_TRUE(Create(StreamName(name), Use::kFree, 2).ok());
  }
  ASSERT_TRUE(Create(StreamName("111122223333.a.quarantine"), Use::kInternal).ok());
  ASSERT_TRUE(Create({.name = StreamName("444455556666.a"),
                      .account = AccountId("444455556666"),
                      .use = Use::kFree})
                  .ok());
  auto streams = streams_->OfAccount(account_);
  ASSERT_TRUE(streams.ok());
  std::vector<std::string> names;
  for (const auto& stream : *streams) names.push_back(stream->short_name);
  EXPECT_THAT(names, testing::ElementsAre("a", "b", "c"));
  EXPECT_EQ(*streams_->OpenShardsOf(account_), 6);
  EXPECT_TRUE(streams_->OfAccount(AccountId("none"))->empty());
}

TEST_F(StreamsTest, AnAccountsFreeOnDemandStreamsAreLimited) {
  options_.on_demand_streams_max = 2;
  Restart();
  ASSERT_TRUE(Create(StreamName("111122223333.a"), Use::kFree).ok());
  ASSERT_TRUE(Create(StreamName("111122223333.b"), Use::kFree).ok());
  const StreamName c("111122223333.c");
  EXPECT_EQ(Create(c, Use::kFree).error().code(), Code::kThrottled);
  ASSERT_TRUE(Create(c, Use::kFree, 1, {.mode = Mode::kProvisioned}).ok());
  EXPECT_TRUE(Create(StreamName("111122223333.d"), Use::kProduct).ok());
  auto to_on_demand = [](StreamSettings& settings) -> Status {
    settings.mode = Mode::kOnDemand;
    return {};
  };
  EXPECT_EQ(Update(c, to_on_demand).error().code(), Code::kThrottled);
  ASSERT_TRUE(Delete(StreamName("111122223333.a")).ok());
  EXPECT_TRUE(Update(c, to_on_demand).ok());
}

// What the first version of Weft left.
TEST(StreamTableTest, OpensADatabaseOfOneShardStreams) {
  auto database = meta::OpenSqlite({.path = ""});
  ASSERT_TRUE(database.ok());
  const auto& steps = Streams::Migrations();
  ASSERT_TRUE(meta::Migrate(**database, "stream", {steps.begin(), steps.begin() + 3}).ok());
  ASSERT_TRUE((*database)
                  ->Transact([](meta::Transaction& tx) -> Status {
                    for (const char* row : {"('111122223333.orders', 1, 1)",
                                            "('111122223333.orders.quarantine', 2, 1)",
                                            "('111122223333.quarantine', 3, 1)"}) {
                      TRY(tx.Execute(std::string("INSERT INTO stream_streams (name, number, "
                                                 "shards) VALUES ") +
                                     row));
                    }
                    TRY(tx.Execute("UPDATE stream_numbers SET last = 3"));
                    return {};
                  })
                  .ok());
  auto log = log::OpenMemoryLog();
  const log::PartitionName partition("streams/111122223333.orders/1/0");
  ASSERT_TRUE(log->CreatePartition(partition).ok());
  ASSERT_TRUE(log::AppendAndWait(*log, partition, log::BatchOf({"old"})).ok());
  ASSERT_TRUE(meta::Migrate(**database, "stream", steps).ok());
  Metrics metrics;
  Streams streams({}, **database, *log, SystemClock(), metrics);
  ASSERT_TRUE(streams.RemoveOrphans().ok());
  const StreamName orders("111122223333.orders");
  auto info = streams.Find(orders);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ((*info)->account.text(), "111122223333");
  EXPECT_EQ((*info)->use, Use::kProduct);
  EXPECT_EQ((*info)->number, 1);
  ASSERT_EQ((*info)->shards.size(), 1u);
  EXPECT_EQ((*info)->shards[0].range, HashRange());
  EXPECT_EQ(streams.Read({.stream = orders}, {0}, {})->front().records[0].value, "old");
  EXPECT_EQ((*streams.Find(StreamName("111122223333.orders.quarantine")))->use, Use::kInternal);
  EXPECT_EQ((*streams.Find(StreamName("111122223333.quarantine")))->use, Use::kProduct);
  ASSERT_TRUE(streams.Split(orders, 0, 9).ok());
  EXPECT_EQ((*streams.Find(orders))->OpenShards(), 2);
}

}  // namespace
}  // namespace weft::stream
