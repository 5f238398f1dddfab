// SPDX-License-Identifier: Apache-2.0
// Producers put numbered records under their own keys while the stream is split and merged; readers
// follow it as the Kinesis Client Library does, parents before children. Each must see each key's
// records in order, each once, over a log that answers from a thread of its own, and over the
// journal.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include "base/random.h"
#include "base/signal.h"
#include "base/testing/sim_disk.h"
#include "log/journal.h"
#include "log/testing/passing_log.h"
#include "stream/testing/streams_ground.h"

namespace weft::stream {
namespace {

// Appends later, on its own thread, as a journal does: what is appended is seen by readers only
// then, and answered thereafter.
class LateLog final : public log::PassingLog {
 public:
  explicit LateLog(log::RecordLog& inner) : PassingLog(inner), thread_([this] { Run(); }) {}
  ~LateLog() override { Stop(); }
  void Append(std::vector<log::Part> unit, OnUnitDurable done) override {
    {
      std::lock_guard lock(mutex_);
      waiting_.push_back({std::move(unit), std::move(done)});
    }
    wake_.notify_all();
  }
  void Stop() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  struct Waiting {
    std::vector<log::Part> unit;
    OnUnitDurable done;
  };
  void Run() {
    for (;;) {
      std::deque<Waiting> taken;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        taken.swap(waiting_);
      }
      std::this_thread::sleep_for(std::chrono::microseconds(SystemRandom().Next() % 300));
      for (Waiting& one : taken) inner_.Append(std::move(one.unit), std::move(one.done));
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

constexpr int kProducers = 4, kKeys = 5, kUnitsMin = 400, kReshardsMin = 50;

// Whether over the journal.
class StressTest : public StreamsGround, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    StreamsGround::SetUp();
    if (GetParam()) {
      auto journal = log::OpenJournal({.folder = "journal"}, disk_, SystemClock(), metrics_);
      ASSERT_TRUE(journal.ok()) << journal.error().message();
      used_ = std::move(*journal);
    } else {
      used_ = std::make_unique<LateLog>(*memory_);
    }
    streams_ = std::make_unique<Streams>(Streams::Options{}, *database_, *used_, clock_, metrics_);
    ASSERT_TRUE(Create(orders_, Use::kFree, 2).ok());
  }
  void TearDown() override {
    if (used_ != nullptr) used_->Stop();
    streams_.reset();
  }

  // Several units under way at once; a unit of one record for each key, by shard.
  void Produce(int producer) {
    std::mutex mutex;
    std::condition_variable changed;
    int under_way = 0;
    int unit = 0;
    for (; unit < kUnitsMin || reshards_ < kReshardsMin; ++unit) {
      auto route = streams_->RouteOf(orders_);
      ASSERT_TRUE(route.ok());
      std::map<int, std::vector<std::string>> by_shard;
      for (int key = 0; key < kKeys; ++key) {
        const std::string name = fmt::format("{}/{}", producer, key);
        by_shard[route->ShardOf(HashOf(name))].push_back(fmt::format("{} {}", name, unit));
      }
      std::vector<Streams::Part> parts;
      for (const auto& [shard, values] : by_shard) {
        parts.push_back(
            {.stream = orders_, .route = *route, .shard = shard, .batch = log::BatchOf(values)});
      }
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return under_way < 8; });
        ++under_way;
      }
      route = Route();
      streams_->Append(std::move(parts), [&](const Result<std::vector<log::Appended>>& appended) {
        EXPECT_TRUE(appended.ok());
        std::lock_guard lock(mutex);
        --under_way;
        changed.notify_all();
      });
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return under_way == 0; });
    put_[static_cast<size_t>(producer)] = unit;
  }

  void Reshuffle() {
    while (!produced_) {
      const auto info = streams_->Find(orders_);
      ASSERT_TRUE(info.ok());
      std::vector<Shard> open;
      for (const Shard& shard : (*info)->shards) {
        if (!shard.closed) open.push_back(shard);
      }
      std::sort(open.begin(), open.end(),
                [](auto& a, auto& b) { return a.range.first < b.range.first; });
      const size_t at = SystemRandom().Next() % open.size();
      if (open.size() < 8 && SystemRandom().Next() % 2 == 0) {
        const HashRange range = open[at].range;
        ASSERT_TRUE(
            streams_
                ->Split(orders_, open[at].number, range.first + (range.last - range.first) / 2 + 1)
                .ok());
      } else if (at + 1 < open.size()) {
        ASSERT_TRUE(streams_->Merge(orders_, open[at].number, open[at + 1].number).ok());
      }
      ++reshards_;
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  // One worker that has all leases, until it has seen all records there are.
  void Consume(std::map<std::string, int>& next) {
    struct Lease {
      Offset at;
      bool done = false;
    };
    std::map<int, Lease> leases;
    int seen = 0;
    for (;;) {
      const bool whole = produced_;
      if (whole && seen == kKeys * std::accumulate(put_.begin(), put_.end(), 0)) return;
      const auto info = streams_->Find(orders_);
      ASSERT_TRUE(info.ok());
      for (const Shard& shard : (*info)->shards) leases.try_emplace(shard.number);
      for (auto& [number, lease] : leases) {
        const Shard* shard = (*info)->FindShard(number);
        if (lease.done || shard == nullptr) continue;
        auto done = [&](const std::optional<int>& parent) {
          return !parent || leases.at(*parent).done;
        };
        if (!done(shard->parent) || !done(shard->adjacent_parent)) continue;
        const auto ended = streams_->Ended({orders_, number});
        const auto bounds = streams_->BoundsOf({orders_, number});
        ASSERT_TRUE(ended.ok() && bounds.ok());
        while (lease.at < bounds->end) {
          const auto batches = streams_->Read({orders_, number}, lease.at, {});
          ASSERT_TRUE(batches.ok());
          for (const auto& batch : *batches) {
            for (const auto& record : batch.records) {
              const std::string value(record.value);
              const size_t space = value.find(' ');
              ASSERT_EQ(value.substr(space + 1), std::to_string(next[value.substr(0, space)]++));
              ++seen;
            }
            lease.at = batch.next();
          }
        }
        if (*ended) {
          lease.done = true;
          ends_.emplace(number, lease.at.value);
        } else {
          // Wakes with the end, too: else this would wait for long.
          auto more = std::make_shared<Signal>();
          auto watch = streams_->OnPast({orders_, number}, lease.at, [more] { more->Set(); });
          ASSERT_TRUE(watch.ok());
          more->WaitFor(milliseconds(2));
        }
      }
    }
  }

  std::atomic<bool> produced_ = false;
  std::atomic<int> reshards_ = 0;
  std::array<int, kProducers> put_{};  // units, by producer; read once produced_ is set
  std::multimap<int, int64_t> ends_;
  SimDisk disk_;
  std::unique_ptr<log::RecordLog> used_;
};

TEST_P(StressTest, ReadersSeeEachKeysRecordsInOrderAndOnceAcrossSplitsAndMerges) {
  std::vector<std::thread> producers;
  for (int i = 0; i < kProducers; ++i) producers.emplace_back([this, i] { Produce(i); });
  std::thread resharding([this] { Reshuffle(); });
  std::map<std::string, int> next;
  std::thread consumer([&] { Consume(next); });
  for (auto& producer : producers) producer.join();
  produced_ = true;
  resharding.join();
  consumer.join();
  EXPECT_EQ(next.size(), static_cast<size_t>(kProducers * kKeys));
  for (const auto& [key, count] : next) {
    EXPECT_EQ(count, put_[static_cast<size_t>(key.front() - '0')]) << key;
  }
  // What was shown as the end is the end.
  for (const auto& [shard, end] : ends_) {
    EXPECT_EQ(streams_->BoundsOf({orders_, shard})->end.value, end) << shard;
  }
}

INSTANTIATE_TEST_SUITE_P(Logs, StressTest, testing::Bool(),
                         [](const auto& over) { return over.param ? "Journal" : "LateLog"; });

}  // namespace
}  // namespace weft::stream
