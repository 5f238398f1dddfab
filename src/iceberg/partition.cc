// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>

#include "iceberg/single_value.h"

namespace weft::iceberg {
namespace {

constexpr int64_t kMicrosOfHour = 3'600'000'000LL;
constexpr int64_t kMicrosOfDay = 24 * kMicrosOfHour;
constexpr size_t kPathValueMax = 64;

int64_t FloorDivide(int64_t value, int64_t by) {
  return value / by - (value % by != 0 && value < 0 ? 1 : 0);
}

// Days to 2^31 lie far outside what std::chrono's year holds; such dates are not told by their
// calendar.
struct Calendar {
  int64_t year = 0;
  unsigned month = 1, day = 1;
};

// The proleptic Gregorian date of a day since 1970, for any day (Howard Hinnant's civil_from_days).
Calendar CalendarOf(int64_t days) {
  days += 719468;
  const int64_t era = FloorDivide(days, 146097);
  const auto of_era = static_cast<uint64_t>(days - era * 146097);
  const uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const uint64_t month = (5 * of_year + 2) / 153;
  Calendar date;
  date.day = static_cast<unsigned>(of_year - (153 * month + 2) / 5 + 1);
  date.month = static_cast<unsigned>(month < 10 ? month + 3 : month - 9);
  date.year = static_cast<int64_t>(year) + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

std::string DayText(int64_t days) {
  const Calendar date = CalendarOf(days);
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::string TimeText(int64_t micros) {
  return fmt::format("{:02}:{:02}:{:02}.{:06}", micros / kMicrosOfHour, micros / 60'000'000 % 60,
                     micros / 1'000'000 % 60, micros % 1'000'000);
}

std::string DecimalText(Int128 value, int scale) {
  const bool negative = value < 0;
  std::string digits;
  for (Int128 rest = value; rest != 0; rest /= 10) {
    const auto digit = static_cast<int>(rest % 10);
    digits += static_cast<char>('0' + (digit < 0 ? -digit : digit));
  }
  while (digits.size() <= static_cast<size_t>(scale)) digits += '0';
  std::reverse(digits.begin(), digits.end());
  if (scale > 0) digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  return negative ? "-" + digits : digits;
}

std::string OctetsText(const Bytes& bytes, bool uuid) {
  std::string text;
  for (size_t at = 0; at < bytes.size(); ++at) {
    if (uuid && (at == 4 || at == 6 || at == 8 || at == 10)) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(bytes[at]));
  }
  return text;
}

std::string ValueText(const Type& type, const PrimitiveValue& value) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return std::get<bool>(value) ? "true" : "false";
    case TypeKind::kDate:
      return DayText(std::get<int64_t>(value));
    case TypeKind::kTime:
      return TimeText(std::get<int64_t>(value));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz: {
      const int64_t micros = std::get<int64_t>(value);
      const int64_t day = FloorDivide(micros, kMicrosOfDay);
      return DayText(day) + "T" + TimeText(micros - day * kMicrosOfDay);
    }
    case TypeKind::kFloat:
      return fmt::format("{}", static_cast<float>(std::get<double>(value)));
    case TypeKind::kDouble:
      return fmt::format("{}", std::get<double>(value));
    case TypeKind::kDecimal:
      return DecimalText(std::get<Int128>(value), type.scale);
    case TypeKind::kString:
      return std::get<Bytes>(value);
    case TypeKind::kUuid:
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return OctetsText(std::get<Bytes>(value), type.kind == TypeKind::kUuid);
    default:
      return fmt::format("{}", std::get<int64_t>(value));
  }
}

std::string TransformedText(Transform transform, const Type& result, const PrimitiveValue& value) {
  const int64_t* number = std::get_if<int64_t>(&value);
  if (number != nullptr && transform == Transform::kYear) {
    return fmt::format("{:04}", 1970 + *number);
  }
  if (number != nullptr && transform == Transform::kMonth) {
    const int64_t years = FloorDivide(*number, 12);
    return fmt::format("{:04}-{:02}", 1970 + years, *number - years * 12 + 1);
  }
  if (number != nullptr && transform == Transform::kDay) return DayText(*number);
  if (number != nullptr && transform == Transform::kHour) {
    const int64_t days = FloorDivide(*number, 24);
    return fmt::format("{}-{:02}", DayText(days), *number - days * 24);
  }
  return ValueText(result, value);
}

// What an object's key may hold as it is; one "_" for each other character.
std::string Plain(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (plain.size() == kPathValueMax) break;
    const bool kept = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '_' || c == '.' || c == '(' || c == ')';
    const bool continued = (static_cast<unsigned char>(c) & 0xc0) == 0x80;
    if (kept) plain += c;
    if (!kept && !continued) plain += '_';
  }
  return plain;
}

// The moment as days and hours since 1970, from a date or a timestamp.
Result<SingleValue> TransformTime(Transform transform, const Type& source, int64_t value) {
  const bool date = source.kind == TypeKind::kDate;
  const int64_t day = date ? value : FloorDivide(value, kMicrosOfDay);
  const Type number{TypeKind::kInt, 0, 0, 0, {}};
  const Calendar calendar = CalendarOf(day);
  switch (transform) {
    case Transform::kYear:
      return SingleValue(EncodeSingleValue(number, calendar.year - 1970));
    case Transform::kMonth:
      return SingleValue(EncodeSingleValue(
          number, (calendar.year - 1970) * 12 + static_cast<int64_t>(calendar.month) - 1));
    case Transform::kDay:
      return SingleValue(EncodeSingleValue(number, day));
    default:
      if (date) return Fail(Code::kInvalid, "a date has no hours to partition by");
      return SingleValue(EncodeSingleValue(number, FloorDivide(value, kMicrosOfHour)));
  }
}

}  // namespace

PartitionField MakePartitionField(const Field& source, Transform transform, int field_id) {
  PartitionField field;
  field.source_id = source.id;
  field.field_id = field_id;
  field.transform = transform;
  switch (transform) {
    case Transform::kYear:
      field.transform_text = "year";
      break;
    case Transform::kMonth:
      field.transform_text = "month";
      break;
    case Transform::kDay:
      field.transform_text = "day";
      break;
    case Transform::kHour:
      field.transform_text = "hour";
      break;
    case Transform::kVoid:
      field.transform_text = "void";
      break;
    default:
      field.transform_text = "identity";
      field.name = source.name;
      return field;
  }
  field.name = source.name + "_" + (transform == Transform::kVoid ? "null" : field.transform_text);
  return field;
}

Type ResultType(const PartitionField& field, const Type& source) {
  Type type;
  type.kind = TypeKind::kInt;
  switch (field.transform) {
    case Transform::kYear:
    case Transform::kMonth:
    case Transform::kHour:
      return type;
    case Transform::kDay:
      type.kind = TypeKind::kDate;
      return type;
    case Transform::kOther:
      return field.transform_text.starts_with("bucket") ? type : source;
    default:
      return source;
  }
}

Result<SingleValue> ApplyTransform(const PartitionField& field, const Type& source,
                                   const SingleValue& value) {
  if (field.transform == Transform::kOther) {
    return Fail(Code::kNotOffered,
                fmt::format("writing partitions by {} is not offered", field.transform_text));
  }
  if (field.transform == Transform::kVoid || !value.has_value()) return SingleValue();
  const PrimitiveValue decoded = TRY(DecodeSingleValue(source, *value));
  if (field.transform == Transform::kIdentity) {
    return SingleValue(EncodeSingleValue(source, decoded));
  }
  if (source.kind != TypeKind::kDate && source.kind != TypeKind::kTimestamp &&
      source.kind != TypeKind::kTimestampTz) {
    return Fail(Code::kInvalid, fmt::format("a column of the type {} cannot be partitioned by {}",
                                            TypeText(source), field.transform_text));
  }
  return TransformTime(field.transform, source, std::get<int64_t>(decoded));
}

std::string PartitionPath(const PartitionSpec& spec, const Schema& schema,
                          const std::vector<SingleValue>& partition) {
  std::string path;
  for (size_t index = 0; index < spec.fields.size(); ++index) {
    const PartitionField& field = spec.fields[index];
    const Field* source = FindField(schema.fields, field.source_id);
    std::string text = "null";
    if (index < partition.size() && partition[index].has_value()) {
      const Type type = ResultType(field, source == nullptr ? Type() : source->type);
      const auto value = DecodeSingleValue(type, *partition[index]);
      text = value.ok() ? TransformedText(field.transform, type, *value) : "unknown";
    }
    if (index > 0) path += '/';
    path += Plain(field.name) + "=" + Plain(text);
  }
  return path;
}

}  // namespace weft::iceberg
