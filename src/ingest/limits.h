// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "ingest/intakes.h"
#include "stream/throughput.h"

namespace weft::ingest {

// What each product takes a second, by all doors together. Safe from any thread.
class ProductLimits {
 public:
  explicit ProductLimits(const Clock& clock) : clock_(clock) {}

  // kThrottled past one of the product's limits: then nothing is counted. What one second brings
  // may come at once; something larger than that passes after a second without anything, and what
  // follows waits the longer.
  Status Admit(const Intake& intake, int64_t bytes, int64_t records);

 private:
  // A limit that was set or changed begins full.
  struct Limit {
    int64_t rate = 0;
    std::optional<stream::TokenBucket> bucket;  // nothing: no limit
    bool Has(int64_t now_rate, microseconds now, int64_t count);
    void Take(int64_t count);
  };
  struct Limits {
    Limit bytes, records;
  };

  const Clock& clock_;
  std::mutex mutex_;
  std::map<ProductName, Limits> limits_;  // of products that have one; guarded by the mutex
};

}  // namespace weft::ingest
