// SPDX-License-Identifier: Apache-2.0
#include "ingest/done_ranges.h"

#include <algorithm>

namespace weft::ingest {

void OffsetRanges::Add(int64_t first, int64_t last) {
  auto at = ranges_.upper_bound(first);
  if (at != ranges_.begin() && std::prev(at)->second >= first - 1) --at;
  while (at != ranges_.end() && at->first <= last + 1) {
    first = std::min(first, at->first);
    last = std::max(last, at->second);
    at = ranges_.erase(at);
  }
  ranges_[first] = last;
}

bool OffsetRanges::Contains(int64_t offset) const {
  auto after = ranges_.upper_bound(offset);
  return after != ranges_.begin() && std::prev(after)->second >= offset;
}

int64_t OffsetRanges::CountWithin(int64_t begin, int64_t end) const {
  int64_t count = 0;
  for (const auto& [first, last] : ranges_) {
    count += std::max<int64_t>(0, std::min(last + 1, end) - std::max(first, begin));
  }
  return count;
}

int64_t OffsetRanges::FirstNotIn(int64_t from) const {
  auto after = ranges_.upper_bound(from);
  if (after == ranges_.begin() || std::prev(after)->second < from) return from;
  return std::prev(after)->second + 1;
}

Result<OffsetRanges> DoneRanges::Of(const ProductName& product) {
  int64_t changes = 0;
  {
    std::lock_guard lock(mutex_);
    if (auto known = known_.find(product); known != known_.end()) return known->second;
    changes = changes_;
  }
  OffsetRanges ranges;
  TRY(database_.Read([&](meta::Transaction& tx) -> Status {
    ranges = {};
    auto rows = TRY(
        tx.Query("SELECT first, last FROM quarantine_done WHERE product = :1", {product.text()}));
    for (const auto& row : rows) ranges.Add(row.integer(0), row.integer(1));
    return {};
  }));
  std::lock_guard lock(mutex_);
  if (changes == changes_) known_[product] = ranges;
  return ranges;
}

Status DoneRanges::Add(meta::Transaction& tx, const ProductName& product,
                       const std::vector<int64_t>& offsets) {
  OffsetRanges added;
  for (int64_t offset : offsets) added.Add(offset, offset);
  for (const auto& [first, last] : added.ranges()) {
    OffsetRanges merged;
    merged.Add(first, last);
    auto rows = TRY(tx.Query(
        "SELECT first, last FROM quarantine_done WHERE product = :1 AND first <= :2 AND last >= :3",
        {product.text(), last + 1, first - 1}));
    for (const auto& row : rows) merged.Add(row.integer(0), row.integer(1));
    (void)TRY(
        tx.Execute("DELETE FROM quarantine_done WHERE product = :1 AND first <= :2 AND last >= :3",
                   {product.text(), last + 1, first - 1}));
    (void)TRY(tx.Execute(
        "INSERT INTO quarantine_done (product, first, last) VALUES (:1, :2, :3)",
        {product.text(), merged.ranges().begin()->first, merged.ranges().begin()->second}));
  }
  tx.AfterCommit([this, product] { Drop(product); });
  return {};
}

Status DoneRanges::Forget(meta::Transaction& tx, const ProductName& product) {
  (void)TRY(tx.Execute("DELETE FROM quarantine_done WHERE product = :1", {product.text()}));
  tx.AfterCommit([this, product] { Drop(product); });
  return {};
}

void DoneRanges::Drop(const ProductName& product) {
  std::lock_guard lock(mutex_);
  known_.erase(product);
  ++changes_;
}

}  // namespace weft::ingest
