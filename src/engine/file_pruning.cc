// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstring>

#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/optional_filter.hpp"
#include "duckdb/storage/statistics/base_statistics.hpp"
#include "duckdb/storage/statistics/numeric_stats.hpp"
#include "duckdb/storage/statistics/string_stats.hpp"
#include "engine/duckdb_types_internal.h"
#include "engine/mesh_scan_internal.h"
#include "iceberg/single_value.h"

namespace weft::engine {
namespace {

using duckdb::TableFilterType;
using duckdb::Value;
using iceberg::TypeKind;
__extension__ using Unsigned128 = unsigned __int128;

template <class T>
std::optional<T> LittleEndian(const Bytes& bytes) {
  if (bytes.size() != sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

std::optional<Value> DecimalValue(const Bytes& bytes, const iceberg::Type& type) {
  if (bytes.empty() || bytes.size() > 16) return std::nullopt;
  auto number = static_cast<Unsigned128>((bytes[0] & 0x80) != 0 ? -1 : 0);
  for (char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  duckdb::hugeint_t value(static_cast<int64_t>(number >> 64), static_cast<uint64_t>(number));
  auto width = static_cast<uint8_t>(type.precision);
  auto scale = static_cast<uint8_t>(type.scale);
  if (type.precision > 18) return Value::DECIMAL(value, width, scale);
  return Value::DECIMAL(static_cast<int64_t>(static_cast<uint64_t>(number)), width, scale)
      .DefaultCastAs(ToLogical(type));
}

// The value of a bound; nothing for types whose bounds are not used: octets, where little is to be
// won, and UUIDs, which writers do not agree on how to order.
std::optional<Value> BoundValue(const Bytes& bytes, const iceberg::Type& type) {
  switch (type.kind) {
    case TypeKind::kInt:
      if (auto value = LittleEndian<int32_t>(bytes)) return Value::INTEGER(*value);
      return std::nullopt;
    case TypeKind::kFloat:
      if (auto value = LittleEndian<float>(bytes)) return Value::FLOAT(*value);
      return std::nullopt;
    case TypeKind::kDouble:
      if (auto value = LittleEndian<double>(bytes)) return Value::DOUBLE(*value);
      // Written when the column was still a float.
      if (auto value = LittleEndian<float>(bytes)) return Value::DOUBLE(double{*value});
      return std::nullopt;
    case TypeKind::kTime:
      if (auto value = LittleEndian<int64_t>(bytes)) return Value::TIME(duckdb::dtime_t(*value));
      return std::nullopt;
    case TypeKind::kDate:
      if (auto value = LittleEndian<int32_t>(bytes)) return Value::DATE(duckdb::date_t(*value));
      return std::nullopt;
    case TypeKind::kLong:
      if (auto value = LittleEndian<int64_t>(bytes)) return Value::BIGINT(*value);
      // Written when the column was still an int.
      if (auto value = LittleEndian<int32_t>(bytes)) return Value::BIGINT(*value);
      return std::nullopt;
    case TypeKind::kTimestamp:
      if (auto value = LittleEndian<int64_t>(bytes))
        return Value::TIMESTAMP(duckdb::timestamp_t(*value));
      return std::nullopt;
    case TypeKind::kTimestampTz:
      if (auto value = LittleEndian<int64_t>(bytes))
        return Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(*value));
      return std::nullopt;
    case TypeKind::kDecimal:
      return DecimalValue(bytes, type);
    default:
      return std::nullopt;
  }
}

struct Bounds {
  const Bytes* lower = nullptr;
  const Bytes* upper = nullptr;
};

// Days since 1970 at which a year, month or day of the transform begins; nothing far out.
std::optional<int64_t> FirstDay(iceberg::Transform transform, int64_t number) {
  using namespace std::chrono;
  if (number < -1'000'000 || number > 10'000'000) return std::nullopt;
  if (transform == iceberg::Transform::kDay) return number;
  int64_t months_since = transform == iceberg::Transform::kYear ? number * 12 : number;
  if (months_since < -12 * 1900 || months_since > 12 * 8000) return std::nullopt;
  auto month = year(1970) / January + months(static_cast<int>(months_since));
  return sys_days(month / 1).time_since_epoch().count();
}

// The first value, in the column's own unit, of the period that a partition value stands for.
std::optional<int64_t> FirstOfPeriod(iceberg::Transform transform, TypeKind kind, int64_t number) {
  constexpr int64_t kHour = 3'600'000'000;
  if (transform == iceberg::Transform::kHour) {
    if (kind == TypeKind::kDate || number < -24'000'000 || number > 240'000'000)
      return std::nullopt;
    return number * kHour;
  }
  auto day = FirstDay(transform, number);
  if (!day) return std::nullopt;
  return kind == TypeKind::kDate ? *day : *day * 24 * kHour;
}

// The lower and upper bound that the file's partition gives a column of dates or times, encoded.
std::optional<std::pair<Bytes, Bytes>> PeriodBounds(const iceberg::DataFile& file,
                                                    const iceberg::PartitionSpec& spec,
                                                    const iceberg::Field& field) {
  auto kind = field.type.kind;
  if (kind != TypeKind::kDate && kind != TypeKind::kTimestamp && kind != TypeKind::kTimestampTz)
    return std::nullopt;
  if (file.spec_id != spec.spec_id) return std::nullopt;
  for (size_t i = 0; i < spec.fields.size() && i < file.partition.size(); ++i) {
    const auto& part = spec.fields[i];
    bool period = part.transform == iceberg::Transform::kYear ||
                  part.transform == iceberg::Transform::kMonth ||
                  part.transform == iceberg::Transform::kDay ||
                  part.transform == iceberg::Transform::kHour;
    if (part.source_id != field.id || !period || !file.partition[i]) continue;
    auto number = LittleEndian<int32_t>(*file.partition[i]);
    if (!number) continue;
    // Some writers round times before 1970 up rather than down: theirs begin a period earlier.
    auto first = FirstOfPeriod(part.transform, kind, int64_t{*number} - (*number <= 0 ? 1 : 0));
    auto next = FirstOfPeriod(part.transform, kind, int64_t{*number} + 1);
    if (!first || !next) continue;
    return std::pair(iceberg::EncodeSingleValue(field.type, *first),
                     iceberg::EncodeSingleValue(field.type, *next - 1));
  }
  return std::nullopt;
}

Bounds BoundsOf(const iceberg::DataFile& file, const iceberg::PartitionSpec& spec,
                const iceberg::Field& field) {
  Bounds bounds;
  if (auto found = file.lower_bounds.find(field.id); found != file.lower_bounds.end())
    bounds.lower = &found->second;
  if (auto found = file.upper_bounds.find(field.id); found != file.upper_bounds.end())
    bounds.upper = &found->second;
  if (file.spec_id != spec.spec_id) return bounds;
  for (size_t i = 0; i < spec.fields.size() && i < file.partition.size(); ++i) {
    const auto& part = spec.fields[i];
    if (part.source_id != field.id || part.transform != iceberg::Transform::kIdentity ||
        !file.partition[i])
      continue;
    bounds.lower = bounds.upper = &*file.partition[i];
  }
  return bounds;
}

duckdb::BaseStatistics Statistics(const iceberg::DataFile& file, const Bounds& bounds,
                                  const iceberg::Field& field) {
  auto type = ToLogical(field.type);
  auto statistics = duckdb::BaseStatistics::CreateUnknown(type);
  auto nulls = file.null_counts.find(field.id);
  if (nulls != file.null_counts.end() && nulls->second == 0) {
    statistics.Set(duckdb::StatsInfo::CANNOT_HAVE_NULL_VALUES);
  } else if (nulls != file.null_counts.end() && nulls->second == file.record_count) {
    statistics.Set(duckdb::StatsInfo::CANNOT_HAVE_VALID_VALUES);
  }
  if (field.type.kind == TypeKind::kString) {
    if (bounds.lower != nullptr)
      duckdb::StringStats::SetMin(statistics, duckdb::string_t(*bounds.lower));
    if (bounds.upper != nullptr)
      duckdb::StringStats::SetMax(statistics, duckdb::string_t(*bounds.upper));
    return statistics;
  }
  if (field.type.kind == TypeKind::kFloat || field.type.kind == TypeKind::kDouble) {
    // No bound covers NaN, which is greater than every number.
    auto nans = file.nan_counts.find(field.id);
    if (nans == file.nan_counts.end() || nans->second != 0) return statistics;
  }
  auto lower = bounds.lower != nullptr ? BoundValue(*bounds.lower, field.type) : std::nullopt;
  auto upper = bounds.upper != nullptr ? BoundValue(*bounds.upper, field.type) : std::nullopt;
  if (lower) duckdb::NumericStats::SetMin(statistics, *lower);
  if (upper) duckdb::NumericStats::SetMax(statistics, *upper);
  return statistics;
}

bool May(duckdb::BaseStatistics& statistics, const duckdb::TableFilter& filter) {
  switch (filter.filter_type) {
    case TableFilterType::CONJUNCTION_AND:
      for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) {
        if (!May(statistics, *child)) return false;
      }
      return true;
    case TableFilterType::CONJUNCTION_OR:
      for (const auto& child : filter.Cast<duckdb::ConjunctionOrFilter>().child_filters) {
        if (May(statistics, *child)) return true;
      }
      return false;
    case TableFilterType::OPTIONAL_FILTER: {
      const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter;
      return child == nullptr || May(statistics, *child);
    }
    case TableFilterType::CONSTANT_COMPARISON:
    case TableFilterType::IN_FILTER:
    case TableFilterType::IS_NULL:
    case TableFilterType::IS_NOT_NULL:
      return filter.CheckStatistics(statistics) !=
             duckdb::FilterPropagateResult::FILTER_ALWAYS_FALSE;
    default:
      return true;
  }
}

bool Prunable(TypeKind kind) {
  switch (kind) {
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kFloat:
    case TypeKind::kDouble:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kDecimal:
    case TypeKind::kString:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool MayMatch(const iceberg::DataFile& file, const iceberg::PartitionSpec& spec,
              const iceberg::Field& field, const duckdb::TableFilter& filter) {
  if (!Prunable(field.type.kind)) return true;
  auto bounds = BoundsOf(file, spec, field);
  auto period = PeriodBounds(file, spec, field);
  if (period && bounds.lower == nullptr) bounds.lower = &period->first;
  if (period && bounds.upper == nullptr) bounds.upper = &period->second;
  auto statistics = Statistics(file, bounds, field);
  return May(statistics, filter);
}

}  // namespace weft::engine
