// SPDX-License-Identifier: Apache-2.0
#include "tail/shard_columns.h"

#include <algorithm>

#include "base/check.h"
#include "tail/copy_rows.h"

namespace weft::tail {

int64_t ShardColumns::Entry::FirstRowFrom(int64_t offset) const {
  if (chunk == nullptr) return 0;
  if (offsets.empty()) return std::clamp<int64_t>(offset - begin, 0, rows());
  return std::lower_bound(offsets.begin(), offsets.end(), offset) - offsets.begin();
}

int64_t ShardColumns::Entry::RecordBytesFrom(int64_t row) const {
  if (rows() == 0) return 0;
  return row == 0 ? record_bytes : record_bytes / rows() * (rows() - row);
}

void ShardColumns::Account(const Entry& entry, int sign) {
  bytes_ += sign * entry.bytes();
  record_bytes_ += sign * entry.record_bytes;
}

void ShardColumns::Push(Entry entry) {
  CHECK(entry.begin == end_ && entry.end >= entry.begin);
  if (entry.rows() == entry.end - entry.begin) entry.offsets.clear();
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
  // What follows must go on from the new end.
  if (entries_.empty()) CHECK(begin_ == end_);
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

Status ShardColumns::MergeLast(size_t count, const iceberg::Schema& schema,
                               iceberg::ColumnBuilder& builder) {
  CHECK(count <= entries_.size() && builder.rows() == 0);
  const auto first = entries_.end() - static_cast<std::ptrdiff_t>(count);
  Entry merged{.begin = first->begin, .end = entries_.back().end, .chunk = nullptr, .offsets = {}};
  for (auto entry = first; entry != entries_.end(); ++entry) {
    merged.record_bytes += entry->record_bytes;
    for (int64_t row = 0; row < entry->rows(); ++row) {
      merged.offsets.push_back(entry->offsets.empty() ? entry->begin + row
                                                      : entry->offsets[static_cast<size_t>(row)]);
    }
    if (entry->chunk != nullptr) CopyRows(*entry->chunk, schema, builder);
  }
  if (builder.rows() > 0) merged.chunk = TRY(builder.Seal());
  if (merged.rows() == merged.end - merged.begin) merged.offsets.clear();
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
  return {};
}

}  // namespace weft::tail
