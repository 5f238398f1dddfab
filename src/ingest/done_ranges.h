// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "meta/database.h"

namespace weft::ingest {

// Offsets as ranges that neither touch nor overlap.
class OffsetRanges {
 public:
  void Add(int64_t first, int64_t last);
  bool Contains(int64_t offset) const;
  // How many of [begin, end) are in it.
  int64_t CountWithin(int64_t begin, int64_t end) const;
  // The first offset at or after `from` that is not in it.
  int64_t FirstNotIn(int64_t from) const;
  const std::map<int64_t, int64_t>& ranges() const { return ranges_; }

 private:
  std::map<int64_t, int64_t> ranges_;  // first to last, both within
};

// Which quarantined records are done with: sent again or dropped. Over meta, with a picture in
// memory.
class DoneRanges {
 public:
  explicit DoneRanges(meta::Database& database) : database_(database) {}

  // A copy of what is done of the product's quarantine.
  Result<OffsetRanges> Of(const ProductName& product);
  Status Add(meta::Transaction& tx, const ProductName& product,
             const std::vector<int64_t>& offsets);
  Status Forget(meta::Transaction& tx, const ProductName& product);

 private:
  void Drop(const ProductName& product);

  meta::Database& database_;
  std::mutex mutex_;
  // Guarded by the mutex. What is read while something changes must not be remembered: `changes_`
  // tells.
  std::map<ProductName, OffsetRanges> known_;
  int64_t changes_ = 0;
};

}  // namespace weft::ingest
