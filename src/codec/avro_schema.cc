// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "codec/avro.h"

namespace weft::codec {
namespace {

using Json = nlohmann::json;

constexpr int kDepthMax = 100;

struct Named {
  std::string_view name;
  AvroKind kind;
};
constexpr std::array kPrimitives = {
    Named{"null", AvroKind::kNull},   Named{"boolean", AvroKind::kBoolean},
    Named{"int", AvroKind::kInt},     Named{"long", AvroKind::kLong},
    Named{"float", AvroKind::kFloat}, Named{"double", AvroKind::kDouble},
    Named{"bytes", AvroKind::kBytes}, Named{"string", AvroKind::kString},
};

tl::unexpected<Error> Wrong(std::string_view what) {
  return Fail(Code::kCorrupt, fmt::format("not an Avro schema: {}", what));
}

std::string TextOf(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace

class AvroSchemaParser {
 public:
  explicit AvroSchemaParser(AvroSchema& schema) : schema_(schema) {}

  Result<const AvroType*> Read(const Json& json, const std::string& space, int depth);
  void SetRoot(const AvroType* root) { schema_.root_ = root; }

 private:
  Result<const AvroType*> ReadUnion(const Json& json, const std::string& space, int depth);
  Result<const AvroType*> ReadNamed(const Json& json, const std::string& kind, std::string space,
                                    int depth);
  Status ReadFields(const Json& json, AvroType& record, const std::string& space, int depth);
  AvroType& Add(AvroKind kind) {
    schema_.types_.emplace_back();
    schema_.types_.back().kind = kind;
    return schema_.types_.back();
  }
  Result<const AvroType*> ByName(const std::string& name, const std::string& space) {
    for (const auto& [text, kind] : kPrimitives) {
      if (name == text) return &Add(kind);
    }
    auto it = named_.find(name.find('.') == std::string::npos && !space.empty() ? space + "." + name
                                                                                : name);
    if (it == named_.end()) it = named_.find(name);
    if (it == named_.end()) return Wrong("it names a type that it does not have");
    return it->second;
  }

  AvroSchema& schema_;
  std::map<std::string, const AvroType*> named_;
};

Result<const AvroType*> AvroSchemaParser::Read(const Json& json, const std::string& space,
                                               int depth) {
  if (depth > kDepthMax) return Wrong("it is nested too deeply");
  if (json.is_string()) return ByName(json.get<std::string>(), space);
  if (json.is_array()) return ReadUnion(json, space, depth);
  if (!json.is_object() || !json.contains("type")) return Wrong("a type is missing");
  const Json& type = json.at("type");
  if (!type.is_string()) return Read(type, space, depth + 1);
  const std::string kind = type.get<std::string>();
  if (kind == "record" || kind == "error" || kind == "enum" || kind == "fixed") {
    return ReadNamed(json, kind, space, depth);
  }
  if (kind == "array" || kind == "map") {
    const char* key = kind == "array" ? "items" : "values";
    if (!json.contains(key)) return Wrong("an array or map lacks its items");
    AvroType& made = Add(kind == "array" ? AvroKind::kArray : AvroKind::kMap);
    made.logical_type = TextOf(json, "logicalType");
    made.inner.push_back(TRY(Read(json.at(key), space, depth + 1)));
    return &made;
  }
  const AvroType* found = TRY(ByName(kind, space));
  AvroType& made = Add(found->kind);
  made = *found;
  made.logical_type = TextOf(json, "logicalType");
  return &made;
}

Result<const AvroType*> AvroSchemaParser::ReadUnion(const Json& json, const std::string& space,
                                                    int depth) {
  if (json.empty()) return Wrong("a union has no branches");
  AvroType& made = Add(AvroKind::kUnion);
  for (const Json& branch : json) {
    if (branch.is_array()) return Wrong("a union within a union");
    made.inner.push_back(TRY(Read(branch, space, depth + 1)));
  }
  return &made;
}

Result<const AvroType*> AvroSchemaParser::ReadNamed(const Json& json, const std::string& kind,
                                                    std::string space, int depth) {
  std::string name = TextOf(json, "name");
  if (name.empty()) return Wrong("a named type lacks its name");
  if (const size_t dot = name.rfind('.'); dot != std::string::npos) {
    space = name.substr(0, dot);
  } else {
    if (json.contains("namespace")) space = TextOf(json, "namespace");
    if (!space.empty()) name = space + "." + name;
  }
  AvroType& made = Add(kind == "fixed"  ? AvroKind::kFixed
                       : kind == "enum" ? AvroKind::kEnum
                                        : AvroKind::kRecord);
  made.logical_type = TextOf(json, "logicalType");
  named_[name] = &made;
  if (made.kind == AvroKind::kFixed) {
    const auto size = json.find("size");
    if (size == json.end() || !size->is_number_integer() || size->get<int64_t>() < 0 ||
        size->get<int64_t>() > std::numeric_limits<int32_t>::max()) {
      return Wrong("a fixed type lacks its size");
    }
    made.size = size->get<int64_t>();
  } else if (made.kind == AvroKind::kRecord) {
    if (Status status = ReadFields(json, made, space, depth); !status.ok()) {
      return Fail(std::move(status).error());
    }
  }
  return &made;
}

Status AvroSchemaParser::ReadFields(const Json& json, AvroType& record, const std::string& space,
                                    int depth) {
  const auto list = json.find("fields");
  if (list == json.end() || !list->is_array()) return Wrong("a record lacks its fields");
  for (const Json& item : *list) {
    if (!item.is_object() || !item.contains("type")) return Wrong("a field lacks its type");
    AvroField field;
    field.name = TextOf(item, "name");
    if (const auto id = item.find("field-id"); id != item.end() && id->is_number_integer()) {
      const int64_t value = id->get<int64_t>();
      if (value >= 0 && value <= std::numeric_limits<int>::max())
        field.field_id = static_cast<int>(value);
    }
    field.type = TRY(Read(item.at("type"), space, depth + 1));
    record.fields.push_back(std::move(field));
  }
  return {};
}

Result<std::shared_ptr<const AvroSchema>> AvroSchema::Parse(std::string_view json) {
  bool deep = false;
  const auto shallow = [&deep](int depth, Json::parse_event_t, Json&) {
    deep = deep || depth > 2 * kDepthMax;
    return !deep;
  };
  const Json parsed = Json::parse(json, shallow, /*allow_exceptions=*/false);
  if (deep || parsed.is_discarded()) return Wrong("it is not JSON");
  auto schema = std::make_shared<AvroSchema>();
  AvroSchemaParser parser(*schema);
  parser.SetRoot(TRY(parser.Read(parsed, "", 0)));
  return std::shared_ptr<const AvroSchema>(std::move(schema));
}

}  // namespace weft::codec
