// SPDX-License-Identifier: Apache-2.0
// When a table is delivered. One thread looks at all tables, often and cheaply: at the log's
// bounds, at what the tail has converted, and at the arrival of the first record that waits, which
// it reads once. What is due goes to the pool; a table that failed waits out its backoff. A second
// thread goes round for upkeep.
#include <algorithm>
#include <map>

#include "base/logging.h"
#include "deliver/delivery_internal.h"

namespace weft::deliver {
namespace {
constexpr milliseconds kLook{50};
}  // namespace

void Delivery::State::Wake() {
  // Taking the lock keeps a wake from falling between a waiter's look and its wait.
  { std::lock_guard lock(mutex); }
  wake.notify_all();
}

void Delivery::State::Schedule() {
  while (!stopping) {
    Look(pressure.exchange(false));
    std::unique_lock lock(mutex);
    wake.wait_for(lock, kLook, [this] { return stopping || pressure; });
  }
}

void Delivery::State::Look(bool pressed) {
  const std::vector<tail::Feed> feeds = on.feeds.All();
  // Under pressure those tables go that hold most of the memory.
  int64_t most = 0;
  for (const tail::Feed& feed : feeds) most = std::max(most, on.tail.WaitingBytes(feed.table_id));
  std::map<ProductName, int64_t> lags;
  for (const tail::Feed& feed : feeds) {
    if (stopping) return;
    const auto table = on.catalog.FindById(feed.table_id);
    if (!table.ok()) continue;
    Job& job = jobs.Of(feed.table_id);
    int64_t& lag = lags[feed.product];
    lag = std::max(lag, LagOf(feed, table->positions));
    Follow(feed, job, *table);
    {
      std::lock_guard lock(job.mutex);
      if (job.busy || on.clock.Elapsed() < job.not_before) continue;
    }
    const bool heavy = pressed && 4 * on.tail.WaitingBytes(feed.table_id) >= most;
    if (!Due(feed, job, *table, heavy)) continue;
    {
      std::lock_guard lock(job.mutex);
      job.busy = true;
    }
    if (!pool->Submit([this, feed] { Work(feed); })) {
      std::lock_guard lock(job.mutex);
      job.busy = false;
    }
  }
  // Of a product that is no more nothing waits.
  std::set<ProductName> fed;
  for (const tail::Feed& feed : feeds) fed.insert(feed.product);
  for (const ProductName& product : lag_told) {
    if (!fed.contains(product)) lags[product] = 0;
  }
  lag_told = std::move(fed);
  for (const auto& [product, lag] : lags) {
    on.metrics
        .AddGauge("weft_delivery_lag_records", "Durable records that are not yet in a table",
                  {{"product", product.text()}})
        .Set(static_cast<double>(lag));
  }
}

void Delivery::State::Follow(const tail::Feed& feed, Job& job, const catalog::TableState& table) {
  if (job.followed == table.table.metadata_location && on.tail.Follows(feed.table_id)) return;
  auto version = on.tables.Load(table.table.metadata_location);
  if (!version.ok()) return;
  const std::shared_ptr<const iceberg::Schema> schema{version->metadata,
                                                      &version->metadata->schema()};
  if (on.tail.Follow(feed, schema, table.positions).ok())
    job.followed = table.table.metadata_location;
}

bool Delivery::State::Due(const tail::Feed& feed, Job& job, const catalog::TableState& table,
                          bool pressed) {
  if (LagOf(feed, table.positions) == 0) {
    job.waiting_since.reset();
    return false;
  }
  const DeliverySettings wanted = SettingsOf(feed.product);
  return pressed || wanted.buffer_interval.count() == 0 ||
         on.tail.WaitingBytes(feed.table_id) >= wanted.buffer_bytes ||
         WaitedLong(feed, job, table, wanted.buffer_interval);
}

bool Delivery::State::WaitedLong(const tail::Feed& feed, Job& job, const catalog::TableState& table,
                                 milliseconds interval) {
  if (!job.waiting_since.has_value() || job.waited_at != table.positions) {
    job.waiting_since.reset();
    job.waited_at = table.positions;
    const auto shards = on.streams.BoundsOf(feed.stream);
    if (!shards.ok()) return true;  // the delivery reports what is wrong
    for (const auto& [shard, bounds] : *shards) {
      auto position = table.positions.find(shard);
      const log::Offset from{position == table.positions.end() ? 0 : position->second};
      if (from >= bounds.end) continue;
      const auto batches = on.streams.Read({feed.stream, shard}, from, {.bytes_max = 1});
      if (!batches.ok()) return true;
      if (batches->empty()) return true;  // all of it was lost, and somebody accepted that
      const Timestamp arrival = batches->front().arrival;
      job.waiting_since = std::min(job.waiting_since.value_or(arrival), arrival);
    }
  }
  return job.waiting_since.has_value() && on.clock.Now() - *job.waiting_since >= interval;
}

void Delivery::State::KeepAll() {
  while (true) {
    {
      std::unique_lock lock(mutex);
      if (wake.wait_for(lock, upkeep.interval, [this] { return stopping.load(); })) return;
    }
    for (const catalog::Table& table : on.catalog.Tables()) {
      if (stopping) return;
      // Kept and reported by Keep; the next round tries again.
      static_cast<void>(Keep(table.id, false));
    }
    std::set<ProductName> products;
    for (const tail::Feed& feed : on.feeds.All()) products.insert(feed.product);
    for (const ProductName& product : products) {
      if (stopping) return;
      const Status trimmed = Trim(product);
      if (!trimmed.ok() && trimmed.error().code() != Code::kNotFound) {
        Log(LogLevel::kWarning, "deliver", "cannot free delivered records",
            {{"product", product.text()}, {"error", trimmed.error().message()}});
      }
    }
  }
}

}  // namespace weft::deliver
