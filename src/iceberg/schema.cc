// SPDX-License-Identifier: Apache-2.0
#include "iceberg/schema.h"

#include <array>
#include <charconv>
#include <set>

#include "iceberg/json_internal.h"

namespace weft::iceberg {
namespace {

constexpr int kNestingMax = 50;

struct Named {
  TypeKind kind;
  std::string_view name;
};
constexpr std::array kPlainTypes = {
    Named{TypeKind::kBoolean, "boolean"},
    Named{TypeKind::kInt, "int"},
    Named{TypeKind::kLong, "long"},
    Named{TypeKind::kFloat, "float"},
    Named{TypeKind::kDouble, "double"},
    Named{TypeKind::kDate, "date"},
    Named{TypeKind::kTime, "time"},
    Named{TypeKind::kTimestamp, "timestamp"},
    Named{TypeKind::kTimestampTz, "timestamptz"},
    Named{TypeKind::kString, "string"},
    Named{TypeKind::kUuid, "uuid"},
    Named{TypeKind::kBinary, "binary"},
};

// The text of a type without parts, as the specification writes it.
std::string PrimitiveText(const Type& type) {
  if (type.kind == TypeKind::kDecimal)
    return fmt::format("decimal({},{})", type.precision, type.scale);
  if (type.kind == TypeKind::kFixed) return fmt::format("fixed[{}]", type.length);
  for (const auto& [kind, name] : kPlainTypes) {
    if (kind == type.kind) return std::string(name);
  }
  return "unknown";
}

// "PREFIX a , b SUFFIX" as numbers; empty where the text is not of that form.
std::vector<int> Numbers(std::string_view text, std::string_view prefix, char suffix) {
  if (!text.starts_with(prefix) || !text.ends_with(suffix)) return {};
  text.remove_prefix(prefix.size());
  text.remove_suffix(1);
  std::vector<int> numbers;
  while (true) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return {};
    numbers.push_back(number);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (text.empty()) return numbers;
    if (!text.starts_with(',')) return {};
    text.remove_prefix(1);
  }
}

Result<Type> PrimitiveOf(const std::string& text) {
  Type type;
  for (const auto& [kind, name] : kPlainTypes) {
    if (text != name) continue;
    type.kind = kind;
    return type;
  }
  if (const auto decimal = Numbers(text, "decimal(", ')'); decimal.size() == 2) {
    type.kind = TypeKind::kDecimal;
    type.precision = decimal[0];
    type.scale = decimal[1];
    if (type.precision >= 1 && type.precision <= 38 && type.scale >= 0 &&
        type.scale <= type.precision) {
      return type;
    }
  } else if (const auto fixed = Numbers(text, "fixed[", ']'); fixed.size() == 1 && fixed[0] > 0) {
    type.kind = TypeKind::kFixed;
    type.length = fixed[0];
    return type;
  } else if (text == "timestamp_ns" || text == "timestamptz_ns" || text == "variant" ||
             text == "unknown" || text.starts_with("geometry") || text.starts_with("geography")) {
    return Fail(Code::kNotOffered, fmt::format("columns of the type {} are not offered", text));
  }
  return Fail(Code::kCorrupt, fmt::format("\"{}\" is not a type", text));
}

Json TypeJson(const Type& type);

Json FieldJson(const Field& field) {
  Json json = {{"id", field.id},
               {"name", field.name},
               {"required", field.required},
               {"type", TypeJson(field.type)}};
  if (!field.doc.empty()) json["doc"] = field.doc;
  return json;
}

Json FieldsJson(const std::vector<Field>& fields) {
  Json list = Json::array();
  for (const Field& field : fields) list.push_back(FieldJson(field));
  return list;
}

Json TypeJson(const Type& type) {
  switch (type.kind) {
    case TypeKind::kStruct:
      return {{"type", "struct"}, {"fields", FieldsJson(type.fields)}};
    case TypeKind::kList:
      return {{"type", "list"},
              {"element-id", type.fields[0].id},
              {"element-required", type.fields[0].required},
              {"element", TypeJson(type.fields[0].type)}};
    case TypeKind::kMap:
      return {{"type", "map"},
              {"key-id", type.fields[0].id},
              {"key", TypeJson(type.fields[0].type)},
              {"value-id", type.fields[1].id},
              {"value-required", type.fields[1].required},
              {"value", TypeJson(type.fields[1].type)}};
    default:
      return PrimitiveText(type);
  }
}

Result<Type> TypeOf(const Json& object, const char* key, int depth);

// A list's element, a map's key or value, under the specification's names for its parts.
Result<Field> PartOf(const Json& json, const std::string& name, int depth) {
  Field field;
  field.name = name;
  field.id = TRY(SmallInteger(json, (name + "-id").c_str()));
  field.required = name == "key" || TRY(Boolean(json, (name + "-required").c_str()));
  field.type = TRY(TypeOf(json, name.c_str(), depth));
  return field;
}

Result<std::vector<Field>> FieldsOf(const Json& json, int depth) {
  const Json* list = TRY(OptionalArray(json, "fields"));
  if (list == nullptr) return Fail(Code::kCorrupt, "a struct has no \"fields\"");
  std::vector<Field> fields;
  fields.reserve(list->size());
  for (const Json& item : *list) {
    Field field;
    field.id = TRY(SmallInteger(item, "id"));
    field.name = TRY(Text(item, "name"));
    field.required = TRY(Boolean(item, "required"));
    field.type = TRY(TypeOf(item, "type", depth));
    if (Has(item, "doc")) field.doc = TRY(Text(item, "doc"));
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<Type> TypeOf(const Json& object, const char* key, int depth) {
  if (depth > kNestingMax) return Fail(Code::kCorrupt, "a schema is nested too deeply");
  if (!object.is_object() || !object.contains(key)) {
    return Fail(Code::kCorrupt, fmt::format("a schema lacks \"{}\"", key));
  }
  const Json& json = object.at(key);
  if (json.is_string()) return PrimitiveOf(json.get<std::string>());
  const std::string kind = TRY(Text(json, "type"));
  Type type;
  if (kind == "struct") {
    type.kind = TypeKind::kStruct;
    type.fields = TRY(FieldsOf(json, depth + 1));
  } else if (kind == "list") {
    type.kind = TypeKind::kList;
    type.fields.push_back(TRY(PartOf(json, "element", depth + 1)));
  } else if (kind == "map") {
    type.kind = TypeKind::kMap;
    type.fields.push_back(TRY(PartOf(json, "key", depth + 1)));
    type.fields.push_back(TRY(PartOf(json, "value", depth + 1)));
  } else {
    return PrimitiveOf(kind);
  }
  return type;
}

Status CheckIds(const std::vector<Field>& fields, std::set<int>& seen) {
  for (const Field& field : fields) {
    if (field.id < 0 || (field.id > 0 && !seen.insert(field.id).second)) {
      return Fail(Code::kCorrupt, fmt::format("field id {} is negative or used twice", field.id));
    }
    if (Status status = CheckIds(field.type.fields, seen); !status.ok()) return status;
  }
  return {};
}

}  // namespace

bool operator==(const Type& a, const Type& b) {
  return a.kind == b.kind && a.precision == b.precision && a.scale == b.scale &&
         a.length == b.length && a.fields == b.fields;
}

bool operator==(const Field& a, const Field& b) {
  return a.id == b.id && a.name == b.name && a.required == b.required && a.type == b.type &&
         a.doc == b.doc;
}

std::string TypeText(const Type& type) {
  switch (type.kind) {
    case TypeKind::kStruct: {
      std::string text = "struct<";
      for (const Field& field : type.fields) {
        if (&field != &type.fields.front()) text += ", ";
        text += field.name + ": " + TypeText(field.type);
      }
      return text + ">";
    }
    case TypeKind::kList:
      return "list<" + TypeText(type.fields[0].type) + ">";
    case TypeKind::kMap:
      return "map<" + TypeText(type.fields[0].type) + ", " + TypeText(type.fields[1].type) + ">";
    default:
      return PrimitiveText(type);
  }
}

void AssignIds(std::vector<Field>& fields, int& last_column_id) {
  std::vector<std::vector<Field>*> level = {&fields};
  while (!level.empty()) {
    std::vector<std::vector<Field>*> next;
    for (std::vector<Field>* siblings : level) {
      for (Field& field : *siblings) {
        if (field.id == 0) field.id = ++last_column_id;
        if (!field.type.fields.empty()) next.push_back(&field.type.fields);
      }
    }
    level = std::move(next);
  }
}

const Field* FindField(const std::vector<Field>& fields, int id) {
  for (const Field& field : fields) {
    if (field.id == id) return &field;
    if (const Field* below = FindField(field.type.fields, id); below != nullptr) return below;
  }
  return nullptr;
}

Json SchemaJson(const Schema& schema) {
  Json json = {
      {"type", "struct"}, {"schema-id", schema.schema_id}, {"fields", FieldsJson(schema.fields)}};
  if (!schema.identifier_field_ids.empty()) {
    json["identifier-field-ids"] = schema.identifier_field_ids;
  }
  return json;
}

Result<Schema> SchemaOf(const Json& json) {
  Schema schema;
  if (Has(json, "schema-id")) schema.schema_id = TRY(SmallInteger(json, "schema-id"));
  schema.fields = TRY(FieldsOf(json, 0));
  std::set<int> seen;
  TRY(CheckIds(schema.fields, seen));
  if (const Json* ids = TRY(OptionalArray(json, "identifier-field-ids")); ids != nullptr) {
    for (const Json& id : *ids) {
      if (!id.is_number_integer()) {
        return Fail(Code::kCorrupt, "\"identifier-field-ids\" holds what is not an integer");
      }
      schema.identifier_field_ids.push_back(static_cast<int>(id.get<int64_t>()));
    }
  }
  return schema;
}

std::string SchemaToJson(const Schema& schema) {
  return SchemaJson(schema).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Schema> SchemaFromJson(std::string_view json) {
  const Json object = TRY(ParseObject(json, "the schema"));
  return SchemaOf(object);
}

}  // namespace weft::iceberg
