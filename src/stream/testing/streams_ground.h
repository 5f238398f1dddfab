// SPDX-License-Identifier: Apache-2.0
// What the tests of streams stand on: a log and a database in memory, and a clock that is set.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "log/testing/appending.h"
#include "log/testing/failing_log.h"
#include "log/testing/memory_log.h"
#include "meta/sqlite.h"
#include "stream/consumers.h"
#include "stream/streams.h"

namespace weft::stream {

// Both of its times move only when told to.
class SetClock final : public Clock {
 public:
  Timestamp Now() const override { return Timestamp(now_.load()); }
  microseconds Elapsed() const override { return now_; }
  void Set(microseconds time) { now_ = time; }
  void Pass(microseconds time) { now_ = now_.load() + time; }

 private:
  std::atomic<microseconds> now_ = microseconds(0);
};

class StreamsGround : public testing::Test {
 protected:
  void SetUp() override {
    auto database = meta::OpenSqlite({.path = ""});
    ASSERT_TRUE(database.ok()) << database.error().message();
    database_ = std::move(*database);
    ASSERT_TRUE(meta::Migrate(*database_, "stream", Streams::Migrations()).ok());
    ASSERT_TRUE(meta::Migrate(*database_, "consumers", Consumers::Migrations()).ok());
    Restart();
  }
  void Restart() {
    streams_.reset();
    streams_ = std::make_unique<Streams>(options_, *database_, log_, clock_, metrics_);
  }

  Status Create(const NewStream& stream) {
    return database_->Transact([&](meta::Transaction& tx) { return streams_->Create(tx, stream); });
  }
  Status Create(const StreamName& name, Use use = Use::kProduct, int shards = 1,
                const StreamSettings& settings = {}) {
    return Create(
        {.name = name, .account = account_, .use = use, .shards = shards, .settings = settings});
  }
  Status Delete(const StreamName& name) {
    return database_->Transact([&](meta::Transaction& tx) { return streams_->Delete(tx, name); });
  }
  Status Update(const StreamName& name, const std::function<Status(StreamSettings&)>& change) {
    return database_->Transact(
        [&](meta::Transaction& tx) { return streams_->Update(tx, name, change); });
  }
  Result<log::Appended> Append(const StreamName& name, const std::vector<std::string>& values) {
    Result<log::Appended> answer = Fail(Code::kInternal, "not answered");
    streams_->Append(name, log::BatchOf(values),
                     [&](auto appended) { answer = std::move(appended); });
    return answer;
  }
  // To the shard that the route has for the key.
  Result<log::Appended> AppendAlong(const Route& route, const StreamName& name, HashKey key,
                                    const std::vector<std::string>& values) {
    Result<log::Appended> answer = Fail(Code::kInternal, "not answered");
    std::vector<Streams::Part> unit;
    unit.push_back({.stream = name,
                    .route = route,
                    .shard = route.ShardOf(key),
                    .batch = log::BatchOf(values)});
    streams_->Append(std::move(unit), [&](Result<std::vector<log::Appended>> appended) {
      answer = appended.ok() ? Result<log::Appended>(appended->front()) : Fail(appended.error());
    });
    return answer;
  }
  std::vector<std::string> Values(const ShardId& shard) {
    auto bounds = streams_->BoundsOf(shard);
    if (!bounds.ok()) return {std::string(CodeName(bounds.error().code()))};
    std::vector<std::string> values;
    for (Offset at = bounds->begin; at < bounds->end;) {
      auto batches = streams_->Read(shard, at, {});
      if (!batches.ok() || batches->empty()) return {"unreadable"};
      for (const auto& batch : *batches) {
        for (size_t i = 0; i < batch.records.size(); ++i) {
          if (batch.first.value + static_cast<int64_t>(i) < at.value) continue;
          values.emplace_back(batch.records[i].value);
        }
      }
      at = batches->back().next();
    }
    return values;
  }
  std::vector<std::string> Values(const StreamName& name) { return Values({.stream = name}); }
  Shard ShardAt(const StreamName& name, int number) {
    auto info = streams_->Find(name);
    const Shard* shard = info.ok() ? (*info)->FindShard(number) : nullptr;
    EXPECT_NE(shard, nullptr) << number;
    return shard == nullptr ? Shard{} : *shard;
  }
  std::vector<int> OpenOnes(const StreamName& name) {
    std::vector<int> open;
    auto info = streams_->Find(name);
    EXPECT_TRUE(info.ok());
    for (const Shard& shard : (*info)->shards) {
      if (!shard.closed) open.push_back(shard.number);
    }
    return open;
  }
  bool Ended(const StreamName& name, int shard) {
    auto ended = streams_->Ended({name, shard});
    EXPECT_TRUE(ended.ok());
    return ended.ok() && *ended;
  }

  const AccountId account_{"111122223333"};
  const StreamName orders_{"111122223333.orders"};
  Streams::Options options_;
  Metrics metrics_;
  SetClock clock_;
  std::unique_ptr<log::RecordLog> memory_ = log::OpenMemoryLog(clock_);
  log::FailingLog log_{*memory_};
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<Streams> streams_;
};

}  // namespace weft::stream
