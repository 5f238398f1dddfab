// SPDX-License-Identifier: Apache-2.0
#include "contract/checks.h"

#include <array>
#include <charconv>
#include <cmath>

namespace weft::contract {
namespace {

using iceberg::TypeKind;

struct IntegerRange {
  std::string_view format;
  Int128 low, high;
};

// i128 and u128 go beyond what a decimal of 38 digits holds: the decimal's own range is theirs.
const std::array<IntegerRange, 10>& IntegerRanges() {
  constexpr Int128 one = 1;
  static const Int128 widest = PowerOfTen(38) - 1;
  static const std::array<IntegerRange, 10> ranges = {{
      {"i8", -(one << 7), (one << 7) - 1},
      {"i16", -(one << 15), (one << 15) - 1},
      {"i32", -(one << 31), (one << 31) - 1},
      {"i64", -(one << 63), (one << 63) - 1},
      {"i128", -widest, widest},
      {"u8", 0, (one << 8) - 1},
      {"u16", 0, (one << 16) - 1},
      {"u32", 0, (one << 32) - 1},
      {"u64", 0, (one << 64) - 1},
      {"u128", 0, widest},
  }};
  return ranges;
}

bool Exact(TypeKind kind) {
  switch (kind) {
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kDecimal:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return true;
    default:
      return false;
  }
}
bool Floating(TypeKind kind) { return kind == TypeKind::kFloat || kind == TypeKind::kDouble; }

std::optional<double> ToDouble(std::string_view text) {
  double value = 0;
  if (!ScanNumber(text)) return std::nullopt;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class Compiler {
 public:
  explicit Compiler(const Column& column)
      : column_(column), limits_(column.limits), kind_(column.type.kind) {}

  Result<Checks> Run() {
    out_.whole =
        kind_ == TypeKind::kInt || kind_ == TypeKind::kLong || !column_.integer_format.empty();
    TRY(IntegerFormat());
    TRY(Moments());
    TRY(Bounds());
    TRY(Multiple());
    TRY(Texts());
    TRY(Counts());
    return std::move(out_);
  }

 private:
  Status IntegerFormat() {
    if (kind_ == TypeKind::kInt) Narrow("i32");
    if (kind_ == TypeKind::kLong) Narrow("i64");
    if (column_.integer_format.empty()) return {};
    if (!Narrow(column_.integer_format)) {
      return Fail(Code::kInvalid,
                  fmt::format("'{}' is not a format of integers: i8 to i128, u8 to u128",
                              column_.integer_format));
    }
    return {};
  }

  bool Narrow(std::string_view format) {
    for (const auto& range : IntegerRanges()) {
      if (range.format != format) continue;
      if (!out_.low || range.low > *out_.low) out_.low = range.low;
      if (!out_.high || range.high < *out_.high) out_.high = range.high;
      out_.low_reason = out_.high_reason = fmt::format("is outside the range of {}", Named(format));
      return true;
    }
    return false;
  }

  static std::string Named(std::string_view format) {
    if (format == "i32") return "int";
    if (format == "i64") return "bigint";
    return std::string(format);
  }

  Status Moments() {
    out_.zone_required = column_.zone_required;
    if (column_.date_format.empty()) return {};
    auto format = TRY(MomentFormat::Parse(column_.date_format));
    bool fits = kind_ == TypeKind::kDate   ? format.has_date()
                : kind_ == TypeKind::kTime ? format.has_time() && !format.has_date()
                                           : format.has_date();
    if (!fits) {
      return Fail(Code::kInvalid,
                  fmt::format("the format '{}' does not fit the type {}", column_.date_format,
                              iceberg::TypeText(column_.type)));
    }
    out_.moment_format = std::move(format);
    return {};
  }

  // A bound in the units of the stored value.
  Result<Int128> Unit(const std::string& text) const {
    auto misfit = [&] {
      return Fail(Code::kInvalid, fmt::format("the limit '{}' does not fit the type {}", text,
                                              iceberg::TypeText(column_.type)));
    };
    Int128 value = 0;
    if (kind_ == TypeKind::kInt || kind_ == TypeKind::kLong || kind_ == TypeKind::kDecimal) {
      auto number = ScanNumber(text);
      int scale = kind_ == TypeKind::kDecimal ? column_.type.scale : 0;
      if (!number || ToDecimal(*number, 38, scale, value) != DecimalFault::kNone) return misfit();
      if (kind_ != TypeKind::kDecimal) {
        Int128 edge = Int128{1} << (kind_ == TypeKind::kInt ? 31 : 63);
        if (value < -edge || value >= edge) return misfit();
      }
      return value;
    }
    if (out_.moment_format) {
      if (auto moment = out_.moment_format->Match(text)) {
        return kind_ == TypeKind::kDate ? Int128{moment->micros / kMicrosPerDay}
                                        : Int128{moment->micros};
      }
    }
    if (kind_ == TypeKind::kDate) {
      auto days = ParseDate(text);
      return days ? Result<Int128>(*days) : misfit();
    }
    if (kind_ == TypeKind::kTime) {
      auto micros = ParseTime(text);
      return micros ? Result<Int128>(*micros) : misfit();
    }
    auto moment = ParseTimestamp(text);
    return moment ? Result<Int128>(moment->micros) : misfit();
  }

  Status Bounds() {
    TRY(Bound(limits_.minimum, true, false));
    TRY(Bound(limits_.exclusive_minimum, true, true));
    TRY(Bound(limits_.maximum, false, false));
    TRY(Bound(limits_.exclusive_maximum, false, true));
    bool exact_empty = out_.low && out_.high && *out_.low > *out_.high;
    bool double_empty = out_.double_low && out_.double_high && *out_.double_low > *out_.double_high;
    if (exact_empty || double_empty) {
      return Fail(Code::kInvalid, "the limits leave no value: the minimum is beyond the maximum");
    }
    return {};
  }

  Status Bound(const std::optional<std::string>& text, bool low, bool exclusive) {
    if (!text) return {};
    if (!Exact(kind_) && !Floating(kind_)) return Misplaced("a minimum or maximum");
    std::string reason = fmt::format("is {} {}",
                                     low ? (exclusive ? "not more than" : "less than")
                                         : (exclusive ? "not less than" : "more than"),
                                     *text);
    if (Floating(kind_)) {
      auto value = ToDouble(*text);
      if (!value) return Fail(Code::kInvalid, fmt::format("the limit '{}' is not a number", *text));
      double beyond =
          low ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
      if (exclusive) value = std::nextafter(*value, beyond);
      auto& bound = low ? out_.double_low : out_.double_high;
      if (!bound || (low ? *value > *bound : *value < *bound)) {
        bound = *value;
        (low ? out_.low_reason : out_.high_reason) = std::move(reason);
      }
      return {};
    }
    Int128 value = TRY(Unit(*text));
    if (exclusive) value += low ? 1 : -1;
    auto& bound = low ? out_.low : out_.high;
    if (!bound || (low ? value > *bound : value < *bound)) {
      bound = value;
      (low ? out_.low_reason : out_.high_reason) = std::move(reason);
    }
    return {};
  }

  Status Multiple() {
    if (!limits_.multiple_of) return {};
    const auto& text = *limits_.multiple_of;
    bool numeric =
        kind_ == TypeKind::kInt || kind_ == TypeKind::kLong || kind_ == TypeKind::kDecimal;
    if (!numeric && !Floating(kind_)) return Misplaced("multipleOf");
    out_.multiple_reason = fmt::format("is not a multiple of {}", text);
    if (Floating(kind_)) {
      auto number = ScanNumber(text);
      Int128 value = 0;
      bool held = number && ToDecimal(*number, 38, 12, value) == DecimalFault::kNone && value > 0;
      if (!held) {
        return Fail(
            Code::kInvalid,
            fmt::format("multipleOf {}: must be more than 0, with 12 decimals at most", text));
      }
      out_.multiple = value;
      out_.multiple_text = text;
      return {};
    }
    out_.multiple = TRY(Unit(text));
    if (*out_.multiple <= 0)
      return Fail(Code::kInvalid, fmt::format("multipleOf {}: must be more than 0", text));
    return {};
  }

  Status Texts() {
    bool lengths = limits_.length_min || limits_.length_max;
    if (!lengths && limits_.pattern.empty() && limits_.format.empty()) return {};
    if (kind_ != TypeKind::kString || column_.json_text != Column::JsonText::kNo) {
      // format: uuid and byte say of a text what a UUID's or a binary's own reading checks anyway.
      bool same = !lengths && limits_.pattern.empty() &&
                  ((kind_ == TypeKind::kUuid && limits_.format == "uuid") ||
                   (kind_ == TypeKind::kBinary &&
                    (limits_.format == "byte" || limits_.format == "binary")));
      return same ? Status() : Misplaced("a length, pattern or format");
    }
    out_.text_limited = true;
    out_.length_min = limits_.length_min.value_or(0);
    out_.length_max = limits_.length_max.value_or(out_.length_max);
    if (out_.length_min < 0 || out_.length_max < out_.length_min) {
      return Fail(Code::kInvalid, "the lengths leave no value: the minimum is beyond the maximum");
    }
    if (!limits_.pattern.empty()) {
      out_.pattern = TRY(Pattern::Compile(limits_.pattern));
      out_.pattern_reason =
          fmt::format("does not match the pattern {}", limits_.pattern.substr(0, 200));
    }
    if (!limits_.format.empty()) {
      auto format = FindTextFormat(limits_.format);
      if (!format) {
        return Fail(Code::kNotOffered, fmt::format("the format '{}'; offered are email, uuid, uri, "
                                                   "ipv4, ipv6, hostname, byte, binary, "
                                                   "password",
                                                   limits_.format));
      }
      out_.format = *format;
      out_.format_reason = fmt::format("is not of the format {}", limits_.format);
    }
    return {};
  }

  Status Counts() {
    bool object = kind_ == TypeKind::kStruct || kind_ == TypeKind::kMap ||
                  column_.json_text == Column::JsonText::kObject;
    bool array = kind_ == TypeKind::kList || column_.json_text == Column::JsonText::kArray;
    if ((limits_.items_min || limits_.items_max) && !object && !array)
      return Misplaced("a number of items");
    if (limits_.items_unique && !array) return Misplaced("uniqueItems");
    if (!limits_.keys_required.empty() && !object) return Misplaced("required names");
    out_.items_min = limits_.items_min.value_or(0);
    out_.items_max = limits_.items_max.value_or(out_.items_max);
    if (out_.items_min < 0 || out_.items_max < out_.items_min) {
      return Fail(Code::kInvalid,
                  "the numbers of items leave no value: the minimum is beyond the maximum");
    }
    out_.items_unique = limits_.items_unique;
    out_.keys_required = limits_.keys_required;
    return {};
  }

  Status Misplaced(std::string_view what) const {
    return Fail(Code::kInvalid,
                fmt::format("{} does not fit the type {}", what, iceberg::TypeText(column_.type)));
  }

  const Column& column_;
  const Limits& limits_;
  TypeKind kind_;
  Checks out_;
};

}  // namespace

Result<Checks> CompileChecks(const Column& column) { return Compiler(column).Run(); }

}  // namespace weft::contract
