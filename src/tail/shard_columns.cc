// SPDX-License-Identifier: Apache-2.0
#include "tail/shard_columns.h"

#include <algorithm>

#include "base/check.h"
#include "tail/copy_rows.h"

namespace weft::tail {
namespace {

constexpr int64_t kSpareBytesMin = int64_t{1} << 20;

// Whether each is one more than the one before.
bool InTurn(const std::vector<int64_t>& offsets) {
  for (size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] != offsets[i - 1] + 1) return false;
  }
  return true;
}

}  // namespace

int64_t ShardColumns::Entry::FirstRowFrom(int64_t offset) const {
  if (chunk == nullptr) return 0;
  if (offsets.empty()) return std::clamp<int64_t>(offset - begin, 0, rows());
  return std::lower_bound(offsets.begin(), offsets.end(), offset) - offsets.begin();
}

int64_t ShardColumns::Entry::RecordBytesFrom(int64_t row) const {
  if (rows() == 0) return 0;
  return row == 0 ? record_bytes : record_bytes / rows() * (rows() - row);
}

void ShardColumns::Entry::SetOffsets(std::vector<int64_t> of_rows) {
  const bool all = !of_rows.empty() && of_rows.front() == begin && of_rows.back() == end - 1;
  offsets = all && InTurn(of_rows) ? std::vector<int64_t>() : std::move(of_rows);
}

void ShardColumns::Account(const Entry& entry, int sign) {
  bytes_ += sign * entry.bytes();
  record_bytes_ += sign * entry.record_bytes;
}

iceberg::ColumnBuilder& ShardColumns::Open(const std::shared_ptr<const iceberg::Schema>& schema) {
  if (open_ == nullptr) {
    open_ = spare_ != nullptr ? std::move(spare_) : iceberg::ColumnBuilder::Make(schema);
    spare_bytes_ = 0;
    next_ = {.begin = end_, .end = end_, .chunk = nullptr, .offsets = {}};
    scattered_ = false;
  }
  return *open_;
}

void ShardColumns::Append(const std::shared_ptr<const iceberg::Schema>& schema,
                          const std::vector<iceberg::ColumnView>& rows, int64_t end,
                          const std::vector<int64_t>& offsets, int64_t record_bytes) {
  const int64_t count = rows.empty() ? 0 : rows.front().length;
  CHECK(end >= end_ && (offsets.empty() ? count == end - end_ || count == 0
                                        : static_cast<int64_t>(offsets.size()) == count));
  Open(schema).AppendRows(rows, 0, count);
  Advance(count, end, offsets, record_bytes);
}

void ShardColumns::Append(const Draft& draft, size_t id_column, size_t arrival_column) {
  CHECK(draft.begin() == end_);
  draft.AppendTo(Open(draft.schema()), id_column, arrival_column);
  Advance(draft.end() - end_, draft.end(), {}, draft.record_bytes());
}

void ShardColumns::Advance(int64_t rows, int64_t end, const std::vector<int64_t>& offsets,
                           int64_t record_bytes) {
  const bool in_turn =
      offsets.empty() ? rows == end - end_
                      : InTurn(offsets) && offsets.front() == end_ && offsets.back() == end - 1;
  if (!in_turn && !scattered_) {
    scattered_ = true;
    // So far row r was the record next_.begin + r, and all had one.
    for (int64_t offset = next_.begin; offset < end_; ++offset) next_.offsets.push_back(offset);
  }
  if (scattered_ && offsets.empty()) {
    for (int64_t row = 0; row < rows; ++row) next_.offsets.push_back(end_ + row);
  } else if (scattered_) {
    next_.offsets.insert(next_.offsets.end(), offsets.begin(), offsets.end());
  }
  appended_ = true;
  next_.end = end_ = end;
  next_.record_bytes += record_bytes;
  record_bytes_ += record_bytes;
}

Status ShardColumns::Close() {
  if (open_ == nullptr) return {};
  auto rows = std::move(open_);
  Entry entry = std::move(next_);
  end_ = entry.begin;
  record_bytes_ -= entry.record_bytes;
  const int64_t bytes = rows->bytes();
  if (rows->rows() > 0) entry.chunk = TRY(rows->Seal());
  if (bytes >= kSpareBytesMin) {
    spare_ = std::move(rows);
    spare_bytes_ = bytes;
  }
  Push(std::move(entry));
  return {};
}

void ShardColumns::DropSpare() {
  if (!appended_) {
    spare_.reset();
    spare_bytes_ = 0;
  }
  appended_ = false;
}

void ShardColumns::Push(Entry entry) {
  CHECK(open_ == nullptr && entry.begin == end_);
  end_ = entry.end;
  Account(entry, 1);
  // A stretch without rows joins its neighbour: a table whose product writes to others only costs
  // nothing.
  if (entry.rows() == 0 && !entries_.empty()) {
    Entry& last = entries_.back();
    if (last.offsets.empty()) {
      for (int64_t row = 0; row < last.rows(); ++row) last.offsets.push_back(last.begin + row);
    }
    last.end = entry.end;
    return;
  }
  entries_.push_back(std::move(entry));
}

void ShardColumns::Release(int64_t offset) {
  if (offset <= begin_) return;
  begin_ = offset;
  end_ = std::max(end_, offset);
  while (!entries_.empty() && entries_.front().end <= offset) {
    Account(entries_.front(), -1);
    entries_.pop_front();
  }
  if (open_ != nullptr && next_.end <= offset) {
    record_bytes_ -= next_.record_bytes;
    open_.reset();
  }
  // What follows must go on from the new end.
  if (entries_.empty() && open_ == nullptr) CHECK(begin_ == end_);
}

int64_t ShardColumns::Collect(int64_t from, int64_t bytes_max,
                              std::vector<engine::ColumnSlice>& slices, int64_t& rows,
                              int64_t& record_bytes) const {
  int64_t reached = from;
  int64_t taken = 0;
  for (const Entry& entry : entries_) {
    if (entry.end <= from) continue;
    if (bytes_max > 0 && taken >= bytes_max) break;
    reached = entry.end;
    const int64_t first = entry.FirstRowFrom(from);
    if (first >= entry.rows()) continue;
    slices.push_back({.chunk = entry.chunk, .first_row = first, .end_row = entry.rows()});
    rows += entry.rows() - first;
    taken += entry.RecordBytesFrom(first);
  }
  record_bytes += taken;
  return reached;
}

size_t ShardColumns::MergeCount(int64_t chunk_bytes) const {
  size_t count = 0;
  int64_t rows = 0, bytes = 0;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    const bool closed = entry->bytes() >= chunk_bytes / 2;
    if (closed || bytes + entry->bytes() > chunk_bytes) break;
    if (count > 0 && entry->rows() > rows) break;
    rows += entry->rows();
    bytes += entry->bytes();
    ++count;
  }
  return count;
}

Status ShardColumns::MergeLast(size_t count, iceberg::ColumnBuilder& builder) {
  CHECK(count <= entries_.size() && builder.rows() == 0 && open_ == nullptr);
  const auto first = entries_.end() - static_cast<std::ptrdiff_t>(count);
  Entry merged{.begin = first->begin, .end = entries_.back().end, .chunk = nullptr, .offsets = {}};
  const bool scattered = std::any_of(first, entries_.end(), [](const Entry& entry) {
    return !entry.offsets.empty() || entry.rows() < entry.end - entry.begin;
  });
  for (auto entry = first; entry != entries_.end(); ++entry) {
    merged.record_bytes += entry->record_bytes;
    for (int64_t row = 0; scattered && row < entry->rows(); ++row) {
      merged.offsets.push_back(entry->offsets.empty() ? entry->begin + row
                                                      : entry->offsets[static_cast<size_t>(row)]);
    }
    if (entry->rows() > 0) builder.AppendRows(entry->chunk->columns(), 0, entry->rows());
  }
  if (builder.rows() > 0) merged.chunk = TRY(builder.Seal());
  for (auto entry = first; entry != entries_.end(); ++entry) Account(*entry, -1);
  entries_.erase(first, entries_.end());
  Account(merged, 1);
  entries_.push_back(std::move(merged));
  return {};
}

Status ShardColumns::Rebuild(const iceberg::Schema& schema, iceberg::ColumnBuilder& builder) {
  for (Entry& entry : entries_) {
    if (entry.chunk == nullptr || &entry.chunk->schema() == &schema) continue;
    CopyRows(*entry.chunk, schema, builder);
    auto chunk = TRY(builder.Seal());
    Account(entry, -1);
    entry.chunk = std::move(chunk);
    Account(entry, 1);
  }
  builder.Reset();
  return {};
}

}  // namespace weft::tail
