// SPDX-License-Identifier: Apache-2.0
// The short form is read by writing the ODCS document that it stands for, and reading that: one
// meaning, one reader.
#include <nlohmann/json.hpp>

#include "contract/contract.h"
#include "contract/type_text.h"

namespace weft::contract {
namespace {

using iceberg::TypeKind;

std::string Quoted(const std::string& text) { return nlohmann::json(text).dump(); }

// What follows `name`: the types, and the parts of a nested one.
std::string PropertyText(const Column& column) {
  switch (column.type.kind) {
    case TypeKind::kInt:
    case TypeKind::kLong:
      return "logicalType: integer, physicalType: " + PhysicalTypeText(column);
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return "logicalType: number, physicalType: " + PhysicalTypeText(column);
    case TypeKind::kDecimal:
      return "logicalType: number, physicalType: " + Quoted(PhysicalTypeText(column));
    case TypeKind::kBoolean:
      return "logicalType: boolean";
    case TypeKind::kDate:
      return "logicalType: date, physicalType: date";
    case TypeKind::kTimestamp:
      return "logicalType: timestamp, logicalTypeOptions: { timezone: false }";
    case TypeKind::kList:
      return fmt::format("logicalType: array, items: {{ {} }}",
                         PropertyText(column.children.at(0)));
    case TypeKind::kStruct: {
      std::string fields;
      for (const auto& child : column.children) {
        fields += fmt::format("{}{{ name: {}, {} }}", fields.empty() ? "" : ", ",
                              Quoted(child.name), PropertyText(child));
      }
      return fmt::format("logicalType: object, properties: [{}]", fields);
    }
    case TypeKind::kMap:
      return "logicalType: object, physicalType: " + Quoted(PhysicalTypeText(column));
    default:
      return "logicalType: string, physicalType: " + Quoted(PhysicalTypeText(column));
  }
}

// The lines of the document that was made here are not those of the user's file.
std::string WithoutLine(const std::string& message) {
  constexpr std::string_view kLine = "line ";
  if (!message.starts_with(kLine)) return message;
  const size_t end = message.find_first_not_of("0123456789", kLine.size());
  if (end == std::string::npos || message.compare(end, 2, ": ") != 0) return message;
  return message.substr(end + 2);
}

}  // namespace

Result<Contract> FromShortForm(const std::string& product,
                               const std::vector<ShortColumn>& columns) {
  if (columns.empty()) return Fail(Code::kInvalid, "no columns");
  std::string text = fmt::format(
      "apiVersion: v3.1.0\nkind: DataContract\nid: {0}\nname: {0}\nversion: 1.0.0\nstatus: "
      "active\nschema:\n"
      "  - name: {0}\n    logicalType: object\n    physicalType: table\n    properties:\n",
      Quoted(product));
  for (const auto& column : columns) {
    auto parsed = ParseTypeText(column.type, TypeDialect::kHive);
    if (!parsed.ok()) return Fail(parsed.error().In(fmt::format("column '{}'", column.name)));
    if (!*parsed) {
      return Fail(Code::kInvalid, fmt::format("column '{}': '{}' is not a type; types are int, "
                                              "bigint, smallint, tinyint, float, double, "
                                              "decimal(p,s), boolean, string, varchar(n), char(n), "
                                              "date, timestamp, binary, array<>, "
                                              "struct<>, map<,>",
                                              column.name, column.type));
    }
    text +=
        fmt::format("      - {{ name: {}, {} }}\n", Quoted(column.name), PropertyText(**parsed));
  }
  auto contract = ParseOdcs(text);
  if (contract.ok()) return contract;
  return Fail(contract.error().code(), WithoutLine(contract.error().message()));
}

}  // namespace weft::contract
