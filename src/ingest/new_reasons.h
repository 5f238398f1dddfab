// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "ingest/done_ranges.h"
#include "ingest/ingest.h"
#include "meta/database.h"

namespace weft::ingest {

// What is wrong with quarantined records since they were last sent again, where that is not what
// their entries say. An entry lies in a log and cannot change, so meta keeps it.
class NewReasons {
 public:
  using ByOffset = std::map<int64_t, std::vector<RecordError>>;
  explicit NewReasons(meta::Database& database) : database_(database) {}

  // Of the offsets from `first` to `last`, both within.
  Result<ByOffset> Of(const ProductName& product, int64_t first, int64_t last);
  Status Put(meta::Transaction& tx, const ProductName& product, const ByOffset& reasons);
  // Those of records that have left.
  Status Remove(meta::Transaction& tx, const ProductName& product, const OffsetRanges& offsets);
  Status Forget(meta::Transaction& tx, const ProductName& product);

 private:
  meta::Database& database_;
};

}  // namespace weft::ingest
