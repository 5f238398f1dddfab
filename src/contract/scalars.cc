// SPDX-License-Identifier: Apache-2.0
#include "contract/scalars.h"

#include <charconv>
#include <cmath>
#include <cstring>

namespace weft::contract {
namespace {

using iceberg::TypeKind;

bool NumberBegins(std::string_view token) {
  return token.front() == '-' || (token.front() >= '0' && token.front() <= '9');
}

// What a token is that is not what was wanted.
Reason Instead(std::string_view token, Reason reason) {
  switch (token.front()) {
    case '"':
    case '{':
    case '[':
      return reason;
    case 't':
      return token == "true" ? reason : kNotJson;
    case 'f':
      return token == "false" ? reason : kNotJson;
    default:
      return ScanNumber(token) ? reason : kNotJson;
  }
}

// The usual integer, of up to 18 digits.
bool ShortInteger(std::string_view token, int64_t& out) {
  bool minus = token.front() == '-';
  if (minus) token.remove_prefix(1);
  if (token.empty() || token.size() > 18 || (token.front() == '0' && token.size() > 1))
    return false;
  int64_t value = 0;
  for (char c : token) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  out = minus ? -value : value;
  return true;
}

Reason ExactBounds(const Checks& checks, Int128 value) {
  if (checks.low && value < *checks.low) return checks.low_reason;
  if (checks.high && value > *checks.high) return checks.high_reason;
  if (checks.multiple && value % *checks.multiple != 0) return checks.multiple_reason;
  return {};
}

// The usual count since 1970: of seconds or milliseconds until the year 5138, from 1970.
bool EpochMicros(int64_t& value) {
  constexpr int64_t kSecondsEnd = 100'000'000'000;
  if (value < 0 || value >= kSecondsEnd * 1000) return false;
  value *= value < kSecondsEnd ? kMicrosPerSecond : 1000;
  return true;
}

// Only numbers that are too large fail: what is too small for a double is nearly zero, and becomes
// that.
bool ToDouble(std::string_view token, double& out) {
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), out);
  if (error == std::errc()) return true;
  out = std::strtod(std::string(token).c_str(), nullptr);
  return std::isfinite(out);
}

int64_t CodePoints(std::string_view text) {
  int64_t count = 0;
  for (char c : text) count += static_cast<signed char>(c) >= -0x40;
  return count;
}

}  // namespace

void Scalars::Reset(size_t record_bytes) {
  used_ = 0;
  if (record_bytes <= capacity_) return;
  capacity_ = record_bytes * 2;
  texts_ = std::make_unique<char[]>(capacity_);
}

Reason Scalars::WrongKind(const Part& part) {
  switch (part.kind) {
    case TypeKind::kBoolean:
      return "is not true or false";
    case TypeKind::kInt:
    case TypeKind::kLong:
      return "is not an integer";
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return "is not a number";
    case TypeKind::kDecimal:
      return part.checks.whole ? "is not an integer" : "is not a number";
    case TypeKind::kDate:
      return "is not a date (YYYY-MM-DD)";
    case TypeKind::kTime:
      return "is not a time (HH:MM:SS)";
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return "is not a timestamp";
    default:
      return "is not a text";
  }
}

Reason Scalars::Boolean(const Part& part, std::string_view token, bool& out) {
  out = token == "true";
  if (out || token == "false") return {};
  return Instead(token, WrongKind(part));
}

Reason Scalars::Integer(const Part& part, std::string_view token, int64_t& out) {
  if (!NumberBegins(token)) return Instead(token, WrongKind(part));
  if (!ShortInteger(token, out)) {
    auto number = ScanNumber(token);
    if (!number) return kNotJson;
    if (!number->plain_integer) return "is not an integer";
    auto value = ToInteger(*number);
    if (!value)
      return part.kind == TypeKind::kLong ? "is outside the range of bigint"
                                          : "is outside the range of int";
    out = *value;
  }
  if (out < part.low) return part.checks.low_reason;
  if (out > part.high) return part.checks.high_reason;
  if (part.checks.multiple && out % static_cast<int64_t>(*part.checks.multiple) != 0) {
    return part.checks.multiple_reason;
  }
  return {};
}

Reason Scalars::KeyInteger(const Part& part, std::string_view key, int64_t& out) {
  if (key.empty() || !NumberBegins(key) || !ScanNumber(key))
    return "has a key that is not an integer";
  return Integer(part, key, out);
}

Reason Scalars::Real(const Part& part, std::string_view token, double& out) {
  if (!NumberBegins(token)) return Instead(token, WrongKind(part));
  auto number = ScanNumber(token);
  if (!number) return kNotJson;
  if (!ToDouble(token, out)) return "is a number that no type holds";
  if (part.kind == TypeKind::kFloat && !std::isfinite(static_cast<float>(out)))
    return "is outside the range of float";
  const Checks& checks = part.checks;
  if (checks.double_low && out < *checks.double_low) return checks.low_reason;
  if (checks.double_high && out > *checks.double_high) return checks.high_reason;
  if (checks.multiple) {
    Int128 exact = 0;
    bool held = ToDecimal(*number, 38, 12, exact) == DecimalFault::kNone;
    if (!held || exact % *checks.multiple != 0) return checks.multiple_reason;
  }
  return {};
}

Reason Scalars::Decimal(const Part& part, std::string_view token, Int128& out) {
  std::optional<NumberText> number;
  if (NumberBegins(token)) {
    number = ScanNumber(token);
    if (!number) return kNotJson;
  } else if (token.front() == '"' && !part.checks.whole) {
    std::string_view text;
    if (Reason reason = String(token, text); !reason.empty()) return reason;
    number = ScanNumericText(text);
    if (!number) return "is not a number";
  } else {
    return Instead(token, WrongKind(part));
  }
  if (part.checks.whole && !number->plain_integer) return "is not an integer";
  switch (ToDecimal(*number, part.precision, part.scale, out)) {
    case DecimalFault::kScale:
      return "has more decimals than its type";
    case DecimalFault::kPrecision:
      return "has more digits than its type";
    case DecimalFault::kNone:
      break;
  }
  return part.exact_bounds ? ExactBounds(part.checks, out) : Reason();
}

Reason Scalars::MomentText(const Part& part, std::string_view text, int64_t& out) {
  const auto& format = part.checks.moment_format;
  if (part.kind == TypeKind::kDate && !format) {
    auto days = ParseDate(text);
    if (!days) return "is not a date (YYYY-MM-DD)";
    out = *days;
    return {};
  }
  if (part.kind == TypeKind::kTime && !format) {
    auto micros = ParseTime(text);
    if (!micros) return "is not a time (HH:MM:SS)";
    out = *micros;
    return {};
  }
  const bool timestamp = part.kind == TypeKind::kTimestamp || part.kind == TypeKind::kTimestampTz;
  if (timestamp && !format && moments_.Read(text, out)) return {};
  auto moment = format ? format->Match(text) : ParseTimestamp(text);
  if (!moment) return format ? "does not have the format of its column" : "is not a timestamp";
  if (part.checks.zone_required && !moment->zoned) return "does not say its zone";
  out = moment->micros;
  if (part.kind == TypeKind::kDate) {
    out = (out - (out % kMicrosPerDay + kMicrosPerDay) % kMicrosPerDay) / kMicrosPerDay;
  } else if (part.kind == TypeKind::kTime) {
    out = (out % kMicrosPerDay + kMicrosPerDay) % kMicrosPerDay;
  }
  return {};
}

Reason Scalars::MomentOf(const Part& part, std::string_view text, int64_t& out) {
  if (Reason reason = MomentText(part, text, out); !reason.empty()) return reason;
  return part.exact_bounds ? ExactBounds(part.checks, out) : Reason();
}

Reason Scalars::Moment(const Part& part, std::string_view token, int64_t& out) {
  bool timestamp = part.kind == TypeKind::kTimestamp || part.kind == TypeKind::kTimestampTz;
  if (token.front() == '"') {
    std::string_view text;
    if (Reason reason = String(token, text); !reason.empty()) return reason;
    return MomentOf(part, text, out);
  } else if (NumberBegins(token) && timestamp && !part.checks.moment_format) {
    if (!ShortInteger(token, out) || !EpochMicros(out)) {
      auto number = ScanNumber(token);
      if (!number) return kNotJson;
      auto micros = ParseEpoch(*number);
      if (!micros) return "is not a timestamp";
      out = *micros;
    }
  } else {
    return Instead(token, WrongKind(part));
  }
  return part.exact_bounds ? ExactBounds(part.checks, out) : Reason();
}

Reason Scalars::Octets(const Part& part, std::string_view token, std::string_view& out) {
  if (token.front() != '"') return Instead(token, WrongKind(part));
  if (Reason reason = String(token, out); !reason.empty()) return reason;
  if (part.kind == TypeKind::kString) return part.checks.text_limited ? Text(part, out) : Reason();
  if (part.kind == TypeKind::kUuid) {
    binary_.resize(16);
    if (!DecodeUuid(out, binary_.data())) return "is not a UUID";
  } else if (!DecodeBase64(out, binary_)) {
    return "is not base64";
  }
  out = binary_;
  return {};
}

Reason Scalars::Text(const Part& part, std::string_view text) {
  const Checks& checks = part.checks;
  // A code point has one to four octets: mostly they need not be counted.
  const auto octets = static_cast<int64_t>(text.size());
  if (octets > checks.length_max || octets / 4 < checks.length_min) {
    const int64_t length = CodePoints(text);
    if (length < checks.length_min) return "is shorter than its minimum length";
    if (length > checks.length_max) return "is longer than its maximum length";
  }
  if (checks.pattern != nullptr) {
    switch (matcher_.Find(*checks.pattern, text)) {
      case PatternVerdict::kMatch:
        break;
      case PatternVerdict::kNoMatch:
        return checks.pattern_reason;
      case PatternVerdict::kTooCostly:
        return "its pattern took too long";
    }
  }
  if (checks.format != TextFormat::kAny && !HasTextFormat(checks.format, text))
    return checks.format_reason;
  return {};
}

Reason Scalars::String(std::string_view token, std::string_view& out) {
  if (token.size() < 2 || token.back() != '"') return kNotJson;
  return Inside(token.substr(1, token.size() - 2), out);
}

Reason Scalars::Inside(std::string_view inside, std::string_view& out) {
  out = inside;
  if (inside.empty() || std::memchr(inside.data(), '\\', inside.size()) == nullptr) return {};
  // Unescaping never lengthens, and the arena is as large as the record: there is room.
  size_t size = 0;
  char* to = texts_.get() + used_;
  if (Reason reason = Unescape(inside, to, size); !reason.empty()) return reason;
  used_ += size;
  out = {to, size};
  return {};
}

Reason Scalars::Any(std::string_view token) {
  switch (token.front()) {
    case '"': {
      std::string_view text;
      return String(token, text);
    }
    case 'n':
      return token == "null" ? Reason() : kNotJson;
    case 't':
      return token == "true" ? Reason() : kNotJson;
    case 'f':
      return token == "false" ? Reason() : kNotJson;
    default: {
      int64_t integer = 0;
      if (ShortInteger(token, integer)) return {};
      auto number = ScanNumber(token);
      if (!number) return kNotJson;
      double value = 0;
      bool plain = number->exponent <= 0 && number->whole.size() <= 300;
      return plain || ToDouble(token, value) ? Reason() : "is a number that no type holds";
    }
  }
}

}  // namespace weft::contract
