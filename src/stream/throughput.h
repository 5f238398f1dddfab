// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>

#include "base/clock.h"

namespace weft::stream {

// Fills with `rate` tokens a second and holds those of one second.
class TokenBucket {
 public:
  explicit TokenBucket(int64_t rate) : rate_(rate), tokens_(static_cast<double>(rate)) {}

  void Fill(microseconds now) {
    if (now > filled_) {
      const double seconds_past = std::chrono::duration<double>(now - filled_).count();
      tokens_ =
          std::min(static_cast<double>(rate_), tokens_ + static_cast<double>(rate_) * seconds_past);
      filled_ = now;
    }
  }
  // Whether `count` may go; what is larger than the bucket may when it is full, and leaves a debt.
  bool Has(int64_t count) const { return tokens_ >= static_cast<double>(std::min(count, rate_)); }
  bool in_debt() const { return tokens_ < 0; }
  void Take(int64_t count) { tokens_ -= static_cast<double>(count); }

 private:
  const int64_t rate_;
  double tokens_;
  microseconds filled_{0};
};

// What one shard takes and gives. Safe to call from any thread. Times are Clock::Elapsed.
class ShardThroughput {
 public:
  static constexpr int64_t kBytesIn = int64_t{1} << 20, kRecordsIn = 1'000;
  static constexpr int64_t kBytesOut = int64_t{2} << 20, kReads = 5;

  // Taken only where both bounds allow it.
  bool AdmitWrite(microseconds now, int64_t bytes, int records);
  bool AdmitRead(microseconds now);
  void ChargeRead(microseconds now, int64_t bytes);

  // For scaling: what was written since the start.
  struct Written {
    int64_t bytes = 0, records = 0;
  };
  void Count(int64_t bytes, int records);
  Written written() const;

 private:
  mutable std::mutex mutex_;  // guards what follows
  TokenBucket bytes_in_{kBytesIn}, records_in_{kRecordsIn};
  TokenBucket bytes_out_{kBytesOut}, reads_{kReads};
  Written written_;
};

}  // namespace weft::stream
