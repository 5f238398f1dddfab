// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "iceberg/manifest_schema_internal.h"

namespace weft::iceberg {
namespace {

Json Required(const char* name, int id, Json type) {
  return {{"name", name}, {"type", std::move(type)}, {"field-id", id}};
}

// Null comes first, as readers insist.
Json Optional(const std::string& name, int id, Json type) {
  return {{"name", name},
          {"type", Json::array({"null", std::move(type)})},
          {"default", nullptr},
          {"field-id", id}};
}

Json Record(const std::string& name, Json fields) {
  return {{"type", "record"}, {"name", name}, {"fields", std::move(fields)}};
}

// A map with integer keys.
Json MapOf(int key_id, int value_id, const char* value) {
  Json item =
      Record(fmt::format("k{}_v{}", key_id, value_id),
             Json::array({Required("key", key_id, "int"), Required("value", value_id, value)}));
  return {{"type", "array"}, {"items", std::move(item)}, {"logicalType", "map"}};
}

Json ListOf(int element_id, Json items) {
  return {{"type", "array"}, {"items", std::move(items)}, {"element-id", element_id}};
}

Json Logical(const char* type, const char* logical) {
  return {{"type", type}, {"logicalType", logical}};
}

Json TimestampType(bool utc) {
  Json json = Logical("long", "timestamp-micros");
  json["adjust-to-utc"] = utc;
  return json;
}

// Named types may be defined once only, so a second one gets a name of its own.
Json Fixed(std::string name, int size, const char* logical, std::set<std::string>& names) {
  const std::string wanted = name;
  for (int count = 2; !names.insert(name).second; ++count) {
    name = fmt::format("{}_{}", wanted, count);
  }
  Json json = {{"type", "fixed"}, {"name", name}, {"size", size}};
  if (logical != nullptr) json["logicalType"] = logical;
  return json;
}

Json PartitionValueType(const Type& type, std::set<std::string>& names) {
  switch (type.kind) {
    case TypeKind::kDate:
      return Logical("int", "date");
    case TypeKind::kTime:
      return Logical("long", "time-micros");
    case TypeKind::kTimestamp:
      return TimestampType(false);
    case TypeKind::kTimestampTz:
      return TimestampType(true);
    case TypeKind::kUuid:
      return Fixed("uuid_fixed", 16, "uuid", names);
    case TypeKind::kFixed:
      return Fixed(fmt::format("fixed_{}", type.length), type.length, nullptr, names);
    case TypeKind::kDecimal: {
      Json json = Fixed(fmt::format("decimal_{}_{}", type.precision, type.scale),
                        static_cast<int>(DecimalBytes(type.precision)), "decimal", names);
      json["precision"] = type.precision;
      json["scale"] = type.scale;
      return json;
    }
    case TypeKind::kBinary:
      return "bytes";
    default:
      return TypeText(type);  // the other primitives have Avro's names
  }
}

bool Letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool Digit(char c) { return c >= '0' && c <= '9'; }

// Avro's names are letters, digits and "_"; other characters as Java's library writes them.
std::string AvroName(const std::string& name) {
  std::string made;
  for (const char c : name) {
    if (Letter(c) || (Digit(c) && !made.empty())) {
      made += c;
    } else if (Digit(c)) {
      made += std::string("_") + c;
    } else {
      made += fmt::format("_x{:X}", static_cast<unsigned char>(c));
    }
  }
  return made.empty() ? "_" : made;
}

Json PartitionRecord(const PartitionSpec& spec, const std::vector<Type>& types) {
  std::set<std::string> names;
  Json fields = Json::array();
  for (size_t index = 0; index < spec.fields.size(); ++index) {
    const PartitionField& field = spec.fields[index];
    const std::string name = AvroName(field.name);
    Json json = Optional(name, field.field_id, PartitionValueType(types[index], names));
    if (name != field.name) json["iceberg-field-name"] = field.name;
    fields.push_back(std::move(json));
  }
  return Record("r102", std::move(fields));
}

}  // namespace

size_t DecimalBytes(int precision) {
  // The largest unscaled value needs log2(10^precision) bits and one of sign.
  static constexpr unsigned char kBytes[] = {1,  1,  1,  2,  2,  3,  3,  4,  4,  4,  5,  5,  6,
                                             6,  6,  7,  7,  8,  8,  9,  9,  9,  10, 10, 11, 11,
                                             11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16};
  return kBytes[precision];
}

Json ManifestSchema(const PartitionSpec& spec, const std::vector<Type>& types) {
  Json file = Json::array(
      {Required("content", 134, "int"), Required("file_path", 100, "string"),
       Required("file_format", 101, "string"),
       Required("partition", 102, PartitionRecord(spec, types)),
       Required("record_count", 103, "long"), Required("file_size_in_bytes", 104, "long"),
       Optional("column_sizes", 108, MapOf(117, 118, "long")),
       Optional("value_counts", 109, MapOf(119, 120, "long")),
       Optional("null_value_counts", 110, MapOf(121, 122, "long")),
       Optional("nan_value_counts", 137, MapOf(138, 139, "long")),
       Optional("lower_bounds", 125, MapOf(126, 127, "bytes")),
       Optional("upper_bounds", 128, MapOf(129, 130, "bytes")),
       Optional("key_metadata", 131, "bytes"), Optional("split_offsets", 132, ListOf(133, "long")),
       Optional("sort_order_id", 140, "int")});
  return Record("manifest_entry",
                Json::array({Required("status", 0, "int"), Optional("snapshot_id", 1, "long"),
                             Optional("sequence_number", 3, "long"),
                             Optional("file_sequence_number", 4, "long"),
                             Required("data_file", 2, Record("r2", std::move(file)))}));
}

Json ManifestListSchema() {
  Json summary = Record("r508", Json::array({Required("contains_null", 509, "boolean"),
                                             Optional("contains_nan", 518, "boolean"),
                                             Optional("lower_bound", 510, "bytes"),
                                             Optional("upper_bound", 511, "bytes")}));
  return Record(
      "manifest_file",
      Json::array(
          {Required("manifest_path", 500, "string"), Required("manifest_length", 501, "long"),
           Required("partition_spec_id", 502, "int"), Required("content", 517, "int"),
           Required("sequence_number", 515, "long"), Required("min_sequence_number", 516, "long"),
           Required("added_snapshot_id", 503, "long"), Required("added_files_count", 504, "int"),
           Required("existing_files_count", 505, "int"),
           Required("deleted_files_count", 506, "int"), Required("added_rows_count", 512, "long"),
           Required("existing_rows_count", 513, "long"),
           Required("deleted_rows_count", 514, "long"),
           Optional("partitions", 507, ListOf(508, std::move(summary))),
           Optional("key_metadata", 519, "bytes")}));
}

}  // namespace weft::iceberg
