// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/pool.h"
#include "deliver/delivery.h"
#include "deliver/epoch.h"
#include "deliver/jobs.h"
#include "deliver/settings.h"
#include "deliver/upkeep.h"

namespace weft::deliver {

struct Delivery::State {
  State(const UpkeepSettings& upkeep, const Dependencies& dependencies);

  DeliverySettings SettingsOf(const ProductName& product);
  int64_t LagOf(const tail::Feed& feed, const catalog::Positions& positions);

  // One epoch under the table's lock, with what it means for status and metrics.
  Result<Epoch> Deliver(const tail::Feed& feed);
  void Work(const tail::Feed& feed);
  Status Keep(int64_t table_id, bool orphans_now);
  // Lets the log forget what every table of the product has and its retention no longer wants.
  Status Trim(const ProductName& product);
  Status TrimShard(const stream::ShardId& shard, milliseconds retention,
                   std::optional<int64_t> bytes_max, log::Offset delivered);

  // schedule.cc
  void Schedule();
  void Look(bool pressed);
  bool Due(const tail::Feed& feed, Job& job, const catalog::TableState& table, bool pressed);
  bool WaitedLong(const tail::Feed& feed, Job& job, const catalog::TableState& table,
                  milliseconds interval);
  void Follow(const tail::Feed& feed, Job& job, const catalog::TableState& table);
  void KeepAll();
  void Wake();

  const UpkeepSettings upkeep;
  const Dependencies on;
  SettingsTable settings;
  Jobs jobs;
  Counter& records_total;
  Counter& bytes_total;
  Counter& errors_total;
  Counter& upkeep_errors_total;
  Histogram& commit_seconds;
  UpkeepCounters upkeep_counters;

  std::set<ProductName> lag_told;  // of those that had feeds at the last look; the scheduler's own

  std::atomic<bool> stopping = false;
  std::atomic<bool> pressure = false;
  std::mutex mutex;  // of what follows
  std::condition_variable wake;
  bool started = false;
  std::thread scheduler;
  std::thread keeper;
  std::unique_ptr<Pool> pool;
};

}  // namespace weft::deliver
