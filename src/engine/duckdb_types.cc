// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <type_traits>

#include "duckdb/parser/expression/constant_expression.hpp"
#include "engine/duckdb_types_internal.h"
#include "engine/text_words_internal.h"

namespace weft::engine {
namespace {

using duckdb::LogicalType;
using duckdb::Vector;
using iceberg::ColumnView;
using iceberg::Type;
using iceberg::TypeKind;

std::string Quoted(const std::string& name) {
  std::string text = "\"";
  for (char c : name) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + "\"";
}

std::string FieldIdEntry(const std::string& name, const iceberg::Field& field) {
  if (!field.type.nested()) return Quoted(name) + ": " + std::to_string(field.id);
  std::string text = Quoted(name) + ": {__duckdb_field_id: " + std::to_string(field.id);
  for (const auto& child : field.type.fields) {
    text += ", " + FieldIdEntry(child.name, child);
  }
  return text + "}";
}

void CopyValidity(const ColumnView& column, const RowRange& rows, Vector& to) {
  if (column.validity == nullptr) return;
  auto& mask = duckdb::FlatVector::Validity(to);
  if (rows.picked == nullptr && rows.first % 8 == 0 && rows.count > 0) {
    // Both have a bit a row, the least significant first.
    mask.EnsureWritable();
    std::memcpy(mask.GetData(), column.validity + rows.first / 8,
                static_cast<size_t>(rows.count + 7) / 8);
    return;
  }
  for (int64_t i = 0; i < rows.count; ++i) {
    if (!column.valid(rows.row(i))) mask.SetInvalid(static_cast<duckdb::idx_t>(i));
  }
}

template <class From, class To>
void FillNumbers(const ColumnView& column, const RowRange& rows, Vector& to) {
  const auto* from = reinterpret_cast<const From*>(column.values);
  auto* data = duckdb::FlatVector::GetData<To>(to);
  if constexpr (std::is_same_v<From, To>) {
    if (rows.picked == nullptr) {
      if (rows.count > 0)
        std::memcpy(data, from + rows.first, sizeof(To) * static_cast<size_t>(rows.count));
      return;
    }
  }
  for (int64_t i = 0; i < rows.count; ++i) data[i] = static_cast<To>(from[rows.row(i)]);
}

template <class To>
void FillDecimals(const ColumnView& column, const RowRange& rows, Vector& to) {
  auto* data = duckdb::FlatVector::GetData<To>(to);
  for (int64_t i = 0; i < rows.count; ++i) {
    const uint8_t* at = column.values + rows.row(i) * 16;
    uint64_t low = 0;
    int64_t high = 0;
    std::memcpy(&low, at, 8);
    std::memcpy(&high, at + 8, 8);
    if constexpr (std::is_same_v<To, duckdb::hugeint_t>) {
      data[i] = duckdb::hugeint_t(high, low);
    } else {
      data[i] = static_cast<To>(low);
    }
  }
}

void FillDecimal(const ColumnView& column, const RowRange& rows, Vector& to) {
  switch (to.GetType().InternalType()) {
    case duckdb::PhysicalType::INT16:
      return FillDecimals<int16_t>(column, rows, to);
    case duckdb::PhysicalType::INT32:
      return FillDecimals<int32_t>(column, rows, to);
    case duckdb::PhysicalType::INT64:
      return FillDecimals<int64_t>(column, rows, to);
    default:
      return FillDecimals<duckdb::hugeint_t>(column, rows, to);
  }
}

uint64_t BigEndian(const uint8_t* at) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | at[i];
  return value;
}

void FillUuids(const ColumnView& column, const RowRange& rows, Vector& to) {
  auto* data = duckdb::FlatVector::GetData<duckdb::hugeint_t>(to);
  for (int64_t i = 0; i < rows.count; ++i) {
    const uint8_t* at = column.values + rows.row(i) * 16;
    // DuckDB flips the first bit, so that signed comparison sorts as octets do.
    data[i] = duckdb::hugeint_t(static_cast<int64_t>(BigEndian(at) ^ (uint64_t{1} << 63)),
                                BigEndian(at + 8));
  }
}

void FillTexts(const ColumnView& column, const RowRange& rows, Vector& to) {
  auto* data = duckdb::FlatVector::GetData<duckdb::string_t>(to);
  const TextColumn texts(column);
  for (int64_t i = 0; i < rows.count; ++i) {
    int64_t row = rows.row(i);
    if (column.valid(row)) data[i] = texts.At(row).string();
  }
}

void FillFixed(const ColumnView& column, int length, const RowRange& rows, Vector& to) {
  auto* data = duckdb::FlatVector::GetData<duckdb::string_t>(to);
  const auto* text = reinterpret_cast<const char*>(column.values);
  for (int64_t i = 0; i < rows.count; ++i) {
    data[i] = duckdb::string_t(text + rows.row(i) * length, static_cast<uint32_t>(length));
  }
}

void FillBooleans(const ColumnView& column, const RowRange& rows, Vector& to) {
  auto* data = duckdb::FlatVector::GetData<bool>(to);
  for (int64_t i = 0; i < rows.count; ++i) {
    int64_t row = rows.row(i);
    data[i] = (column.values[row >> 3] >> (row & 7) & 1) != 0;
  }
}

// Lists and maps: `children` are filled with the elements of the chosen rows, back to back.
void FillLists(const Type& want, const ColumnView& column, const RowRange& rows, Vector& to) {
  auto* entries = duckdb::ListVector::GetData(to);
  std::vector<uint32_t> picked;
  duckdb::idx_t total = 0;
  bool contiguous = rows.picked == nullptr && column.null_count == 0;
  for (int64_t i = 0; i < rows.count; ++i) {
    int64_t row = rows.row(i);
    if (!column.valid(row)) {
      entries[i] = duckdb::list_entry_t(total, 0);
      continue;
    }
    auto length = static_cast<duckdb::idx_t>(column.offsets[row + 1] - column.offsets[row]);
    entries[i] = duckdb::list_entry_t(total, length);
    total += length;
    if (contiguous) continue;
    for (int32_t k = column.offsets[row]; k < column.offsets[row + 1]; ++k)
      picked.push_back(static_cast<uint32_t>(k));
  }
  duckdb::ListVector::Reserve(to, total);
  duckdb::ListVector::SetListSize(to, total);
  RowRange elements{.count = static_cast<int64_t>(total)};
  if (contiguous) {
    elements.first = rows.count > 0 ? column.offsets[rows.first] : 0;
  } else {
    elements.picked = picked.data();
  }
  auto& child = duckdb::ListVector::GetEntry(to);
  if (want.kind == TypeKind::kList) {
    FillVector(want.fields[0].type, &column.children[0], elements, child);
    return;
  }
  auto& parts = duckdb::StructVector::GetEntries(child);
  for (size_t k = 0; k < 2; ++k)
    FillVector(want.fields[k].type, &column.children[k], elements, *parts[k]);
}

void FillNulls(int64_t count, Vector& to) {
  for (int64_t i = 0; i < count; ++i)
    duckdb::FlatVector::SetNull(to, static_cast<duckdb::idx_t>(i), true);
}

void FillStruct(const Type& want, const ColumnView& column, const RowRange& rows, Vector& to) {
  auto& parts = duckdb::StructVector::GetEntries(to);
  for (size_t k = 0; k < want.fields.size(); ++k) {
    FillVector(want.fields[k].type, FindColumn(column.children, want.fields[k].id), rows,
               *parts[k]);
  }
  for (int64_t i = 0; i < rows.count; ++i) {
    if (!column.valid(rows.row(i)))
      duckdb::FlatVector::SetNull(to, static_cast<duckdb::idx_t>(i), true);
  }
}

void FillScalars(const Type& want, const ColumnView& column, const RowRange& rows, Vector& to) {
  TypeKind have = column.field->type.kind;
  if (want.kind == TypeKind::kLong && have == TypeKind::kInt)
    return FillNumbers<int32_t, int64_t>(column, rows, to);
  if (want.kind == TypeKind::kDouble && have == TypeKind::kFloat)
    return FillNumbers<float, double>(column, rows, to);
  if (want.kind != have)
    throw duckdb::InvalidInputException("a column's type cannot be read as the table's");
  switch (want.kind) {
    case TypeKind::kBoolean:
      return FillBooleans(column, rows, to);
    case TypeKind::kInt:
    case TypeKind::kDate:
      return FillNumbers<int32_t, int32_t>(column, rows, to);
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return FillNumbers<int64_t, int64_t>(column, rows, to);
    case TypeKind::kFloat:
      return FillNumbers<float, float>(column, rows, to);
    case TypeKind::kDouble:
      return FillNumbers<double, double>(column, rows, to);
    case TypeKind::kDecimal:
      return FillDecimal(column, rows, to);
    case TypeKind::kUuid:
      return FillUuids(column, rows, to);
    case TypeKind::kFixed:
      return FillFixed(column, column.field->type.length, rows, to);
    default:
      return FillTexts(column, rows, to);
  }
}

}  // namespace

LogicalType ToLogical(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return LogicalType::BOOLEAN;
    case TypeKind::kInt:
      return LogicalType::INTEGER;
    case TypeKind::kLong:
      return LogicalType::BIGINT;
    case TypeKind::kFloat:
      return LogicalType::FLOAT;
    case TypeKind::kDouble:
      return LogicalType::DOUBLE;
    case TypeKind::kDecimal:
      return LogicalType::DECIMAL(static_cast<uint8_t>(type.precision),
                                  static_cast<uint8_t>(type.scale));
    case TypeKind::kDate:
      return LogicalType::DATE;
    case TypeKind::kTime:
      return LogicalType::TIME;
    case TypeKind::kTimestamp:
      return LogicalType::TIMESTAMP;
    case TypeKind::kTimestampTz:
      return LogicalType::TIMESTAMP_TZ;
    case TypeKind::kString:
      return LogicalType::VARCHAR;
    case TypeKind::kUuid:
      return LogicalType::UUID;
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return LogicalType::BLOB;
    case TypeKind::kStruct: {
      duckdb::child_list_t<LogicalType> children;
      for (const auto& field : type.fields)
        children.emplace_back(field.name, ToLogical(field.type));
      return LogicalType::STRUCT(std::move(children));
    }
    case TypeKind::kList:
      return LogicalType::LIST(ToLogical(type.fields.at(0).type));
    case TypeKind::kMap:
      return LogicalType::MAP(ToLogical(type.fields.at(0).type), ToLogical(type.fields.at(1).type));
  }
  throw duckdb::InternalException("unknown type");
}

duckdb::MultiFileColumnDefinition ToDefinition(const iceberg::Field& field) {
  auto type = ToLogical(field.type);
  duckdb::MultiFileColumnDefinition definition(field.name, type);
  definition.identifier = duckdb::Value::INTEGER(field.id);
  definition.default_expression =
      duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(type));
  for (const auto& child : field.type.fields) definition.children.push_back(ToDefinition(child));
  return definition;
}

std::string FieldIdsText(const std::vector<iceberg::Field>& fields) {
  std::string text = "{";
  for (const auto& field : fields) {
    if (text.size() > 1) text += ", ";
    text += FieldIdEntry(field.name, field);
  }
  return text + "}";
}

const ColumnView* FindColumn(const std::vector<ColumnView>& columns, int field_id) {
  for (const auto& column : columns) {
    if (column.field != nullptr && column.field->id == field_id) return &column;
  }
  return nullptr;
}

void FillVector(const Type& want, const ColumnView* column, const RowRange& rows, Vector& to) {
  if (column == nullptr) return FillNulls(rows.count, to);
  if (want.kind == TypeKind::kStruct) return FillStruct(want, *column, rows, to);
  CopyValidity(*column, rows, to);
  if (want.kind == TypeKind::kList || want.kind == TypeKind::kMap)
    return FillLists(want, *column, rows, to);
  FillScalars(want, *column, rows, to);
}

}  // namespace weft::engine
