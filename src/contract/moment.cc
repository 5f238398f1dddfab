// SPDX-License-Identifier: Apache-2.0
#include "contract/moment.h"

#include <array>
#include <chrono>

#include "contract/digits.h"

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

int LengthOfMonth(const Fields& f) {
  constexpr std::array<int, 13> kLengths = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = f.year % 4 == 0 && (f.year % 100 != 0 || f.year % 400 == 0);
  return kLengths[static_cast<size_t>(f.month)] + (f.month == 2 && leap ? 1 : 0);
}

std::optional<int32_t> Days(const Fields& f) {
  if (f.year < 1 || f.month < 1 || f.month > 12 || f.day < 1) return std::nullopt;
  if (f.day > 28 && f.day > LengthOfMonth(f)) return std::nullopt;
  // Years that begin in March: the months before the next January have 153 days for each five, and
  // a leap day comes last.
  const bool before_march = f.month <= 2;
  const int year = f.year - before_march;
  const int month = f.month + (before_march ? 12 : 0);
  const int century = year / 100;
  return year * 1461 / 4 - century + century / 4 + (153 * month - 457) / 5 + f.day - 719'469;
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

// YYYY-MM-DDTHH:MM:SSZ, with a fraction of up to six digits: what programs write. Nothing for what
// it is not; read without a branch for each part.
std::optional<Moment> ParseUsual(std::string_view text) {
  constexpr size_t kWhole = 20;
  if (text.size() < kWhole || text.size() > kWhole + 7 || text.back() != 'Z') return std::nullopt;
  unsigned wrong = 0;
  auto digit = [&](size_t at) {
    const auto value = static_cast<unsigned>(static_cast<unsigned char>(text[at])) - '0';
    wrong |= value > 9 ? 1U : 0U;
    return static_cast<int>(value);
  };
  auto two = [&](size_t at) { return digit(at) * 10 + digit(at + 1); };
  auto must = [&](size_t at, char c) { wrong |= text[at] != c ? 1U : 0U; };
  must(4, '-'), must(7, '-'), must(10, 'T'), must(13, ':'), must(16, ':');
  Fields f{.year = two(0) * 100 + two(2),
           .month = two(5),
           .day = two(8),
           .hour = two(11),
           .minute = two(14),
           .second = two(17),
           .zoned = true};
  if (text.size() > kWhole) {
    must(19, '.');
    size_t at = kWhole;
    for (; at < text.size() - 1; ++at) f.micros = f.micros * 10 + digit(at);
    if (at == kWhole) return std::nullopt;
    constexpr std::array<int, 7> kScales = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
    f.micros *= kScales[at - kWhole];
  }
  return wrong != 0 ? std::nullopt : ToMoment(f);
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

// All digits at once, in words of eight octets.
bool UsualMoments::Read(std::string_view text, int64_t& micros) {
  constexpr size_t kWhole = 20;
  if (text.size() < kWhole || text.size() > kWhole + 7 || text.back() != 'Z') return false;
  const uint64_t day_begin = WordAt(text.data());
  const auto day_end = static_cast<uint32_t>(WordAt(text.data() + 8) & 0xffffff);
  if (day_begin != day_begin_ || day_end != day_end_) {
    const auto moment = ParseUsual(text);
    if (!moment) return false;
    micros = moment->micros;
    const int64_t of_day = (micros % kMicrosPerDay + kMicrosPerDay) % kMicrosPerDay;
    day_begin_ = day_begin;
    day_end_ = day_end;
    day_micros_ = micros - of_day;
    return true;
  }
  // HH:MM:SS: each octet that is no digit, or no colon in its place, gets its highest bit.
  constexpr uint64_t kHighest = 0x8080808080808080U, kZeros = 0x3030303030303030U;
  const uint64_t time = WordAt(text.data() + 11) ^ 0x30303a30303a3030U;
  if ((((time + 0x76767f76767f7676U) | time) & kHighest) != 0) return false;
  const uint64_t pairs = time * 10 + (time >> 8);
  const auto hour = static_cast<int64_t>(pairs & 0xff);
  const auto minute = static_cast<int64_t>(pairs >> 24 & 0xff);
  const auto second = static_cast<int64_t>(pairs >> 48 & 0xff);
  if (hour > 23 || minute > 59 || second > 59) return false;
  int64_t fraction = 0;
  if (text.size() > kWhole) {
    const size_t digits = text.size() - kWhole - 1;
    if (text[19] != '.' || digits == 0) return false;
    uint64_t word = (WordAt(text.data() + text.size() - 9) ^ kZeros) >> (64 - 8 * digits);
    if ((((word + 0x7676767676767676U) | word) & kHighest) != 0) return false;
    fraction = EightDigits(word << 16);
  }
  micros = day_micros_ + ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + fraction;
  return true;
}

std::optional<Moment> ParseTimestamp(std::string_view text) {
  if (auto usual = ParseUsual(text)) return usual;
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
