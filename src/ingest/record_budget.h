// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace weft::ingest {

// How many records may be in work at once. What is kept of a record beside its bytes is many times
// as much as the smallest record, so that small bodies of many records must not add up.
class RecordBudget {
 public:
  explicit RecordBudget(int64_t records_max)
      : records_max_(records_max), taken_(std::make_shared<std::atomic<int64_t>>(0)) {}

  // Held while the records are in work; may outlive the budget.
  struct GiveBack {
    std::shared_ptr<std::atomic<int64_t>> taken;
    int64_t records = 0;
    void operator()(const void*) const { taken->fetch_sub(records); }
  };
  using Share = std::unique_ptr<const void, GiveBack>;
  // Null when the others have too many. Whoever is alone gets any number.
  Share Take(int64_t records) {
    int64_t before = *taken_;
    do {
      if (before > 0 && before + records > records_max_) return nullptr;
    } while (!taken_->compare_exchange_weak(before, before + records));
    return Share(taken_.get(), {.taken = taken_, .records = records});
  }

 private:
  const int64_t records_max_;
  std::shared_ptr<std::atomic<int64_t>> taken_;
};

}  // namespace weft::ingest
