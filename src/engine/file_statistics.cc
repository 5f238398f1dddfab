// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>

#include "engine/duckdb_types_internal.h"
#include "engine/file_statistics_internal.h"
#include "iceberg/single_value.h"

namespace weft::engine {
namespace {

using duckdb::Value;
using iceberg::DataFile;
using iceberg::Field;
using iceberg::TypeKind;

using Figures = std::map<std::string, std::string>;

// "a"."b" is DuckDB's name of the leaf b in a.
std::string PathOf(const std::string& parent, const std::string& name) {
  std::string text = parent.empty() ? "" : parent + ".";
  text += '"';
  for (char c : name) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + '"';
}

std::map<std::string, Figures> ReadFigures(const Value& statistics) {
  std::map<std::string, Figures> columns;
  if (statistics.IsNull()) return columns;
  for (const auto& entry : duckdb::ListValue::GetChildren(statistics)) {
    const auto& pair = duckdb::StructValue::GetChildren(entry);
    auto& figures = columns[pair[0].ToString()];
    for (const auto& figure : duckdb::ListValue::GetChildren(pair[1])) {
      const auto& named = duckdb::StructValue::GetChildren(figure);
      if (!named[1].IsNull()) figures[named[0].ToString()] = named[1].ToString();
    }
  }
  return columns;
}

std::optional<iceberg::PrimitiveValue> Number(const Value& value) {
  return iceberg::PrimitiveValue(value.GetValueUnsafe<int64_t>());
}

std::optional<iceberg::PrimitiveValue> DecimalNumber(const Value& value) {
  switch (value.type().InternalType()) {
    case duckdb::PhysicalType::INT16:
      return iceberg::PrimitiveValue(iceberg::Int128(value.GetValueUnsafe<int16_t>()));
    case duckdb::PhysicalType::INT32:
      return iceberg::PrimitiveValue(iceberg::Int128(value.GetValueUnsafe<int32_t>()));
    case duckdb::PhysicalType::INT64:
      return iceberg::PrimitiveValue(iceberg::Int128(value.GetValueUnsafe<int64_t>()));
    default: {
      auto huge = value.GetValueUnsafe<duckdb::hugeint_t>();
      iceberg::Int128 number = 0;
      std::memcpy(&number, &huge.lower, 8);
      std::memcpy(reinterpret_cast<char*>(&number) + 8, &huge.upper, 8);
      return iceberg::PrimitiveValue(number);
    }
  }
}

// The value that DuckDB printed; nothing for kinds whose printed form is not surely the value.
std::optional<iceberg::PrimitiveValue> Parse(const iceberg::Type& type, const std::string& text) {
  Value value(text);
  Value parsed;
  std::string problem;
  if (type.kind == TypeKind::kString) return iceberg::PrimitiveValue(text);
  if (!value.DefaultTryCastAs(ToLogical(type), parsed, &problem, true) || parsed.IsNull())
    return std::nullopt;
  switch (type.kind) {
    case TypeKind::kBoolean:
      return iceberg::PrimitiveValue(parsed.GetValueUnsafe<bool>());
    case TypeKind::kInt:
    case TypeKind::kDate:
      return iceberg::PrimitiveValue(int64_t{parsed.GetValueUnsafe<int32_t>()});
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
      return Number(parsed);
    case TypeKind::kDecimal:
      return DecimalNumber(parsed);
    case TypeKind::kFloat:
      return iceberg::PrimitiveValue(double{parsed.GetValueUnsafe<float>()});
    case TypeKind::kDouble:
      return iceberg::PrimitiveValue(parsed.GetValueUnsafe<double>());
    default:
      return std::nullopt;
  }
}

std::optional<Bytes> Bound(const Field& field, const Figures& figures, const char* which) {
  auto found = figures.find(which);
  if (found == figures.end()) return std::nullopt;
  auto type = field.type;
  auto text = found->second;
  if (type.kind == TypeKind::kTimestampTz) {
    // Printed in UTC with its zone; a text in another zone is not understood, and gives no bound.
    type.kind = TypeKind::kTimestamp;
    if (!text.ends_with("+00")) return std::nullopt;
    text.resize(text.size() - 3);
  }
  auto value = Parse(type, text);
  if (!value) return std::nullopt;
  if (std::holds_alternative<double>(*value) && !std::isfinite(std::get<double>(*value)))
    return std::nullopt;
  return iceberg::EncodeSingleValue(field.type, *value);
}

void AddBounds(const Field& field, const Figures& figures, DataFile& file) {
  bool real = field.type.kind == TypeKind::kFloat || field.type.kind == TypeKind::kDouble;
  if (real) {
    auto nan = figures.find("has_nan");
    if (nan == figures.end() || nan->second != "false") return;
    file.nan_counts[field.id] = 0;
  }
  auto lower = Bound(field, figures, "min");
  auto upper = Bound(field, figures, "max");
  if (!lower || !upper) return;
  // -0.0 and 0.0 are equal for DuckDB and ordered for Iceberg.
  if (real && (std::get<double>(*Parse(field.type, figures.at("min"))) == 0 ||
               std::get<double>(*Parse(field.type, figures.at("max"))) == 0)) {
    return;
  }
  auto order = iceberg::CompareSingleValues(field.type, *lower, *upper);
  if (!order.ok() || *order > 0) return;
  if (auto shortened = iceberg::ShortenLowerBound(field.type, *lower))
    file.lower_bounds[field.id] = *shortened;
  if (auto shortened = iceberg::ShortenUpperBound(field.type, *upper))
    file.upper_bounds[field.id] = *shortened;
}

void AddColumn(const Field& field, const std::string& parent, bool within_struct,
               const std::map<std::string, Figures>& columns, DataFile& file) {
  auto path = PathOf(parent, field.name);
  if (field.type.kind == TypeKind::kStruct) {
    for (const auto& child : field.type.fields) AddColumn(child, path, true, columns, file);
    return;
  }
  if (field.type.nested()) return;
  auto found = columns.find(path);
  if (found == columns.end()) return;
  const auto& figures = found->second;
  if (auto size = figures.find("column_size_bytes"); size != figures.end()) {
    file.column_bytes[field.id] = std::stoll(size->second);
  }
  file.value_counts[field.id] = file.record_count;
  auto nulls = figures.find("null_count");
  if (nulls != figures.end() && !within_struct)
    file.null_counts[field.id] = std::stoll(nulls->second);
  AddBounds(field, figures, file);
}

}  // namespace

void AddStatistics(const iceberg::Schema& schema, const Value& column_statistics, DataFile& file) {
  auto columns = ReadFigures(column_statistics);
  for (const auto& field : schema.fields) AddColumn(field, "", false, columns, file);
}

}  // namespace weft::engine
