// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/nearest.h"
#include "contract/decimal.h"
#include "contract/property_internal.h"

namespace weft::contract {
namespace {

using iceberg::TypeKind;

enum class Family { kText, kMoment, kInteger, kNumber, kObject, kArray, kNone };

Family FamilyOf(const Column& column) {
  if (column.json_text == Column::JsonText::kObject) return Family::kObject;
  if (column.json_text == Column::JsonText::kArray) return Family::kArray;
  if (!column.integer_format.empty()) return Family::kInteger;
  switch (column.type.kind) {
    case TypeKind::kString:
    case TypeKind::kUuid:
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return Family::kText;
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return Family::kMoment;
    case TypeKind::kInt:
    case TypeKind::kLong:
      return Family::kInteger;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
      return Family::kNumber;
    case TypeKind::kStruct:
    case TypeKind::kMap:
      return Family::kObject;
    case TypeKind::kList:
      return Family::kArray;
    case TypeKind::kBoolean:
      return Family::kNone;
  }
  return Family::kNone;
}

std::vector<std::string> KeysOf(Family family) {
  switch (family) {
    case Family::kText:
      return {"minLength", "maxLength", "pattern", "format"};
    case Family::kMoment:
      return {"format",           "minimum",  "maximum",        "exclusiveMinimum",
              "exclusiveMaximum", "timezone", "defaultTimezone"};
    case Family::kInteger:
    case Family::kNumber:
      return {"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "format"};
    case Family::kObject:
      return {"minProperties", "maxProperties", "required"};
    case Family::kArray:
      return {"minItems", "maxItems", "uniqueItems"};
    case Family::kNone:
      return {};
  }
  return {};
}

Status TakeLength(const Document& node, std::string_view key, bool low,
                  std::optional<int64_t>& to) {
  auto count = TRY(CountOf(node, key));
  if (count && (!to || (low ? *count > *to : *count < *to))) to = count;
  return {};
}

Status TakeBound(const Document& node, std::string_view key, bool numeric,
                 std::optional<std::string>& to) {
  const Document* value = node.Find(key);
  if (value == nullptr) return {};
  auto text = TRY(TextOf(node, key));
  if (numeric && (value->quoted || !ScanNumber(text))) {
    return Fail(Code::kInvalid, fmt::format("{}{} is not a number", At(*value), key));
  }
  to = std::move(text);
  return {};
}

Status ReadObjectRequired(const Document& node, Column& column) {
  const Document* names = node.Find("required");
  if (names == nullptr) return {};
  if (names->kind != Document::Kind::kList) {
    return Fail(Code::kInvalid, At(*names) + "required is not a list of names");
  }
  for (const auto& name : names->items) {
    if (name.kind != Document::Kind::kScalar) {
      return Fail(Code::kInvalid, At(*names) + "required is not a list of names");
    }
    if (column.type.kind != TypeKind::kStruct) {
      column.limits.keys_required.push_back(name.text);
      continue;
    }
    Column* found = nullptr;
    for (auto& child : column.children) {
      if (child.name == name.text) found = &child;
    }
    if (found == nullptr) {
      return Fail(Code::kInvalid,
                  fmt::format("{}required names '{}', which is not among the properties", At(name),
                              name.text));
    }
    found->required = true;
  }
  return {};
}

Status ReadMoment(const Document& node, Column& column) {
  column.date_format = TRY(TextOf(node, "format"));
  auto zone = TRY(TextOf(node, "defaultTimezone"));
  bool has_zone = TRY(FlagOf(node, "timezone"));
  bool timestamp =
      column.type.kind == TypeKind::kTimestamp || column.type.kind == TypeKind::kTimestampTz;
  if (!timestamp) {
    if (has_zone) return Fail(Code::kNotOffered, At(node) + "a zone for a date or a time of day");
    return {};
  }
  if (node.Find("timezone") != nullptr) {
    column.type.kind = has_zone ? TypeKind::kTimestampTz : TypeKind::kTimestamp;
  }
  bool utc = zone.empty() || zone == "Etc/UTC" || zone == "UTC" || zone == "Z" || zone == "GMT" ||
             zone == "Etc/GMT";
  column.zone_required = !utc;
  return {};
}

}  // namespace

Status ReadOptions(const Document& node, Column& column) {
  Family family = FamilyOf(column);
  TRY(CheckKeys(node, KeysOf(family), "a logicalTypeOptions of this type"));
  Limits& limits = column.limits;
  TRY(TakeLength(node, "minLength", true, limits.length_min));
  TRY(TakeLength(node, "maxLength", false, limits.length_max));
  limits.pattern = TRY(TextOf(node, "pattern"));
  bool numeric = family == Family::kInteger || family == Family::kNumber;
  TRY(TakeBound(node, "minimum", numeric, limits.minimum));
  TRY(TakeBound(node, "maximum", numeric, limits.maximum));
  TRY(TakeBound(node, "exclusiveMinimum", numeric, limits.exclusive_minimum));
  TRY(TakeBound(node, "exclusiveMaximum", numeric, limits.exclusive_maximum));
  TRY(TakeBound(node, "multipleOf", true, limits.multiple_of));
  TRY(TakeLength(node, "minItems", true, limits.items_min));
  TRY(TakeLength(node, "minProperties", true, limits.items_min));
  TRY(TakeLength(node, "maxItems", false, limits.items_max));
  TRY(TakeLength(node, "maxProperties", false, limits.items_max));
  limits.items_unique = TRY(FlagOf(node, "uniqueItems"));
  if (family == Family::kText) limits.format = TRY(TextOf(node, "format"));
  if (family == Family::kMoment) TRY(ReadMoment(node, column));
  if (family == Family::kObject) TRY(ReadObjectRequired(node, column));
  return {};
}

Status CheckKeys(const Document& node, const std::vector<std::string>& known,
                 std::string_view what) {
  if (node.kind != Document::Kind::kMap) {
    return Fail(Code::kInvalid,
                fmt::format("{}{} must be a map of keys and values", At(node), what));
  }
  for (const auto& [key, value] : node.entries) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string near = Nearest(key, known);
    return Fail(Code::kInvalid,
                fmt::format("{}the key '{}' is unknown in {}{}", At(value), key, what,
                            near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  return {};
}

Result<std::string> TextOf(const Document& map, std::string_view key) {
  const Document* value = map.Find(key);
  if (value == nullptr) return std::string();
  if (value->kind != Document::Kind::kScalar) {
    return Fail(Code::kInvalid, fmt::format("{}{} must be a text", At(*value), key));
  }
  return value->text;
}

Result<bool> FlagOf(const Document& map, std::string_view key) {
  const Document* value = map.Find(key);
  if (value == nullptr) return false;
  if (value->kind == Document::Kind::kScalar && !value->quoted) {
    if (value->text == "true" || value->text == "True" || value->text == "TRUE") return true;
    if (value->text == "false" || value->text == "False" || value->text == "FALSE") return false;
  }
  return Fail(Code::kInvalid, fmt::format("{}{} must be true or false", At(*value), key));
}

Result<std::optional<int64_t>> CountOf(const Document& map, std::string_view key) {
  const Document* value = map.Find(key);
  if (value == nullptr) return std::optional<int64_t>();
  std::optional<int64_t> count;
  if (value->kind == Document::Kind::kScalar && !value->quoted) {
    if (auto number = ScanNumber(value->text)) count = ToInteger(*number);
  }
  if (!count || *count < 0) {
    return Fail(Code::kInvalid, fmt::format("{}{} must be a whole number from 0", At(*value), key));
  }
  return count;
}

}  // namespace weft::contract
