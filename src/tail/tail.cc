// SPDX-License-Identifier: Apache-2.0
#include "tail/tail.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/logging.h"
#include "tail/table_columns.h"

namespace weft::tail {
namespace {

constexpr milliseconds kPoll{50};
constexpr int kEagerEvery = 4;  // polls: then also a single record is converted

}  // namespace

struct Tail::State {
  State(const Options& o, stream::Streams& s, const contract::Contracts& c, Metrics& metrics)
      : options(o),
        streams(s),
        contracts(c),
        refused(metrics.AddCounter("weft_tail_records_refused_total",
                                   "Stored records that their own contract version does not pass")),
        bytes_gauge(
            metrics.AddGauge("weft_tail_bytes", "Columns of undelivered records in memory")) {}

  std::shared_ptr<TableColumns> Columns(const Feed& feed) {
    std::lock_guard lock(mutex);
    std::shared_ptr<TableColumns>& columns = tables[feed.table_id];
    if (columns == nullptr) {
      columns = std::make_shared<TableColumns>(
          feed, options,
          TableColumns::Dependencies{
              .streams = streams, .contracts = contracts, .refused = refused, .bytes = bytes});
    }
    if (!thread.joinable() && !stopping) thread = std::thread([this] { Run(); });
    return columns;
  }
  std::shared_ptr<TableColumns> Known(int64_t table_id) const {
    std::lock_guard lock(mutex);
    auto found = tables.find(table_id);
    return found == tables.end() ? nullptr : found->second;
  }

  void Run();
  bool Pass(bool lazily);
  void SignalPressure() {
    std::function<void()> call;
    {
      std::lock_guard lock(mutex);
      call = on_pressure;
    }
    if (bytes > options.bytes_max && call) call();
  }

  const Options options;
  stream::Streams& streams;
  const contract::Contracts& contracts;
  Counter& refused;
  Gauge& bytes_gauge;
  std::atomic<int64_t> bytes = 0;

  mutable std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  std::function<void()> on_pressure;
  std::map<int64_t, std::shared_ptr<TableColumns>> tables;
  std::thread thread;
};

void Tail::State::Run() {
  for (int poll = 0;; ++poll) {
    {
      std::unique_lock lock(mutex);
      if (wake.wait_for(lock, kPoll, [&] { return stopping; })) return;
    }
    while (Pass(poll % kEagerEvery != 0)) {
      std::lock_guard lock(mutex);
      if (stopping) return;
    }
    bytes_gauge.Set(static_cast<double>(bytes));
    SignalPressure();
  }
}

// One step of each table that has something; returns whether any had.
bool Tail::State::Pass(bool lazily) {
  std::vector<std::shared_ptr<TableColumns>> all;
  {
    std::lock_guard lock(mutex);
    for (const auto& [id, columns] : tables) all.push_back(columns);
  }
  bool any = false;
  for (const auto& columns : all) {
    if (bytes >= options.bytes_max) return false;
    // What fails here fails again for whoever asks for the rows, and is reported there.
    auto moved = columns->Ahead(lazily);
    any = any || (moved.ok() && *moved);
  }
  return any;
}

Tail::Tail(const Options& options, stream::Streams& streams, const contract::Contracts& contracts,
           Metrics& metrics)
    : state_(std::make_unique<State>(options, streams, contracts, metrics)) {}

Tail::~Tail() { Stop(); }

void Tail::Stop() {
  std::thread thread;
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    thread.swap(state_->thread);
  }
  state_->wake.notify_all();
  if (thread.joinable()) thread.join();
}

void Tail::OnPressure(std::function<void()> callback) {
  std::lock_guard lock(state_->mutex);
  state_->on_pressure = std::move(callback);
}

Result<TailRows> Tail::Rows(const Feed& feed, std::shared_ptr<const iceberg::Schema> schema,
                            const catalog::Positions& from, int64_t bytes_max) {
  auto rows = state_->Columns(feed)->Rows(std::move(schema), from, bytes_max);
  state_->SignalPressure();
  return rows;
}

Status Tail::Follow(const Feed& feed, std::shared_ptr<const iceberg::Schema> schema,
                    const catalog::Positions& from) {
  return state_->Columns(feed)->Follow(std::move(schema), from);
}

bool Tail::Follows(int64_t table_id) const { return state_->Known(table_id) != nullptr; }

int64_t Tail::WaitingBytes(int64_t table_id) const {
  const auto columns = state_->Known(table_id);
  return columns == nullptr ? 0 : columns->waiting_bytes();
}

void Tail::Release(int64_t table_id, const catalog::Positions& positions) {
  const auto columns = state_->Known(table_id);
  if (columns != nullptr) columns->Release(positions);
}

void Tail::Forget(int64_t table_id) {
  std::shared_ptr<TableColumns> columns;
  {
    std::lock_guard lock(state_->mutex);
    auto found = state_->tables.find(table_id);
    if (found == state_->tables.end()) return;
    columns = std::move(found->second);
    state_->tables.erase(found);
  }
  columns->Forget();
}

int64_t Tail::bytes() const { return state_->bytes; }

}  // namespace weft::tail
