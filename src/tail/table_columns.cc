// SPDX-License-Identifier: Apache-2.0
#include "tail/table_columns.h"

#include <algorithm>

#include "tail/copy_rows.h"

namespace weft::tail {
namespace {

// Records that may wait until a query asks for them: turning each into columns as it comes would
// cost more.
constexpr int64_t kLazyRecords = 200;
// What is turned into columns ahead of need under one hold of the lock: a query may wait for it.
constexpr int64_t kAheadBytes = int64_t{1} << 20;

int64_t PositionOf(const catalog::Positions& positions, int shard) {
  auto found = positions.find(shard);
  return found == positions.end() ? 0 : found->second;
}

}  // namespace

TableColumns::TableColumns(const Feed& feed, const Tail::Options& options,
                           const Dependencies& dependencies)
    : feed_(feed), options_(options), dependencies_(dependencies) {}

TableColumns::~TableColumns() { dependencies_.bytes -= bytes_; }

Result<TailRows> TableColumns::Rows(std::shared_ptr<const iceberg::Schema> schema,
                                    const catalog::Positions& from, int64_t bytes_max) {
  const auto shards = TRY(dependencies_.streams.Shards(feed_.stream));
  std::vector<log::Bounds> bounds;
  for (const stream::ShardId& shard : shards) {
    bounds.push_back(TRY(dependencies_.streams.BoundsOf(shard)));
  }
  std::lock_guard lock(mutex_);
  if (forgotten_) return Fail(Code::kConflict, "the table's columns were forgotten");
  TRY(Adopt(schema));
  TailRows rows;
  for (size_t i = 0; i < shards.size(); ++i) {
    const int64_t position = PositionOf(from, shards[i].number);
    if (position > bounds[i].end.value) {
      return Fail(
          Code::kCorrupt,
          fmt::format(
              "records of stream {} shard {} are lost: the log ends at {}, the table is at {}",
              feed_.stream.text(), shards[i].number, bounds[i].end.value, position));
    }
    ShardColumns* columns = TRY(Shard(shards[i], position));
    if (bytes_max > 0 && rows.bytes >= bytes_max) {
      rows.end[shards[i].number] = position;
      continue;
    }
    const int64_t left = bytes_max == 0 ? 0 : bytes_max - rows.bytes;
    const Status converted = ConvertTo(shards[i], *columns, position, bounds[i].end.value, left);
    Account();
    TRY(converted);
    rows.end[shards[i].number] =
        columns->Collect(position, left, rows.slices, rows.rows, rows.bytes);
  }
  return rows;
}

Status TableColumns::Follow(std::shared_ptr<const iceberg::Schema> schema,
                            const catalog::Positions& from) {
  const auto shards = TRY(dependencies_.streams.Shards(feed_.stream));
  std::lock_guard lock(mutex_);
  if (forgotten_) return {};
  TRY(Adopt(schema));
  for (const stream::ShardId& shard : shards) TRY(Shard(shard, PositionOf(from, shard.number)));
  Account();
  return {};
}

void TableColumns::Release(const catalog::Positions& positions) {
  std::lock_guard lock(mutex_);
  for (const auto& [number, position] : positions) {
    auto shard = shards_.find(number);
    if (shard != shards_.end()) shard->second.Release(position);
  }
  Account();
}

Result<bool> TableColumns::Ahead(bool lazily) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || forgotten_ || behind_ || converter_ == nullptr) return false;
  for (auto& [number, columns] : shards_) {
    const stream::ShardId shard{feed_.stream, number};
    const log::Bounds bounds = TRY(dependencies_.streams.BoundsOf(shard));
    const int64_t waiting = bounds.end.value - columns.end();
    if (waiting <= 0 || (lazily && waiting < kLazyRecords)) continue;
    const Status stepped = Step(shard, columns, kAheadBytes);
    Account();
    if (!stepped.ok() && stepped.error().code() == Code::kConflict) behind_ = true;
    TRY(stepped);
    return true;
  }
  return false;
}

void TableColumns::Forget() {
  std::lock_guard lock(mutex_);
  forgotten_ = true;
  shards_.clear();
  converter_.reset();
  Account();
}

// Schemas of one table only grow, so the one that covers the other is the later one.
Status TableColumns::Adopt(const std::shared_ptr<const iceberg::Schema>& schema) {
  if (converter_ != nullptr) {
    const iceberg::Schema& mine = *converter_->schema();
    if (mine.schema_id == schema->schema_id) {
      behind_ = false;
      return {};
    }
    if (!Covers(*schema, mine)) {
      return Fail(Code::kConflict, fmt::format("table {} has a newer schema than {}",
                                               feed_.table_id, schema->schema_id));
    }
  }
  auto next =
      std::make_unique<Converter>(feed_, schema, dependencies_.contracts, dependencies_.refused);
  for (auto& [number, columns] : shards_) TRY(columns.Rebuild(*schema, next->builder()));
  converter_ = std::move(next);
  behind_ = false;
  return {};
}

Result<ShardColumns*> TableColumns::Shard(const stream::ShardId& shard, int64_t from) {
  auto found = shards_.find(shard.number);
  if (found == shards_.end()) {
    return &shards_.emplace(shard.number, ShardColumns(from)).first->second;
  }
  if (from < found->second.begin()) {
    return Fail(Code::kConflict, fmt::format("table {} has moved on from {} to {}", feed_.table_id,
                                             from, found->second.begin()));
  }
  if (from > found->second.end()) found->second.Release(from);
  return &found->second;
}

Status TableColumns::ConvertTo(const stream::ShardId& shard, ShardColumns& columns, int64_t from,
                               int64_t end, int64_t bytes_max) {
  std::vector<engine::ColumnSlice> ignored;
  int64_t rows = 0, have = 0;
  if (bytes_max > 0) columns.Collect(from, 0, ignored, rows, have);
  while (columns.end() < end && (bytes_max == 0 || have < bytes_max)) {
    // Delivery (the caller with a limit) goes on, else nothing would ever become less.
    if (bytes_max == 0 && dependencies_.bytes >= options_.bytes_refuse) {
      return Fail(Code::kUnavailable,
                  "too many records wait for delivery: the limit of memory for them is reached");
    }
    const int64_t before = columns.record_bytes();
    TRY(Step(shard, columns, 4 * options_.chunk_bytes));
    have += columns.record_bytes() - before;
    Account();
  }
  return {};
}

Status TableColumns::Step(const stream::ShardId& shard, ShardColumns& columns,
                          int64_t read_bytes_max) {
  iceberg::ColumnBuilder& builder = converter_->builder();
  ShardColumns::Entry entry{
      .begin = columns.end(), .end = columns.end(), .chunk = nullptr, .offsets = {}};
  const Status read = Read(shard, entry, read_bytes_max);
  if (entry.end == entry.begin) return read;
  if (builder.rows() > 0) {
    auto sealed = builder.Seal();
    if (!sealed.ok()) {
      Restart();
      return Fail(sealed.error());
    }
    entry.chunk = *std::move(sealed);
  }
  columns.Push(std::move(entry));
  const size_t count = columns.MergeCount(options_.chunk_bytes);
  if (count >= 2 && !columns.MergeLast(count, *converter_->schema(), builder).ok()) Restart();
  return read;
}

// After a failed Seal nothing is known of what the builder holds.
void TableColumns::Restart() {
  converter_ = std::make_unique<Converter>(feed_, converter_->schema(), dependencies_.contracts,
                                           dependencies_.refused);
}

// Reads from entry.end on into the builder until a chunk is full, `read_bytes_max` are read or the
// log ends. What it got before a failure counts.
Status TableColumns::Read(const stream::ShardId& shard, ShardColumns::Entry& entry,
                          int64_t read_bytes_max) {
  const iceberg::ColumnBuilder& builder = converter_->builder();
  int64_t read_bytes = 0;
  while (builder.bytes() < options_.chunk_bytes && read_bytes < read_bytes_max) {
    auto batches = dependencies_.streams.Read(
        shard, log::Offset{entry.end},
        {.bytes_max = std::min(read_bytes_max, log::ReadLimits{}.bytes_max)});
    if (!batches.ok() && batches.error().code() == Code::kNotFound) {
      return Fail(
          Code::kCorrupt,
          fmt::format(
              "records of stream {} shard {} from {} on are gone before they were in table {}: {}",
              shard.stream.text(), shard.number, entry.end, feed_.table_id,
              batches.error().message()));
    }
    if (!batches.ok()) return Fail(batches.error());
    if (batches->empty()) return {};
    for (const log::StoredBatch& batch : *batches) {
      for (size_t i = 0; i < batch.records.size(); ++i) {
        const int64_t offset = batch.first.value + static_cast<int64_t>(i);
        if (offset < entry.end) continue;  // the batch began before
        if (builder.bytes() >= options_.chunk_bytes) return {};
        const log::Record& record = batch.records[i];
        if (TRY(converter_->Convert(shard.number, {offset}, batch.arrival, record))) {
          entry.offsets.push_back(offset);
          entry.record_bytes += static_cast<int64_t>(record.value.size());
        }
        read_bytes += static_cast<int64_t>(record.key.size() + record.value.size());
        entry.end = offset + 1;
      }
    }
  }
  return {};
}

void TableColumns::Account() {
  int64_t bytes = 0, waiting = 0;
  for (const auto& [number, columns] : shards_) {
    bytes += columns.bytes();
    waiting += columns.record_bytes();
  }
  dependencies_.bytes += bytes - bytes_;
  bytes_ = bytes;
  waiting_bytes_ = waiting;
}

}  // namespace weft::tail
