// SPDX-License-Identifier: Apache-2.0
#include "ingest/limits.h"

#include "base/units.h"

namespace weft::ingest {

bool ProductLimits::Limit::Has(int64_t now_rate, microseconds now, int64_t count) {
  if (now_rate != rate) {
    rate = now_rate;
    bucket.reset();
    if (rate > 0) bucket.emplace(rate);
  }
  if (!bucket) return true;
  bucket->Fill(now);
  return bucket->Has(count);
}

void ProductLimits::Limit::Take(int64_t count) {
  if (bucket) bucket->Take(count);
}

Status ProductLimits::Admit(const Intake& intake, int64_t bytes, int64_t records) {
  if (intake.bytes_per_second == 0 && intake.records_per_second == 0) return {};
  const microseconds now = clock_.Elapsed();
  std::lock_guard lock(mutex_);
  Limits& limits = limits_[intake.product];
  if (!limits.bytes.Has(intake.bytes_per_second, now, bytes)) {
    return Fail(Code::kThrottled,
                fmt::format("the limit of product {} is reached: {} a second",
                            intake.product.text(), FormatSize(intake.bytes_per_second)));
  }
  if (!limits.records.Has(intake.records_per_second, now, records)) {
    return Fail(Code::kThrottled,
                fmt::format("the limit of product {} is reached: {} records a second",
                            intake.product.text(), intake.records_per_second));
  }
  limits.bytes.Take(bytes);
  limits.records.Take(records);
  return {};
}

}  // namespace weft::ingest
