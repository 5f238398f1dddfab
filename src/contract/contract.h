// SPDX-License-Identifier: Apache-2.0
// Data contracts: the Open Data Contract Standard (ODCS) 3.0.x and 3.1.0, and the short form of
// mesh.yaml with Hive types. A contract is kept verbatim; what Weft needs of it is read out here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/schema.h"

namespace weft::contract {

// What a value must be beyond its type. Bounds are kept as exact text, compared by the column's
// type.
struct Limits {
  std::optional<int64_t> length_min, length_max;  // code points
  std::string pattern;                            // ECMA-262, not anchored
  std::string format;  // email, uuid, uri, ipv4, ipv6, hostname, byte, binary, password; others are
                       // refused at plan
  std::optional<std::string> minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;
  std::optional<int64_t> items_min,
      items_max;  // of an array; properties of an object without declared ones
  bool items_unique = false;
  std::vector<std::string> keys_required;  // of an object without declared properties
};

// One column, or a nested part: the table type and the checks.
struct Column {
  std::string name;  // the key in a record, and the table's column
  bool required = false;
  iceberg::Type type;  // without ids
  Limits limits;
  std::string date_format;  // a JDK pattern from logicalTypeOptions.format; "" = ISO
  bool zone_required =
      false;  // a timestamp whose defaultTimezone is not UTC: a text must say its zone
  // "i8" to "u128": what an integer may be, where that is not all that its type holds. A decimal
  // with it is an integer too wide for a long, and is checked as an integer.
  std::string integer_format;
  // An object or array whose parts are not declared: the type is kString, and holds its JSON text.
  enum class JsonText { kNo, kObject, kArray };
  JsonText json_text = JsonText::kNo;
  std::vector<Column> children;  // struct: its fields; list: one; map: key and value
  std::string doc;
};

struct SchemaObject {
  std::string name;
  std::vector<Column> columns;  // none: no table
  // From `partitioned` properties, in partitionKeyPosition order: column names (used where delivery
  // does not say).
  std::vector<std::string> partition_columns;
};

struct Contract {
  std::string id, name, version, status;
  std::vector<SchemaObject> objects;
  std::string text;  // the document's very bytes
};

// Reads an ODCS document (YAML or JSON). kInvalid names the line and the key: not YAML, not ODCS,
// an unknown key at the root, a bad logicalType, a limit that does not fit its type, a pattern that
// PCRE2 cannot hold, a reserved or doubled column name. An unknown physicalType counts for nothing:
// logicalType decides.
Result<Contract> ParseOdcs(const std::string& text);

// The short form: names and Hive/Glue types, all optional. Its text is an ODCS document made of
// them.
struct ShortColumn {
  std::string name, type;
};
Result<Contract> FromShortForm(const std::string& product, const std::vector<ShortColumn>& columns);

// The names of the columns that every table has besides its contract's, with the ids they always
// get.
inline constexpr std::string_view kIdColumn = "_id";            // id 1, text, required
inline constexpr std::string_view kArrivalColumn = "_arrival";  // id 2, timestamptz, required

// The table schema for a new table: the contract's columns with ids from 3, then _id and _arrival.
struct TableSchema {
  iceberg::Schema schema;
  int last_column_id = 0;
};
TableSchema MakeTableSchema(const SchemaObject& object);

// The table schema after the contract changed: the same when nothing did, with optional columns
// added (at top level or within structs), or kInvalid naming each other change and why it is
// refused. Changes of limits that keep every type and requirement are allowed.
Result<TableSchema> Evolve(const iceberg::Schema& current, int last_column_id,
                           const SchemaObject& object);

}  // namespace weft::contract
