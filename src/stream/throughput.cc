// SPDX-License-Identifier: Apache-2.0
#include "stream/throughput.h"

namespace weft::stream {

bool ShardThroughput::AdmitWrite(microseconds now, int64_t bytes, int records) {
  std::lock_guard lock(mutex_);
  bytes_in_.Fill(now);
  records_in_.Fill(now);
  if (!bytes_in_.Has(bytes) || !records_in_.Has(records)) return false;
  bytes_in_.Take(bytes);
  records_in_.Take(records);
  return true;
}

bool ShardThroughput::AdmitRead(microseconds now) {
  std::lock_guard lock(mutex_);
  bytes_out_.Fill(now);
  reads_.Fill(now);
  if (bytes_out_.in_debt() || !reads_.Has(1)) return false;
  reads_.Take(1);
  return true;
}

void ShardThroughput::ChargeRead(microseconds now, int64_t bytes) {
  std::lock_guard lock(mutex_);
  bytes_out_.Fill(now);
  bytes_out_.Take(bytes);
}

void ShardThroughput::Count(int64_t bytes, int records) {
  std::lock_guard lock(mutex_);
  written_.bytes += bytes;
  written_.records += records;
}

ShardThroughput::Written ShardThroughput::written() const {
  std::lock_guard lock(mutex_);
  return written_;
}

}  // namespace weft::stream
