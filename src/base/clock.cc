// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <fmt/compile.h>

namespace weft {
namespace {

class MachineClock final : public Clock {
 public:
  Timestamp Now() const override {
    return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
  }
  microseconds Elapsed() const override {
    return std::chrono::duration_cast<microseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
  }
};

struct Civil {
  int year;
  unsigned month, day;
  int hour, minute, second, microsecond;
};

Civil Split(Timestamp time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss<microseconds> clock(time - day);
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<unsigned>(date.month()),
          .day = static_cast<unsigned>(date.day()),
          .hour = static_cast<int>(clock.hours().count()),
          .minute = static_cast<int>(clock.minutes().count()),
          .second = static_cast<int>(clock.seconds().count()),
          .microsecond = static_cast<int>(clock.subseconds().count())};
}

}  // namespace

const Clock& SystemClock() {
  static const MachineClock clock;
  return clock;
}

std::string FormatTimestamp(Timestamp time) {
  Civil c = Split(time);
  return fmt::format(FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z"), c.year, c.month,
                     c.day, c.hour, c.minute, c.second, c.microsecond);
}

std::string FormatBasicTimestamp(Timestamp time) {
  Civil c = Split(time);
  if (c.year < 0 || c.year > 9999) {
    return fmt::format(FMT_COMPILE("{:04}{:02}{:02}T{:02}{:02}{:02}Z"), c.year, c.month, c.day,
                       c.hour, c.minute, c.second);
  }
  // Every signed request has two of them: written without the generality of a format.
  std::string text = "YYYYMMDDThhmmssZ";
  auto put = [&](size_t at, int two_digits) {
    text[at] = static_cast<char>('0' + two_digits / 10);
    text[at + 1] = static_cast<char>('0' + two_digits % 10);
  };
  put(0, static_cast<int>(c.year) / 100);
  put(2, static_cast<int>(c.year) % 100);
  put(4, static_cast<int>(c.month));
  put(6, static_cast<int>(c.day));
  put(9, static_cast<int>(c.hour));
  put(11, static_cast<int>(c.minute));
  put(13, static_cast<int>(c.second));
  return text;
}

Result<Timestamp> ParseBasicTimestamp(std::string_view text) {
  auto wrong = [&] { return Fail(Code::kInvalid, fmt::format("not a basic timestamp: {}", text)); };
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return wrong();
  auto number = [&](size_t from, size_t length) {
    int value = 0;
    for (char c : text.substr(from, length)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  int year = number(0, 4), month = number(4, 2), day = number(6, 2);
  int hour = number(9, 2), minute = number(11, 2), second = number(13, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) return wrong();
  std::chrono::year_month_day date(std::chrono::year(year),
                                   std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return wrong();
  return Timestamp(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + seconds(second);
}

}  // namespace weft
