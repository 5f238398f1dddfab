// SPDX-License-Identifier: Apache-2.0
#include "contract/moment.h"

#include <array>
#include <chrono>

namespace weft::contract {
namespace {

bool Digit(char c) { return c >= '0' && c <= '9'; }

// Takes text apart from its left.
struct Reader {
  std::string_view text;

  bool done() const { return text.empty(); }
  bool Take(char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  }
  bool TakeNumber(size_t width, int& out) {
    if (text.size() < width) return false;
    int value = 0;
    for (size_t i = 0; i < width; ++i) {
      if (!Digit(text[i])) return false;
      value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(width);
    out = value;
    return true;
  }
  // Digits of a fraction of a second.
  bool TakeFraction(int& micros) {
    size_t n = 0;
    int value = 0;
    while (n < text.size() && Digit(text[n])) {
      if (n < 6) value = value * 10 + (text[n] - '0');
      if (n >= 6 && text[n] != '0') return false;
      ++n;
    }
    for (size_t i = n; i < 6; ++i) value *= 10;
    text.remove_prefix(n);
    micros = value;
    return n > 0;
  }
};

struct Fields {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0,
      offset_minutes = 0;
  bool zoned = false;
};

std::optional<int32_t> Days(const Fields& f) {
  constexpr std::array<int, 13> kLengths = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (f.year < 1 || f.month < 1 || f.month > 12 || f.day < 1) return std::nullopt;
  bool leap = f.year % 4 == 0 && (f.year % 100 != 0 || f.year % 400 == 0);
  int length = kLengths[static_cast<size_t>(f.month)] + (f.month == 2 && leap ? 1 : 0);
  if (f.day > length) return std::nullopt;
  // Howard Hinnant's days_from_civil, for years from 1.
  int y = f.month <= 2 ? f.year - 1 : f.year;
  int era = y / 400;
  int year_of_era = y - era * 400;
  int day_of_year = (153 * (f.month + (f.month > 2 ? -3 : 9)) + 2) / 5 + f.day - 1;
  int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

bool InRange(int64_t micros) {
  constexpr int64_t kFirst = -62'135'596'800 * kMicrosPerSecond;  // 0001-01-01
  constexpr int64_t kEnd = 253'402'300'800 * kMicrosPerSecond;    // 10000-01-01
  return micros >= kFirst && micros < kEnd;
}

std::optional<int64_t> TimeOfDay(const Fields& f) {
  if (f.hour > 23 || f.minute > 59 || f.second > 59) return std::nullopt;
  return ((f.hour * 60 + f.minute) * 60 + f.second) * kMicrosPerSecond + f.micros;
}

std::optional<Moment> ToMoment(const Fields& f) {
  auto days = Days(f);
  auto time = TimeOfDay(f);
  if (!days || !time) return std::nullopt;
  int64_t micros = *days * kMicrosPerDay + *time - f.offset_minutes * 60 * kMicrosPerSecond;
  if (!InRange(micros)) return std::nullopt;
  return Moment{micros, f.zoned};
}

bool TakeDate(Reader& in, Fields& f) {
  return in.TakeNumber(4, f.year) && in.Take('-') && in.TakeNumber(2, f.month) && in.Take('-') &&
         in.TakeNumber(2, f.day);
}

bool TakeTime(Reader& in, Fields& f) {
  if (!in.TakeNumber(2, f.hour) || !in.Take(':') || !in.TakeNumber(2, f.minute)) return false;
  if (!in.Take(':')) return true;
  if (!in.TakeNumber(2, f.second)) return false;
  return in.Take('.') || in.Take(',') ? in.TakeFraction(f.micros) : true;
}

// Z, ±HH, ±HHMM, ±HH:MM.
bool TakeOffset(Reader& in, Fields& f) {
  f.zoned = true;
  if (in.Take('Z') || in.Take('z')) return true;
  int sign = in.Take('-') ? -1 : 1;
  if (sign == 1 && !in.Take('+')) return false;
  int hours = 0, minutes = 0;
  if (!in.TakeNumber(2, hours)) return false;
  if (in.Take(':') ? !in.TakeNumber(2, minutes)
                   : !in.done() && Digit(in.text[0]) && !in.TakeNumber(2, minutes)) {
    return false;
  }
  if (hours > 18 || minutes > 59) return false;
  f.offset_minutes = sign * (hours * 60 + minutes);
  return true;
}

}  // namespace

std::optional<int32_t> ParseDate(std::string_view text) {
  Reader in{text};
  Fields f;
  if (!TakeDate(in, f) || !in.done()) return std::nullopt;
  return Days(f);
}

std::optional<int64_t> ParseTime(std::string_view text) {
  Reader in{text};
  Fields f;
  if (!TakeTime(in, f) || !in.done()) return std::nullopt;
  return TimeOfDay(f);
}

std::optional<int64_t> ParseEpoch(const NumberText& number) {
  // Ten to the power of 11 seconds is the year 5138; of milliseconds, 1973.
  Int128 whole = 0, micros = 0;
  if (number.exponent < -40 || number.exponent > 40) return std::nullopt;
  if (ToDecimal(number, 38, 6, micros) == DecimalFault::kNone) {
    whole = (micros < 0 ? -micros : micros) / kMicrosPerSecond;
    if (whole < PowerOfTen(11)) {
      auto value = static_cast<int64_t>(micros);
      return InRange(value) ? std::optional(value) : std::nullopt;
    }
  }
  if (ToDecimal(number, 38, 3, micros) != DecimalFault::kNone) return std::nullopt;
  Int128 size = micros < 0 ? -micros : micros;
  if (size >= PowerOfTen(18)) return std::nullopt;
  auto value = static_cast<int64_t>(micros);
  return InRange(value) ? std::optional(value) : std::nullopt;
}

std::optional<Moment> ParseTimestamp(std::string_view text) {
  Reader in{text};
  Fields f;
  if (TakeDate(in, f)) {
    if (in.done()) return ToMoment(f);
    if (!in.Take('T') && !in.Take(' ') && !in.Take('t')) return std::nullopt;
    if (!TakeTime(in, f)) return std::nullopt;
    if (in.done()) return ToMoment(f);
    in.Take(' ');
    if (!TakeOffset(in, f) || !in.done()) return std::nullopt;
    return ToMoment(f);
  }
  auto number = ScanNumericText(text);
  if (!number || !number->plain_integer || text.front() == '+') return std::nullopt;
  auto micros = ParseEpoch(*number);
  if (!micros) return std::nullopt;
  return Moment{*micros, true};
}

Result<MomentFormat> MomentFormat::Parse(const std::string& pattern) {
  MomentFormat out;
  for (size_t i = 0; i < pattern.size();) {
    char c = pattern[i];
    Part part;
    if (c == '\'') {
      size_t end = pattern.find('\'', i + 1);
      if (end == std::string::npos)
        return Fail(Code::kInvalid, fmt::format("an unclosed quote in '{}'", pattern));
      part.literal = end == i + 1 ? "'" : pattern.substr(i + 1, end - i - 1);
      i = end + 1;
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      while (i < pattern.size() && pattern[i] == c) ++part.width, ++i;
      part.letter = c == 'u' ? 'y' : c;
      bool known =
          (part.letter == 'y' && part.width == 4) || (c == 'S' && part.width <= 9) ||
          (std::string_view("MdHms").find(c) != std::string_view::npos && part.width <= 2) ||
          (std::string_view("XxZ").find(c) != std::string_view::npos && part.width <= 3);
      if (!known) {
        return Fail(
            Code::kNotOffered,
            fmt::format(
                "'{}' in the date format '{}'; offered are yyyy MM M dd d HH H mm m ss s S Z X x",
                std::string(static_cast<size_t>(part.width), c), pattern));
      }
      out.has_date_ |= std::string_view("yMd").find(part.letter) != std::string_view::npos;
      out.has_time_ |= std::string_view("Hms").find(part.letter) != std::string_view::npos;
    } else if (std::string_view("[]{}#").find(c) != std::string_view::npos) {
      return Fail(Code::kNotOffered, fmt::format("'{}' in the date format '{}'", c, pattern));
    } else {
      part.literal = std::string(1, c);
      ++i;
    }
    out.parts_.push_back(std::move(part));
  }
  if (!out.has_date_ && !out.has_time_) {
    return Fail(Code::kInvalid,
                fmt::format("the date format '{}' has neither date nor time", pattern));
  }
  return out;
}

std::optional<Moment> MomentFormat::Match(std::string_view text) const {
  Reader in{text};
  Fields f;
  for (const auto& part : parts_) {
    // One letter stands for one or two digits, as in Java.
    size_t width = static_cast<size_t>(part.width);
    if (width == 1) width = in.text.size() > 1 && Digit(in.text[1]) ? 2 : 1;
    bool ok = false;
    switch (part.letter) {
      case 0:
        ok = in.text.substr(0, part.literal.size()) == part.literal;
        if (ok) in.text.remove_prefix(part.literal.size());
        break;
      case 'y':
        ok = in.TakeNumber(4, f.year);
        break;
      case 'M':
        ok = in.TakeNumber(width, f.month);
        break;
      case 'd':
        ok = in.TakeNumber(width, f.day);
        break;
      case 'H':
        ok = in.TakeNumber(width, f.hour);
        break;
      case 'm':
        ok = in.TakeNumber(width, f.minute);
        break;
      case 's':
        ok = in.TakeNumber(width, f.second);
        break;
      case 'S': {
        auto digits = static_cast<size_t>(part.width);
        Reader fraction{in.text.substr(0, digits)};
        ok = fraction.text.size() == digits && fraction.TakeFraction(f.micros) && fraction.done();
        if (ok) in.text.remove_prefix(digits);
        break;
      }
      default:
        ok = TakeOffset(in, f);
        break;
    }
    if (!ok) return std::nullopt;
  }
  if (!in.done()) return std::nullopt;
  return ToMoment(f);
}

}  // namespace weft::contract
