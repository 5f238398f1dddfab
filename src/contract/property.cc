// SPDX-License-Identifier: Apache-2.0
// How a property becomes a column: logicalType says the family, physicalType narrows it where it
// belongs to that family, and is left alone where it does not (a source's own type name).
#include <algorithm>
#include <set>

#include "base/nearest.h"
#include "contract/checks.h"
#include "contract/property_internal.h"
#include "contract/type_text.h"

namespace weft::contract {
namespace {

using iceberg::TypeKind;

constexpr int kDepthMax = 32;

const std::vector<std::string> kPropertyKeys = {"id",
                                                "name",
                                                "physicalType",
                                                "description",
                                                "businessName",
                                                "tags",
                                                "authoritativeDefinitions",
                                                "customProperties",
                                                "primaryKey",
                                                "logicalType",
                                                "primaryKeyPosition",
                                                "logicalTypeOptions",
                                                "physicalName",
                                                "required",
                                                "unique",
                                                "partitioned",
                                                "examples",
                                                "encryptedName",
                                                "partitionKeyPosition",
                                                "classification",
                                                "properties",
                                                "transformLogic",
                                                "transformSourceObjects",
                                                "transformDescription",
                                                "items",
                                                "quality",
                                                "criticalDataElement",
                                                "relationships"};

const std::vector<std::string> kLogicalTypes = {
    "string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean"};

bool OneOf(TypeKind kind, std::initializer_list<TypeKind> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

Column Plain(TypeKind kind) {
  Column column;
  column.type.kind = kind;
  return column;
}

Column Integer(const std::string& format) {
  Column column = Plain(TypeKind::kLong);
  if (format == "i8" || format == "i16" || format == "i32" || format == "u8" || format == "u16") {
    column.type.kind = TypeKind::kInt;
  } else if (format == "u64" || format == "i128" || format == "u128") {
    column.type.kind = TypeKind::kDecimal;
    column.type.precision = format == "u64" ? 20 : 38;
  }
  return column;
}

Column Moment(const std::string& logical, const std::optional<Column>& physical,
              const std::string& format) {
  bool physical_moment =
      physical && OneOf(physical->type.kind, {TypeKind::kDate, TypeKind::kTime,
                                              TypeKind::kTimestamp, TypeKind::kTimestampTz});
  if (logical == "time") return Plain(TypeKind::kTime);
  if (logical == "timestamp") {
    bool zoneless = physical_moment && physical->type.kind == TypeKind::kTimestamp;
    return Plain(zoneless ? TypeKind::kTimestamp : TypeKind::kTimestampTz);
  }
  // ODCS 3.0 has no logical timestamp and no time: there `date` is all three, told apart by the
  // physical type or by the format.
  if (physical_moment) return *physical;
  if (!format.empty()) {
    auto parsed = MomentFormat::Parse(format);
    if (parsed.ok() && parsed->has_time()) {
      return Plain(parsed->has_date() ? TypeKind::kTimestampTz : TypeKind::kTime);
    }
  }
  return Plain(TypeKind::kDate);
}

Column JsonText(Column::JsonText json_text) {
  Column column = Plain(TypeKind::kString);
  column.json_text = json_text;
  return column;
}

// The column that the types alone say, without name and limits.
Column Resolve(const std::string& logical, const std::optional<Column>& physical,
               const std::string& format, bool has_properties, bool has_items) {
  auto physical_of = [&](std::initializer_list<TypeKind> kinds) {
    return physical && OneOf(physical->type.kind, kinds);
  };
  if (logical == "object" || (logical.empty() && has_properties)) {
    if (has_properties) return Plain(TypeKind::kStruct);
    return physical_of({TypeKind::kStruct, TypeKind::kMap}) ? *physical
                                                            : JsonText(Column::JsonText::kObject);
  }
  if (logical == "array" || (logical.empty() && has_items)) {
    if (has_items) return Plain(TypeKind::kList);
    return physical_of({TypeKind::kList}) ? *physical : JsonText(Column::JsonText::kArray);
  }
  if (logical == "string") {
    return physical_of({TypeKind::kString, TypeKind::kUuid, TypeKind::kBinary})
               ? *physical
               : Plain(TypeKind::kString);
  }
  if (logical == "integer") {
    bool whole = physical_of({TypeKind::kInt, TypeKind::kLong}) ||
                 (physical_of({TypeKind::kDecimal}) && physical->type.scale == 0);
    if (!whole) return Integer(format);
    Column column = *physical;
    // An integer is one by its kind, however wide the decimal that holds it.
    if (column.type.kind == TypeKind::kDecimal) column.integer_format = "i128";
    return column;
  }
  if (logical == "number") {
    if (physical_of({TypeKind::kInt, TypeKind::kLong, TypeKind::kDecimal, TypeKind::kFloat,
                     TypeKind::kDouble})) {
      return *physical;
    }
    return Plain(format == "f32" ? TypeKind::kFloat : TypeKind::kDouble);
  }
  if (logical == "boolean") return Plain(TypeKind::kBoolean);
  if (logical == "date" || logical == "timestamp" || logical == "time")
    return Moment(logical, physical, format);
  return physical.value_or(Plain(TypeKind::kString));
}

Status CheckNumberFormat(const Document& options, const std::string& logical, Column& column) {
  auto format = TRY(TextOf(options, "format"));
  if (format.empty()) return {};
  bool integer = logical == "integer" ||
                 (logical.empty() && OneOf(column.type.kind, {TypeKind::kInt, TypeKind::kLong}));
  bool number = logical == "number" ||
                (logical.empty() && OneOf(column.type.kind, {TypeKind::kFloat, TypeKind::kDouble,
                                                             TypeKind::kDecimal}));
  if (integer) {
    column.integer_format = format;
  } else if (number && format != "f32" && format != "f64") {
    return Fail(Code::kInvalid,
                fmt::format("{}'{}' is not a format of numbers: f32, f64", At(options), format));
  }
  return {};
}

// Lays the children's types into the column's own.
void FinishType(Column& column) {
  column.type.fields.clear();
  for (size_t i = 0; i < column.children.size(); ++i) {
    Column& child = column.children[i];
    if (column.type.kind == TypeKind::kList) child.name = "element";
    if (column.type.kind == TypeKind::kMap) child.name = i == 0 ? "key" : "value";
    FinishType(child);
    iceberg::Field field;
    field.name = child.name;
    field.required = child.required;
    field.type = child.type;
    field.doc = child.doc;
    column.type.fields.push_back(std::move(field));
  }
}

Status CheckDeep(const Column& column, const std::string& path) {
  auto checks = CompileChecks(column);
  if (!checks.ok()) return Fail(checks.error().In(path));
  if (column.type.kind == TypeKind::kStruct) TRY(CheckNames(column.children, path));
  for (const auto& child : column.children) TRY(CheckDeep(child, path + "." + child.name));
  return {};
}

Status ReadParts(const Document& node, const std::string& path, int depth, Column& column) {
  const Document* properties = node.Find("properties");
  const Document* items = node.Find("items");
  if (properties != nullptr && column.type.kind != TypeKind::kStruct) {
    return Fail(Code::kInvalid,
                fmt::format("{}{}: only an object has properties", At(*properties), path));
  }
  if (items != nullptr && column.type.kind != TypeKind::kList) {
    return Fail(Code::kInvalid, fmt::format("{}{}: only an array has items", At(*items), path));
  }
  if (column.type.kind == TypeKind::kStruct && properties != nullptr &&
      !properties->items.empty()) {
    for (const auto& item : properties->items) {
      column.children.push_back(TRY(ReadProperty(item, path, depth + 1)));
    }
  }
  if (items != nullptr) column.children = {TRY(ReadProperty(*items, path + "[]", depth + 1))};
  return {};
}

}  // namespace

Status CheckNames(const std::vector<Column>& columns, const std::string& path) {
  std::set<std::string> seen;
  for (const auto& column : columns) {
    std::string lower = column.name;
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    if (column.name.empty())
      return Fail(Code::kInvalid, fmt::format("{}: a column without a name", path));
    if (column.name.size() > 255)
      return Fail(Code::kInvalid, fmt::format("{}: a name longer than 255 bytes", path));
    if (!seen.insert(lower).second) {
      return Fail(Code::kInvalid,
                  fmt::format("{}: the name '{}' is given twice (SQL does not tell case apart)",
                              path, column.name));
    }
  }
  return {};
}

Result<Column> ReadProperty(const Document& node, const std::string& parent, int depth) {
  if (depth > kDepthMax)
    return Fail(Code::kInvalid, fmt::format("{}{}: nested too deeply", At(node), parent));
  TRY(CheckKeys(node, kPropertyKeys, fmt::format("a property of {}", parent)));
  bool item = parent.size() > 2 && parent.substr(parent.size() - 2) == "[]";
  auto name = TRY(TextOf(node, "name"));
  if (name.empty() && !item)
    return Fail(Code::kInvalid, fmt::format("{}{}: a property without a name", At(node), parent));
  std::string path = item ? parent : parent + "." + name;
  auto fail = [&](const Error& error) {
    return Fail(error.In(fmt::format("{}{}", At(node), path)));
  };

  auto logical = TRY(TextOf(node, "logicalType"));
  if (!logical.empty() &&
      std::find(kLogicalTypes.begin(), kLogicalTypes.end(), logical) == kLogicalTypes.end()) {
    std::string near = Nearest(logical, kLogicalTypes);
    return Fail(
        Code::kInvalid,
        fmt::format("{}{}: '{}' is not a logicalType{}", At(*node.Find("logicalType")), path,
                    logical, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  auto physical = ParseTypeText(TRY(TextOf(node, "physicalType")), TypeDialect::kOdcs);
  if (!physical.ok()) return fail(physical.error());
  const Document* properties = node.Find("properties");
  if (properties != nullptr && properties->kind != Document::Kind::kList) {
    return Fail(Code::kInvalid,
                fmt::format("{}{}: properties must be a list", At(*properties), path));
  }
  static const Document kNoOptions = [] {
    Document none;
    none.kind = Document::Kind::kMap;
    return none;
  }();
  const Document* given = node.Find("logicalTypeOptions");
  const Document& options = given != nullptr ? *given : kNoOptions;
  auto format = TRY(TextOf(options, "format"));
  Column column =
      Resolve(logical, *physical, format, properties != nullptr && !properties->items.empty(),
              node.Find("items") != nullptr);
  column.name = name;
  column.required = TRY(FlagOf(node, "required"));
  column.doc = TRY(TextOf(node, "description"));
  for (auto flag : {"primaryKey", "unique", "partitioned", "criticalDataElement"})
    TRY(FlagOf(node, flag));
  if (properties == nullptr || !properties->items.empty())
    TRY(ReadParts(node, path, depth, column));
  if (auto read = CheckNumberFormat(options, logical, column); !read.ok())
    return fail(read.error());
  if (auto read = ReadOptions(options, column); !read.ok()) return fail(read.error());
  if (depth == 0) {
    FinishType(column);
    if (auto checked = CheckDeep(column, path); !checked.ok())
      return Fail(checked.error().In(At(node) + "in"));
  }
  return column;
}

}  // namespace weft::contract
