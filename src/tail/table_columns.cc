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
// What is turned into columns on several threads between two looks at the memory it takes.
constexpr int64_t kLeapBytes = int64_t{64} << 20;
// Octets of records between two looks at how large their columns have become.
constexpr int64_t kLookBytes = 2048;
// Drafts that are kept for the next records, each with the memory it has grown to.
constexpr size_t kIdleDraftsMax = 64;
constexpr int64_t kIdleDraftBytesMax = int64_t{1} << 20;
// What is left in the converter's builder when its rows were taken.
constexpr int64_t kBuilderBytesKept = int64_t{256} << 10;

int64_t PositionOf(const catalog::Positions& positions, int shard) {
  auto found = positions.find(shard);
  return found == positions.end() ? 0 : found->second;
}

size_t PlaceOf(const iceberg::Schema& schema, std::string_view column) {
  size_t at = 0;
  while (at < schema.fields.size() && schema.fields[at].name != column) ++at;
  return at;
}

}  // namespace

TableColumns::TableColumns(const Feed& feed, const Tail::Options& options,
                           const Dependencies& dependencies)
    : feed_(feed), options_(options), dependencies_(dependencies) {}

TableColumns::~TableColumns() { *dependencies_.bytes -= bytes_; }

Result<TailRows> TableColumns::Rows(std::shared_ptr<const iceberg::Schema> schema,
                                    const catalog::Positions& from, int64_t bytes_max) {
  const auto shards = TRY(dependencies_.streams.BoundsOf(feed_.stream));
  std::lock_guard lock(mutex_);
  if (forgotten_) return Fail(Code::kConflict, "the table's columns were forgotten");
  TRY(Adopt(schema));
  TailRows rows;
  for (const auto& [number, bounds] : shards) {
    const stream::ShardId shard{feed_.stream, number};
    const int64_t position = PositionOf(from, number);
    if (position > bounds.end.value) {
      return Fail(
          Code::kCorrupt,
          fmt::format(
              "records of stream {} shard {} are lost: the log ends at {}, the table is at {}",
              feed_.stream.text(), number, bounds.end.value, position));
    }
    ShardColumns* columns = TRY(Shard(shard, position));
    if (bytes_max > 0 && rows.bytes >= bytes_max) {
      rows.end[number] = position;
      continue;
    }
    const int64_t left = bytes_max == 0 ? 0 : bytes_max - rows.bytes;
    const Status converted = ConvertTo(shard, *columns, position, bounds.end.value, left);
    Account();
    TRY(converted);
    rows.end[number] = columns->Collect(position, left, rows.slices, rows.rows, rows.bytes);
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

Result<bool> TableColumns::Ahead(Steps steps) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || forgotten_ || behind_ || converter_ == nullptr) return false;
  const auto shards = TRY(dependencies_.streams.BoundsOf(feed_.stream));
  // Those that are forgotten held nothing any more.
  auto forgotten = [&](const auto& known) {
    return std::none_of(shards.begin(), shards.end(),
                        [&](const auto& shard) { return shard.shard == known.first; });
  };
  std::erase_if(shards_, forgotten);
  std::erase_if(durable_, forgotten);
  for (const auto& [number, bounds] : shards) {
    if (steps.due) durable_[number] = {durable_[number].now, bounds.end.value};
  }
  for (const auto& [number, bounds] : shards) {
    // One that a split or merge made since; what is gone from it is in the table.
    auto known = shards_.find(number);
    if (known == shards_.end()) {
      known = shards_.emplace(number, ShardColumns(bounds.begin.value)).first;
    }
    ShardColumns& columns = known->second;
    const stream::ShardId shard{feed_.stream, number};
    const Draft* next = NextDraft(number, columns);
    const bool draft = next != nullptr && next->begin() == columns.end();
    const int64_t end = draft ? bounds.end.value : durable_[number].before;
    const int64_t waiting = end - columns.end();
    const bool few = steps.lazily && waiting < kLazyRecords;
    if (!draft && (waiting <= 0 || few || !steps.convert)) continue;
    const Status stepped = Step(shard, columns, end, kAheadBytes);
    Account();
    if (!stepped.ok() && stepped.error().code() == Code::kConflict) behind_ = true;
    TRY(stepped);
    return true;
  }
  if (steps.lazily) return false;
  for (auto& [number, columns] : shards_) columns.DropSpare();
  Account();
  std::lock_guard drafts(drafts_mutex_);
  if (begun_ == 0) idle_.clear();
  begun_ = 0;
  std::erase_if(ready_, [&](const auto& ready) {
    if (shards_.contains(ready.first)) return false;
    for (const auto& draft_of_it : ready.second) ready_bytes_ -= draft_of_it->bytes();
    return true;
  });
  return false;
}

void TableColumns::Forget() {
  std::lock_guard lock(mutex_);
  forgotten_ = true;
  shards_.clear();
  converter_.reset();
  Account();
  std::lock_guard drafts(drafts_mutex_);
  draft_schema_.reset();
  idle_.clear();
  ready_.clear();
  ready_bytes_ = 0;
}

std::unique_ptr<Draft> TableColumns::Begin(int64_t record_bytes) {
  std::unique_ptr<Draft> draft;
  {
    std::lock_guard lock(drafts_mutex_);
    if (draft_schema_ == nullptr) return nullptr;
    ++begun_;
    if (idle_.empty()) {
      draft = std::make_unique<Draft>(feed_.table_id, draft_schema_, dependencies_.bytes);
    } else {
      draft = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  draft->Begin(record_bytes);
  return draft;
}

int64_t TableColumns::Offer(std::unique_ptr<Draft> draft) {
  std::lock_guard lock(drafts_mutex_);
  if (draft->schema() != draft_schema_) return 0;
  ready_bytes_ += draft->bytes();
  ready_[draft->shard()].push_back(std::move(draft));
  return ready_bytes_;
}

// Drafts come as their records become durable, so in the order of the log. One that the log was
// read for meanwhile is of no use any more.
const Draft* TableColumns::NextDraft(int shard, const ShardColumns& columns) {
  std::lock_guard lock(drafts_mutex_);
  auto ready = ready_.find(shard);
  if (ready == ready_.end()) return nullptr;
  auto& drafts = ready->second;
  while (!drafts.empty() && drafts.front()->begin() < columns.end()) {
    ready_bytes_ -= drafts.front()->bytes();
    drafts.pop_front();
  }
  return drafts.empty() ? nullptr : drafts.front().get();
}

std::unique_ptr<Draft> TableColumns::TakeDraft(int shard) {
  std::lock_guard lock(drafts_mutex_);
  auto& drafts = ready_[shard];
  auto draft = std::move(drafts.front());
  drafts.pop_front();
  ready_bytes_ -= draft->bytes();
  return draft;
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
  for (auto& [number, columns] : shards_) {
    TRY(columns.Close());
    TRY(columns.Rebuild(*schema, next->builder()));
  }
  converter_ = std::move(next);
  behind_ = false;
  id_column_ = PlaceOf(*schema, contract::kIdColumn);
  arrival_column_ = PlaceOf(*schema, contract::kArrivalColumn);
  std::lock_guard lock(drafts_mutex_);
  // Without Weft's own columns it is a table that no checker is made for.
  const bool whole = std::max(id_column_, arrival_column_) < schema->fields.size();
  draft_schema_ = whole ? schema : nullptr;
  idle_.clear();
  ready_.clear();  // of the schema before: made anew from the log
  ready_bytes_ = 0;
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
  TRY(Close(columns));
  if (bytes_max > 0) columns.Collect(from, 0, ignored, rows, have);
  while (columns.end() < end && (bytes_max == 0 || have < bytes_max)) {
    // Delivery (the caller with a limit) goes on, else nothing would ever become less.
    if (bytes_max == 0 && *dependencies_.bytes >= options_.bytes_refuse) {
      return Fail(Code::kUnavailable,
                  "too many records wait for delivery: the limit of memory for them is reached");
    }
    const int64_t before = columns.record_bytes();
    const int64_t room = options_.bytes_refuse - *dependencies_.bytes;
    const int64_t left = std::min(kLeapBytes, bytes_max == 0 ? room : bytes_max - have);
    const bool leapt = TRY(Leap(shard, columns, end, left));
    if (!leapt) TRY(Step(shard, columns, end, 4 * options_.chunk_bytes));
    have += columns.record_bytes() - before;
    Account();
  }
  return Close(columns);
}

Status TableColumns::Step(const stream::ShardId& shard, ShardColumns& columns, int64_t end,
                          int64_t read_bytes_max) {
  const Draft* next = NextDraft(shard.number, columns);
  if (next != nullptr && next->begin() == columns.end()) {
    auto draft = TakeDraft(shard.number);
    columns.Append(*draft, id_column_, arrival_column_);
    std::lock_guard lock(drafts_mutex_);
    if (idle_.size() < kIdleDraftsMax && draft->bytes() <= kIdleDraftBytesMax) {
      idle_.push_back(std::move(draft));
    }
  } else {
    if (next != nullptr) end = std::min(end, next->begin());
    iceberg::ColumnBuilder& builder = converter_->builder();
    Read read{.end = columns.end(), .offsets = {}};
    const Status status = ReadLog(*converter_, shard, read, end, read_bytes_max);
    if (read.end > columns.end()) {
      columns.Append(converter_->schema(), builder.Views(), read.end, read.offsets,
                     read.record_bytes);
    }
    if (builder.bytes() > kBuilderBytesKept) {
      builder.Reset();
    } else {
      builder.Clear();
    }
    TRY(status);
  }
  return columns.open_bytes() < options_.chunk_bytes ? Status() : Close(columns);
}

// What is small is joined with its neighbours, as long as that costs little.
Status TableColumns::Close(ShardColumns& columns) {
  TRY(columns.Close());
  const size_t count = columns.MergeCount(options_.chunk_bytes);
  if (count < 2) return {};
  auto builder = iceberg::ColumnBuilder::Make(converter_->schema());
  // Where there is no memory for it, they stay as they are.
  (void)columns.MergeLast(count, *builder).ok();
  return {};
}

// Reads from read.end on into the builder until a chunk is full, `read_bytes_max` are read, or
// `end` is reached, before which all is durable. What it got before a failure counts.
Status TableColumns::ReadLog(Converter& converter, const stream::ShardId& shard, Read& read,
                             int64_t end, int64_t read_bytes_max) const {
  const iceberg::ColumnBuilder& builder = converter.builder();
  int64_t read_bytes = 0, looked_at = 0;
  while (read.end < end && builder.bytes() < options_.chunk_bytes && read_bytes < read_bytes_max) {
    auto batches = dependencies_.streams.Read(
        shard, log::Offset{read.end},
        {.bytes_max = std::min(read_bytes_max, log::ReadLimits{}.bytes_max)});
    if (!batches.ok() && batches.error().code() == Code::kNotFound) {
      return Fail(
          Code::kCorrupt,
          fmt::format(
              "records of stream {} shard {} from {} on are gone before they were in table {}: {}",
              shard.stream.text(), shard.number, read.end, feed_.table_id,
              batches.error().message()));
    }
    if (!batches.ok()) return Fail(batches.error());
    if (batches->empty()) {
      read.end = end;  // what is left was lost, and somebody accepted that
      return {};
    }
    for (const log::StoredBatch& batch : *batches) {
      read.end = std::max(read.end, std::min(batch.first.value, end));  // behind such a loss
      for (size_t i = 0; i < batch.records.size(); ++i) {
        const int64_t offset = batch.first.value + static_cast<int64_t>(i);
        if (offset < read.end) continue;  // the batch began before
        if (offset >= end) return {};
        if (read_bytes - looked_at >= kLookBytes) {
          if (builder.bytes() >= options_.chunk_bytes) return {};
          looked_at = read_bytes;
        }
        const log::Record& record = batch.records[i];
        const int rows = TRY(converter.Convert(shard.number, {offset}, batch.arrival, record));
        read.offsets.insert(read.offsets.end(), static_cast<size_t>(rows), offset);
        if (rows > 0) read.record_bytes += static_cast<int64_t>(record.value.size());
        read_bytes += static_cast<int64_t>(record.key.size() + record.value.size());
        read.end = offset + 1;
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
  *dependencies_.bytes += bytes - bytes_;
  bytes_ = bytes;
  waiting_bytes_ = waiting;
}

}  // namespace weft::tail
