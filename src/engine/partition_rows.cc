// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <unordered_map>

#include "engine/duckdb_types_internal.h"
#include "engine/partition_rows_internal.h"
#include "iceberg/single_value.h"

namespace weft::engine {
namespace {

using iceberg::ColumnView;
using iceberg::TypeKind;

const iceberg::Field* FieldById(const std::vector<iceberg::Field>& fields, int id) {
  for (const auto& field : fields) {
    if (field.id == id) return &field;
  }
  return nullptr;
}

// The raw octets of a column's value at a row: equal values have equal octets.
std::string RawValue(const ColumnView& column, int64_t row) {
  auto fixed = [&](int64_t width) {
    return std::string(reinterpret_cast<const char*>(column.values + row * width),
                       static_cast<size_t>(width));
  };
  switch (column.field->type.kind) {
    case TypeKind::kBoolean:
      return std::string(1, static_cast<char>(column.values[row >> 3] >> (row & 7) & 1));
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kFloat:
      return fixed(4);
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kDouble:
      return fixed(8);
    case TypeKind::kDecimal:
    case TypeKind::kUuid:
      return fixed(16);
    case TypeKind::kFixed:
      return fixed(column.field->type.length);
    default:
      return std::string(reinterpret_cast<const char*>(column.values) + column.offsets[row],
                         static_cast<size_t>(column.offsets[row + 1] - column.offsets[row]));
  }
}

// Raw octets are the single-value form already, but for decimals: theirs is big-endian and short.
Bytes Encoded(const iceberg::Type& type, const std::string& raw) {
  if (type.kind != TypeKind::kDecimal) return raw;
  iceberg::Int128 value = 0;
  std::memcpy(&value, raw.data(), sizeof(value));
  return iceberg::EncodeSingleValue(type, value);
}

struct Source {
  const iceberg::PartitionField* field;
  const iceberg::Field* column;
};

// Computes the transforms once for each distinct value.
class Keys {
 public:
  explicit Keys(std::vector<Source> sources)
      : sources_(std::move(sources)), known_(sources_.size()) {}

  Result<std::vector<iceberg::SingleValue>> Of(const std::vector<const ColumnView*>& columns,
                                               int64_t row) {
    std::vector<iceberg::SingleValue> values;
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (columns[i] == nullptr || !columns[i]->valid(row)) {
        values.emplace_back();
        continue;
      }
      auto raw = RawValue(*columns[i], row);
      auto known = known_[i].find(raw);
      if (known == known_[i].end()) {
        const auto& type = sources_[i].column->type;
        auto value = TRY(iceberg::ApplyTransform(*sources_[i].field, type,
                                                 Encoded(columns[i]->field->type, raw)));
        // Bounded: a partition by something all but unique must not hold every value twice.
        if (known_[i].size() > 100'000) known_[i].clear();
        known = known_[i].emplace(std::move(raw), std::move(value)).first;
      }
      values.push_back(known->second);
    }
    return values;
  }

 private:
  std::vector<Source> sources_;
  std::vector<std::unordered_map<std::string, iceberg::SingleValue>> known_;
};

std::string KeyText(const std::vector<iceberg::SingleValue>& values) {
  std::string text;
  for (const auto& value : values) {
    text += value ? std::to_string(value->size()) + ":" + *value : "-";
    text += ';';
  }
  return text;
}

TailPiece Whole(const ColumnSlice& slice) {
  return {.chunk = slice.chunk,
          .first_row = slice.first_row,
          .end_row = slice.end_row,
          .picked = nullptr};
}

}  // namespace

Result<std::vector<PartitionRows>> PartRows(const WriteRequest& request) {
  std::vector<PartitionRows> parts;
  if (request.spec.fields.empty()) {
    parts.emplace_back();
    for (const auto& slice : request.rows) parts[0].pieces.push_back(Whole(slice));
    return parts;
  }
  std::vector<Source> sources;
  for (const auto& field : request.spec.fields) {
    const auto* column = FieldById(request.schema.fields, field.source_id);
    if (column == nullptr)
      return Fail(Code::kInvalid, fmt::format("partition field {} has no column", field.name));
    sources.push_back({&field, column});
  }
  Keys keys(sources);
  std::unordered_map<std::string, size_t> places;
  for (const auto& slice : request.rows) {
    std::vector<const ColumnView*> columns;
    for (const auto& source : sources)
      columns.push_back(FindColumn(slice.chunk->columns(), source.column->id));
    std::unordered_map<size_t, std::shared_ptr<std::vector<uint32_t>>> picked;
    for (int64_t row = slice.first_row; row < slice.end_row; ++row) {
      auto values = TRY(keys.Of(columns, row));
      auto [place, fresh] = places.emplace(KeyText(values), parts.size());
      if (fresh) parts.push_back({.partition = std::move(values), .pieces = {}});
      auto& rows = picked[place->second];
      if (rows == nullptr) rows = std::make_shared<std::vector<uint32_t>>();
      rows->push_back(static_cast<uint32_t>(row));
    }
    for (auto& [place, rows] : picked) {
      auto count = static_cast<int64_t>(rows->size());
      parts[place].pieces.push_back(
          {.chunk = slice.chunk, .first_row = 0, .end_row = count, .picked = std::move(rows)});
    }
  }
  return parts;
}

}  // namespace weft::engine
