// SPDX-License-Identifier: Apache-2.0
#include "contract/type_text.h"

#include <algorithm>
#include <map>
#include <set>

namespace weft::contract {
namespace {

using iceberg::TypeKind;

constexpr int kDepthMax = 32;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return text;
}

std::string Trim(const std::string& text) {
  size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

struct Simple {
  TypeKind kind;
  const char* integer_format = "";
};

// Names without arguments that both dialects know, then those of databases.
const std::map<std::string, Simple>& HiveNames() {
  static const std::map<std::string, Simple> names = {
      {"tinyint", {TypeKind::kInt, "i8"}}, {"smallint", {TypeKind::kInt, "i16"}},
      {"int", {TypeKind::kInt}},           {"integer", {TypeKind::kInt}},
      {"bigint", {TypeKind::kLong}},       {"float", {TypeKind::kFloat}},
      {"double", {TypeKind::kDouble}},     {"boolean", {TypeKind::kBoolean}},
      {"string", {TypeKind::kString}},     {"date", {TypeKind::kDate}},
      {"binary", {TypeKind::kBinary}},
  };
  return names;
}

const std::map<std::string, Simple>& DatabaseNames() {
  static const std::map<std::string, Simple> names = {
      {"byte", {TypeKind::kInt, "i8"}},
      {"short", {TypeKind::kInt, "i16"}},
      {"int2", {TypeKind::kInt, "i16"}},
      {"smallserial", {TypeKind::kInt, "i16"}},
      {"int4", {TypeKind::kInt}},
      {"serial", {TypeKind::kInt}},
      {"mediumint", {TypeKind::kInt}},
      {"int8", {TypeKind::kLong}},
      {"long", {TypeKind::kLong}},
      {"bigserial", {TypeKind::kLong}},
      {"real", {TypeKind::kFloat}},
      {"float4", {TypeKind::kFloat}},
      {"float8", {TypeKind::kDouble}},
      {"double precision", {TypeKind::kDouble}},
      {"bool", {TypeKind::kBoolean}},
      {"text", {TypeKind::kString}},
      {"clob", {TypeKind::kString}},
      {"varchar", {TypeKind::kString}},
      {"nvarchar", {TypeKind::kString}},
      {"char", {TypeKind::kString}},
      {"character", {TypeKind::kString}},
      {"character varying", {TypeKind::kString}},
      {"bpchar", {TypeKind::kString}},
      {"time", {TypeKind::kTime}},
      {"time without time zone", {TypeKind::kTime}},
      {"timestamp", {TypeKind::kTimestampTz}},
      {"timestamptz", {TypeKind::kTimestampTz}},
      {"timestamp_tz", {TypeKind::kTimestampTz}},
      {"timestamp_ltz", {TypeKind::kTimestampTz}},
      {"timestamp with time zone", {TypeKind::kTimestampTz}},
      {"timestamp with local time zone", {TypeKind::kTimestampTz}},
      {"timestamp_ntz", {TypeKind::kTimestamp}},
      {"timestamp without time zone", {TypeKind::kTimestamp}},
      {"datetime", {TypeKind::kTimestamp}},
      {"bytes", {TypeKind::kBinary}},
      {"bytea", {TypeKind::kBinary}},
      {"blob", {TypeKind::kBinary}},
      {"varbinary", {TypeKind::kBinary}},
      {"uuid", {TypeKind::kUuid}},
  };
  return names;
}

// Splits at commas that are in no bracket.
std::vector<std::string> SplitArguments(const std::string& text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (char c : text) {
    if (c == '<' || c == '(') ++depth;
    if (c == '>' || c == ')') --depth;
    if (c == ',' && depth == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  for (auto& part : parts) part = Trim(part);
  return parts;
}

bool ReadCount(const std::string& text, int& out) {
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
    return false;
  out = std::stoi(text);
  return true;
}

using Parsed = Result<std::optional<Column>>;

Column Make(const Simple& simple) {
  Column column;
  column.type.kind = simple.kind;
  column.integer_format = simple.integer_format;
  return column;
}

class Parser {
 public:
  explicit Parser(TypeDialect dialect) : dialect_(dialect) {}

  Parsed Parse(const std::string& raw, int depth) {
    std::string text = Trim(raw);
    if (depth > kDepthMax) return Fail(Code::kInvalid, "the type is nested too deeply");
    std::string lower = Lower(text);
    if (auto it = HiveNames().find(lower); it != HiveNames().end())
      return std::optional(Make(it->second));
    if (dialect_ == TypeDialect::kOdcs) {
      if (auto it = DatabaseNames().find(lower); it != DatabaseNames().end())
        return std::optional(Make(it->second));
      if (lower == "decimal" || lower == "numeric") return Decimal(38, 9, text);
    } else {
      if (lower == "timestamp") return std::optional(Make({TypeKind::kTimestamp}));
      if (lower == "decimal") return Decimal(10, 0, text);
    }
    size_t open = lower.find_first_of("<(");
    if (open == std::string::npos) return std::optional<Column>();
    std::string name = Trim(lower.substr(0, open));
    char close = lower[open] == '<' ? '>' : ')';
    std::string inner;
    // timestamp(6) with time zone: what follows the bracket belongs to the name.
    if (close == ')') {
      size_t end = lower.find(')', open);
      if (end == std::string::npos) return Unread(text);
      inner = lower.substr(open + 1, end - open - 1);
      std::string rest = Trim(lower.substr(end + 1));
      if (!rest.empty()) name += " " + rest;
      return WithCounts(name, SplitArguments(inner), text);
    }
    if (text.back() != '>') return Unread(text);
    inner = text.substr(open + 1, text.size() - open - 2);
    return Nested(name, SplitArguments(inner), text, depth);
  }

 private:
  // Of a foreign system's type nothing need be understood; the short form is ours.
  Parsed Unread(const std::string& text) {
    if (dialect_ == TypeDialect::kOdcs) return std::optional<Column>();
    return Fail(Code::kInvalid, fmt::format("the type '{}' cannot be read", text));
  }

  static Parsed Decimal(int precision, int scale, const std::string& text) {
    if (precision < 1 || precision > 38 || scale > precision) {
      return Fail(Code::kInvalid,
                  fmt::format("'{}': a decimal has 1 to 38 digits, and no larger scale", text));
    }
    Column column = Make({TypeKind::kDecimal});
    column.type.precision = precision;
    column.type.scale = scale;
    return std::optional(column);
  }

  Parsed WithCounts(const std::string& name, const std::vector<std::string>& arguments,
                    const std::string& text) {
    int first = 0, second = 0;
    bool one = arguments.size() == 1 && ReadCount(arguments[0], first);
    bool two =
        arguments.size() == 2 && ReadCount(arguments[0], first) && ReadCount(arguments[1], second);
    if (name == "decimal" || (name == "numeric" && dialect_ == TypeDialect::kOdcs)) {
      return one || two ? Decimal(first, second, text) : Unread(text);
    }
    static const std::set<std::string> kHiveTexts = {"varchar", "char"};
    static const std::set<std::string> kTexts = {
        "varchar", "char",     "character", "character varying",
        "bpchar",  "nvarchar", "nchar",     "string"};
    if ((dialect_ == TypeDialect::kOdcs ? kTexts : kHiveTexts).count(name) > 0) {
      if (!one || first < 1) return Unread(text);
      Column column = Make({TypeKind::kString});
      column.limits.length_max = first;
      return std::optional(column);
    }
    if (dialect_ == TypeDialect::kHive) return std::optional<Column>();
    // timestamp(6), time(3), varbinary(16), int(11): the number narrows nothing that Weft checks.
    auto it = DatabaseNames().find(name);
    bool counted = it != DatabaseNames().end() && one;
    if (counted &&
        (it->second.kind == TypeKind::kTimestamp || it->second.kind == TypeKind::kTimestampTz ||
         it->second.kind == TypeKind::kTime)) {
      return std::optional(Make(it->second));
    }
    return std::optional<Column>();
  }

  Parsed Nested(const std::string& name, const std::vector<std::string>& arguments,
                const std::string& text, int depth) {
    Column column;
    if (name == "array" && arguments.size() == 1) {
      column.type.kind = TypeKind::kList;
      return Children(column, {"element"}, arguments, depth);
    }
    if (name == "map" && arguments.size() == 2) {
      column.type.kind = TypeKind::kMap;
      return Children(column, {"key", "value"}, arguments, depth);
    }
    if (name != "struct")
      return name == "array" || name == "map" ? Unread(text) : std::optional<Column>();
    column.type.kind = TypeKind::kStruct;
    std::vector<std::string> names, types;
    for (const auto& argument : arguments) {
      size_t colon = argument.find(':');
      if (colon == std::string::npos) return Unread(text);
      names.push_back(Trim(argument.substr(0, colon)));
      types.push_back(argument.substr(colon + 1));
    }
    return Children(column, names, types, depth);
  }

  Parsed Children(Column column, const std::vector<std::string>& names,
                  const std::vector<std::string>& types, int depth) {
    for (size_t i = 0; i < names.size(); ++i) {
      auto child = TRY(Parse(types[i], depth + 1));
      if (!child) {
        if (dialect_ == TypeDialect::kOdcs) return std::optional<Column>();
        return Fail(Code::kInvalid, fmt::format("'{}' is not a type", types[i]));
      }
      child->name = names[i];
      column.children.push_back(std::move(*child));
    }
    if (column.type.kind == TypeKind::kMap) {
      column.children[0].required = true;
      auto key = column.children[0].type.kind;
      if (key != TypeKind::kString && key != TypeKind::kInt && key != TypeKind::kLong) {
        return Fail(Code::kNotOffered,
                    fmt::format("a map's key of type '{}'; text and integers are", types[0]));
      }
    }
    return std::optional(std::move(column));
  }

  TypeDialect dialect_;
};

}  // namespace

Result<std::optional<Column>> ParseTypeText(const std::string& text, TypeDialect dialect) {
  if (text.size() > 64 << 10) return Fail(Code::kInvalid, "the type is longer than 64 KiB");
  return Parser(dialect).Parse(text, 0);
}

std::string PhysicalTypeText(const Column& column) {
  switch (column.type.kind) {
    case TypeKind::kInt:
      return column.integer_format == "i8"    ? "tinyint"
             : column.integer_format == "i16" ? "smallint"
                                              : "int";
    case TypeKind::kLong:
      return "bigint";
    case TypeKind::kFloat:
      return "float";
    case TypeKind::kDouble:
      return "double";
    case TypeKind::kDecimal:
      return fmt::format("decimal({},{})", column.type.precision, column.type.scale);
    case TypeKind::kBoolean:
      return "boolean";
    case TypeKind::kDate:
      return "date";
    case TypeKind::kTime:
      return "time";
    case TypeKind::kTimestamp:
      return "timestamp_ntz";
    case TypeKind::kTimestampTz:
      return "timestamp";
    case TypeKind::kUuid:
      return "uuid";
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return "binary";
    case TypeKind::kString:
      return column.limits.length_max ? fmt::format("varchar({})", *column.limits.length_max)
                                      : "string";
    case TypeKind::kList:
      return fmt::format("array<{}>", PhysicalTypeText(column.children.at(0)));
    case TypeKind::kMap:
      return fmt::format("map<{},{}>", PhysicalTypeText(column.children.at(0)),
                         PhysicalTypeText(column.children.at(1)));
    case TypeKind::kStruct: {
      std::string fields;
      for (const auto& child : column.children) {
        fields +=
            fmt::format("{}{}:{}", fields.empty() ? "" : ",", child.name, PhysicalTypeText(child));
      }
      return fmt::format("struct<{}>", fields);
    }
  }
  return "string";
}

}  // namespace weft::contract
