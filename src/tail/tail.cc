// SPDX-License-Identifier: Apache-2.0
#include "tail/tail.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/logging.h"
#include "base/thread.h"
#include "tail/table_columns.h"

namespace weft::tail {
namespace {

constexpr milliseconds kPoll{50};
constexpr int kEagerEvery = 4;  // polls: then also a single record is converted
// Drafts are taken before the next poll when so much of them waits: a query would take them first.
constexpr int64_t kReadyBytes = int64_t{1} << 20;

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
      by_stream[feed.stream].push_back(columns);
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
  bool Pass(bool lazily, bool due);
  void SignalPressure() {
    if (!refused_drafts.exchange(false) && *bytes <= options.bytes_max) return;
    std::function<void()> call;
    {
      std::lock_guard lock(mutex);
      call = on_pressure;
    }
    if (call) call();
  }

  const Options options;
  stream::Streams& streams;
  const contract::Contracts& contracts;
  Counter& refused;
  Gauge& bytes_gauge;
  const std::shared_ptr<std::atomic<int64_t>> bytes = std::make_shared<std::atomic<int64_t>>(0);
  std::atomic<bool> refused_drafts = false;  // for want of memory

  mutable std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  bool hurry = false;
  std::function<void()> on_pressure;
  std::map<int64_t, std::shared_ptr<TableColumns>> tables;
  std::map<stream::StreamName, std::vector<std::shared_ptr<TableColumns>>> by_stream;
  std::thread thread;
};

void Tail::State::Run() {
  NameThread("tail");
  auto polled = std::chrono::steady_clock::now();
  for (int poll = 0;;) {
    {
      std::unique_lock lock(mutex);
      wake.wait_for(lock, kPoll, [&] { return stopping || hurry; });
      if (stopping) return;
      hurry = false;
    }
    // Also where there is never a pause.
    const auto now = std::chrono::steady_clock::now();
    bool due = now - polled >= kPoll;
    if (due) {
      polled = now;
      ++poll;
    }
    while (Pass(poll % kEagerEvery != 0, std::exchange(due, false))) {
      std::lock_guard lock(mutex);
      if (stopping) return;
    }
    bytes_gauge.Set(static_cast<double>(*bytes));
    SignalPressure();
  }
}

// One step of each table that has something; returns whether any had.
bool Tail::State::Pass(bool lazily, bool due) {
  std::vector<std::shared_ptr<TableColumns>> all;
  {
    std::lock_guard lock(mutex);
    for (const auto& [id, columns] : tables) all.push_back(columns);
  }
  bool any = false;
  for (const auto& columns : all) {
    const bool room = *bytes < options.bytes_max;
    // What fails here fails again for whoever asks for the rows, and is reported there.
    auto moved = columns->Ahead({.convert = room, .lazily = lazily, .due = due});
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

std::unique_ptr<Draft> Tail::Begin(const stream::StreamName& stream, std::string_view object,
                                   int64_t record_bytes) {
  std::shared_ptr<TableColumns> columns;
  {
    std::lock_guard lock(state_->mutex);
    auto fed = state_->by_stream.find(stream);
    if (fed == state_->by_stream.end()) return nullptr;
    for (const auto& one : fed->second) {
      if (one->feed().object == object) columns = one;
    }
  }
  if (columns == nullptr) return nullptr;
  if (*state_->bytes + record_bytes > state_->options.bytes_max) {
    state_->refused_drafts = true;
    return nullptr;
  }
  return columns->Begin(record_bytes);
}

void Tail::Offer(std::unique_ptr<Draft> draft, int shard, const log::Appended& appended,
                 int64_t record_bytes) {
  const auto columns = state_->Known(draft->table_id());
  if (columns == nullptr) return;
  draft->Place(shard, appended.first.value, appended.arrival.time_since_epoch().count(),
               record_bytes);
  if (columns->Offer(std::move(draft)) < kReadyBytes) return;
  std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->hurry, true)) return;
  state_->wake.notify_one();
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
    auto fed = state_->by_stream.find(columns->feed().stream);
    std::erase(fed->second, columns);
    if (fed->second.empty()) state_->by_stream.erase(fed);
  }
  columns->Forget();
}

int64_t Tail::bytes() const { return *state_->bytes; }

}  // namespace weft::tail
