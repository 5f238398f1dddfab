// SPDX-License-Identifier: Apache-2.0
// Dates, times and timestamps as records write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "contract/decimal.h"

namespace weft::contract {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

// Days since 1970; nothing when it is not YYYY-MM-DD of years 0001 to 9999.
std::optional<int32_t> ParseDate(std::string_view text);
// Microseconds of the day: HH:MM, HH:MM:SS, up to six digits of a fraction (more only when zero).
std::optional<int64_t> ParseTime(std::string_view text);

struct Moment {
  int64_t micros = 0;  // since 1970 in UTC
  bool zoned = false;  // it said which zone, or was a count of seconds
};
// ISO 8601: a date, or date and time parted by `T` or a blank, then `Z`, an offset or nothing
// (UTC); or digits alone, as ParseEpoch.
std::optional<Moment> ParseTimestamp(std::string_view text);

// Reads many timestamps, which are mostly of the day of the one before. For one thread.
class UsualMoments {
 public:
  // True for YYYY-MM-DDTHH:MM:SSZ, with a fraction of up to six digits, when ParseTimestamp reads
  // it as well; what else there is may be right too.
  bool Read(std::string_view text, int64_t& micros);

 private:
  uint64_t day_begin_ = 0x2d31302d30373931;  // the text 1970-01-01T, its first eight octets
  uint32_t day_end_ = 0x543130;              // and the other three
  int64_t day_micros_ = 0;
};
// A number up to 11 digits before the point is seconds since 1970, a longer one milliseconds; what
// is finer than a microsecond must be zero. Years 0001 to 9999.
std::optional<int64_t> ParseEpoch(const NumberText& number);

// A JDK date pattern (java.time.format.DateTimeFormatter) of year, month, day, hour, minute,
// second, fraction, offset and literal text.
class MomentFormat {
 public:
  // kNotOffered names the letter that is not one of those.
  static Result<MomentFormat> Parse(const std::string& pattern);
  bool has_date() const { return has_date_; }
  bool has_time() const { return has_time_; }
  // All of `text` must match. A part that the pattern lacks is 1970-01-01, midnight, UTC.
  std::optional<Moment> Match(std::string_view text) const;

 private:
  struct Part {
    char letter = 0;  // 0: literal
    int width = 0;
    std::string literal;
  };
  std::vector<Part> parts_;
  bool has_date_ = false, has_time_ = false;
};

}  // namespace weft::contract
