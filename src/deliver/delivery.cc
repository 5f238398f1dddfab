// SPDX-License-Identifier: Apache-2.0
#include "deliver/delivery.h"

#include <algorithm>
#include <optional>

#include "base/logging.h"
#include "deliver/delivery_internal.h"

namespace weft::deliver {
namespace {

constexpr int kDeliveryThreads = 2;
constexpr int kQueueMax = 64;
constexpr microseconds kBackoffMin{500'000};
constexpr microseconds kBackoffMax{60'000'000};

// Doubles with each failure, and is spread so that tables that failed together do not come back
// together.
microseconds Backoff(int failures, Random& random) {
  const auto grown = kBackoffMin * (int64_t{1} << std::min(failures - 1, 10));
  const int64_t most = std::min(grown, kBackoffMax).count();
  return microseconds(most / 2 +
                      static_cast<int64_t>(random.Next() % static_cast<uint64_t>(most / 2)));
}

}  // namespace

Delivery::State::State(const UpkeepSettings& u, const Dependencies& dependencies)
    : upkeep(u),
      on(dependencies),
      settings(dependencies.database),
      records_total(
          on.metrics.AddCounter("weft_delivery_records_total", "Records delivered to tables")),
      bytes_total(on.metrics.AddCounter("weft_delivery_bytes_total",
                                        "Bytes of records delivered to tables")),
      errors_total(on.metrics.AddCounter("weft_delivery_errors_total", "Deliveries that failed")),
      upkeep_errors_total(
          on.metrics.AddCounter("weft_upkeep_errors_total", "Rounds of table upkeep that failed")),
      commit_seconds(on.metrics.AddHistogram(
          "weft_delivery_commit_seconds", "From reading the records to the commit",
          {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30})),
      upkeep_counters{.merged_files = on.metrics.AddCounter(
                          "weft_upkeep_merged_files_total",
                          "Small data files that were merged into larger ones"),
                      .expired_objects =
                          on.metrics.AddCounter("weft_upkeep_expired_objects_total",
                                                "Objects of expired snapshots that were deleted"),
                      .orphans = on.metrics.AddCounter(
                          "weft_upkeep_orphans_total",
                          "Objects that crashes left behind and that were deleted")} {}

DeliverySettings Delivery::State::SettingsOf(const ProductName& product) {
  auto found = settings.Find(product);
  return found.ok() ? *found : DeliverySettings{.product = product};
}

int64_t Delivery::State::LagOf(const tail::Feed& feed, const catalog::Positions& positions) {
  const auto shards = on.streams.BoundsOf(feed.stream);
  if (!shards.ok()) return 0;
  int64_t lag = 0;
  for (const auto& [shard, bounds] : *shards) {
    auto position = positions.find(shard);
    lag += std::max<int64_t>(
        0, bounds.end.value - (position == positions.end() ? 0 : position->second));
  }
  return lag;
}

Result<Epoch> Delivery::State::Deliver(const tail::Feed& feed) {
  Job& job = jobs.Of(feed.table_id);
  std::lock_guard table(job.table);
  const microseconds began = on.clock.Elapsed();
  auto epoch = DeliverEpoch(on, feed, SettingsOf(feed.product).buffer_bytes);
  const microseconds ended = on.clock.Elapsed();
  {
    std::lock_guard lock(job.mutex);
    if (epoch.ok()) {
      job.failures = 0;
      job.last_error.clear();
      if (epoch->rows > 0) job.last_commit = on.clock.Now();
    } else {
      ++job.failures;
      job.last_error = epoch.error().message();
      job.not_before = ended + Backoff(job.failures, on.random);
    }
  }
  if (!epoch.ok()) {
    errors_total.Add(1);
    Log(LogLevel::kError, "deliver", "delivery failed and will be tried again",
        {{"product", feed.product.text()},
         {"table_id", std::to_string(feed.table_id)},
         {"error", epoch.error().message()}});
    return epoch;
  }
  if (epoch->rows > 0) {
    records_total.Add(static_cast<double>(epoch->rows));
    bytes_total.Add(static_cast<double>(epoch->bytes));
    commit_seconds.Observe(std::chrono::duration<double>(ended - began).count());
  }
  return epoch;
}

void Delivery::State::Work(const tail::Feed& feed) {
  // Its failure is kept in the job, which comes back when its wait is over.
  if (!stopping) static_cast<void>(Deliver(feed));
  Job& job = jobs.Of(feed.table_id);
  {
    std::lock_guard lock(job.mutex);
    job.busy = false;
  }
  Wake();
}

Status Delivery::State::Keep(int64_t table_id, bool orphans_now) {
  Job& job = jobs.Of(table_id);
  std::lock_guard table(job.table);
  const Status kept = KeepTable(upkeep, on, upkeep_counters, table_id, orphans_now, job.upkeep);
  if (!kept.ok()) {
    upkeep_errors_total.Add(1);
    Log(LogLevel::kWarning, "deliver", "upkeep of a table failed and will be tried again",
        {{"table_id", std::to_string(table_id)}, {"error", kept.error().message()}});
  }
  return kept;
}

Status Delivery::State::Trim(const ProductName& product) {
  const std::vector<tail::Feed> feeds = on.feeds.OfProduct(product);
  if (feeds.empty()) return {};
  const auto product_settings = TRY(settings.Find(product));
  std::vector<catalog::Positions> reached;
  for (const tail::Feed& feed : feeds) {
    // A table that cannot be found may come back and want its records.
    reached.push_back(TRY(on.catalog.FindById(feed.table_id)).positions);
  }
  const stream::StreamName& stream = feeds.front().stream;
  const auto shards = TRY(on.streams.BoundsOf(stream));
  int64_t kept_bytes = 0;
  for (const auto& [number, bounds] : shards) kept_bytes += bounds.bytes;
  const int64_t bytes_max = product_settings.retention_bytes;
  for (const auto& [number, bounds] : shards) {
    int64_t before = bounds.end.value;
    for (const catalog::Positions& positions : reached) {
      auto position = positions.find(number);
      before = std::min<int64_t>(before, position == positions.end() ? 0 : position->second);
    }
    if (before <= bounds.begin.value) continue;
    std::optional<int64_t> shard_bytes_max;
    if (bytes_max > 0 && kept_bytes > bytes_max) {
      // Each shard gives up the same part of what it holds.
      const double part = static_cast<double>(bytes_max) / static_cast<double>(kept_bytes);
      shard_bytes_max = static_cast<int64_t>(static_cast<double>(bounds.bytes) * part);
    }
    const Status trimmed = TrimShard({stream, number}, product_settings.retention, shard_bytes_max,
                                     log::Offset{before});
    // Forgotten meanwhile: it held nothing any more.
    if (!trimmed.ok() && trimmed.error().code() != Code::kNotFound) return trimmed;
  }
  return {};
}

// Frees what is older than the retention or more than `bytes_max`, but nothing from `delivered` on.
Status Delivery::State::TrimShard(const stream::ShardId& shard, milliseconds retention,
                                  std::optional<int64_t> bytes_max, log::Offset delivered) {
  log::Offset before = TRY(on.streams.OffsetAt(shard, on.clock.Now() - retention));
  if (bytes_max) before = std::max(before, TRY(on.streams.OffsetWithin(shard, *bytes_max)));
  return on.streams.Trim(shard, std::min(delivered, before));
}

Delivery::Delivery(const UpkeepSettings& upkeep, const Dependencies& dependencies)
    : state_(std::make_unique<State>(upkeep, dependencies)) {}

Delivery::~Delivery() { Stop(); }

const std::vector<std::string>& Delivery::Migrations() { return SettingsTable::Migrations(); }

Status Delivery::Put(meta::Transaction& tx, const DeliverySettings& settings) {
  return state_->settings.Put(tx, settings);
}
Status Delivery::Delete(meta::Transaction& tx, const ProductName& product) {
  return state_->settings.Delete(tx, product);
}
Result<DeliverySettings> Delivery::Find(const ProductName& product) const {
  return state_->settings.Find(product);
}

void Delivery::Start() {
  State& state = *state_;
  std::lock_guard lock(state.mutex);
  if (state.started || state.stopping) return;
  state.started = true;
  state.pool = std::make_unique<Pool>(
      Pool::Options{.name = "delivery", .threads = kDeliveryThreads, .queue_max = kQueueMax});
  state.on.tail.OnPressure([s = &state] {
    s->pressure = true;
    s->Wake();
  });
  state.scheduler = std::thread([s = &state] { s->Schedule(); });
  state.keeper = std::thread([s = &state] { s->KeepAll(); });
}

void Delivery::Stop() {
  State& state = *state_;
  std::thread scheduler, keeper;
  {
    std::lock_guard lock(state.mutex);
    state.stopping = true;
    scheduler.swap(state.scheduler);
    keeper.swap(state.keeper);
    if (state.started) state.on.tail.OnPressure(nullptr);
  }
  state.wake.notify_all();
  if (scheduler.joinable()) scheduler.join();
  if (keeper.joinable()) keeper.join();
  if (state.pool != nullptr) state.pool->Stop();
}

Status Delivery::DeliverNow(const ProductName& product) {
  const std::vector<tail::Feed> feeds = state_->on.feeds.OfProduct(product);
  for (const tail::Feed& feed : feeds) {
    catalog::Positions ends;
    for (const auto& [shard, bounds] : TRY(state_->on.streams.BoundsOf(feed.stream))) {
      ends[shard] = bounds.end.value;
    }
    const auto reached = [&ends](const catalog::Positions& positions) {
      return std::all_of(ends.begin(), ends.end(), [&](const auto& end) {
        auto position = positions.find(end.first);
        return end.second <= (position == positions.end() ? 0 : position->second);
      });
    };
    while (!reached(TRY(state_->on.catalog.FindById(feed.table_id)).positions)) {
      if (!TRY(state_->Deliver(feed)).moved) break;
    }
  }
  return feeds.empty() || !state_->settings.Find(product).ok() ? Status() : state_->Trim(product);
}

Status Delivery::KeepNow(int64_t table_id) { return state_->Keep(table_id, true); }

Status Delivery::Exclusively(int64_t table_id, const std::function<Status()>& work) {
  std::lock_guard table(state_->jobs.Of(table_id).table);
  return work();
}

std::vector<DeliveryStatus> Delivery::StatusOf(const ProductName& product) const {
  std::vector<DeliveryStatus> all;
  for (const tail::Feed& feed : state_->on.feeds.OfProduct(product)) {
    DeliveryStatus status;
    status.table_id = feed.table_id;
    const auto table = state_->on.catalog.FindById(feed.table_id);
    if (table.ok()) status.lag_records = state_->LagOf(feed, table->positions);
    Job& job = state_->jobs.Of(feed.table_id);
    std::lock_guard lock(job.mutex);
    status.last_commit = job.last_commit;
    status.last_error = job.last_error;
    all.push_back(std::move(status));
  }
  return all;
}

}  // namespace weft::deliver
