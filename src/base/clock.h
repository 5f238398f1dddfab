// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

// A moment in UTC with the precision of every stored time: microseconds since 1970.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Tells the time. A constructor takes it, so that a run can be replayed and a week pass in a test.
// Safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() const = 0;         // may jump, as the machine's clock does
  virtual microseconds Elapsed() const = 0;  // never goes back; from an arbitrary start
};

const Clock& SystemClock();

// "2026-11-01T10:00:00.123456Z": always six digits of a second, so that the text sorts as the time.
std::string FormatTimestamp(Timestamp time);
// "20261101T100000Z" and "20261101", the forms of AWS signatures.
std::string FormatBasicTimestamp(Timestamp time);
Result<Timestamp> ParseBasicTimestamp(std::string_view text);

}  // namespace weft
