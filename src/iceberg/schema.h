// SPDX-License-Identifier: Apache-2.0
// Table schemas as in the Iceberg table specification, "Schemas and Data Types": the types of
// Weft's tables, of its contracts' columns and of the rows between log and table.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace weft::iceberg {

// A decimal's unscaled value: 38 digits fit.
__extension__ typedef __int128 Int128;

enum class TypeKind {
  kBoolean,
  kInt,   // 32 bits
  kLong,  // 64 bits
  kFloat,
  kDouble,
  kDecimal,      // precision 1 to 38
  kDate,         // days since 1970
  kTime,         // microseconds of the day
  kTimestamp,    // microseconds since 1970, without a zone
  kTimestampTz,  // microseconds since 1970 in UTC
  kString,
  kUuid,
  kFixed,
  kBinary,
  kStruct,
  kList,
  kMap,
};

struct Field;

struct Type {
  TypeKind kind = TypeKind::kString;
  int precision = 0, scale = 0;  // kDecimal
  int length = 0;                // kFixed
  // kStruct: its fields. kList: one, named "element". kMap: two, named "key" (required) and
  // "value".
  std::vector<Field> fields;

  bool nested() const {
    return kind == TypeKind::kStruct || kind == TypeKind::kList || kind == TypeKind::kMap;
  }
};

struct Field {
  int id = 0;  // unique in the table over all its schemas; 0: not yet given
  std::string name;
  bool required = false;
  Type type;
  std::string doc;
};
bool operator==(const Type& a, const Type& b);
bool operator==(const Field& a, const Field& b);

struct Schema {
  int schema_id = 0;
  std::vector<Field> fields;
  std::vector<int> identifier_field_ids;
};

// "long", "decimal(12,2)", "list<struct<…>>": for people.
std::string TypeText(const Type& type);

// Gives ids to the fields that have none, nested ones after those of their level (breadth first),
// counting up from `last_column_id`, which is moved on.
void AssignIds(std::vector<Field>& fields, int& last_column_id);

// The field of this id at any depth; nullptr where there is none.
const Field* FindField(const std::vector<Field>& fields, int id);

// The specification's JSON form ("Appendix C: JSON serialization").
std::string SchemaToJson(const Schema& schema);
Result<Schema> SchemaFromJson(std::string_view json);

}  // namespace weft::iceberg
