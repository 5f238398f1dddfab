// SPDX-License-Identifier: Apache-2.0
#include "contract/part.h"

#include <algorithm>

namespace weft::contract {
namespace {

using iceberg::Field;
using iceberg::TypeKind;

Status Fill(Part& part, const Column& column, const iceberg::Type& type);

// The columns of one level. Called once for each level, before anything points to the children.
Status FillFields(Part& part, const std::vector<Column>& columns,
                  const std::vector<Field>& fields) {
  std::vector<bool> taken(fields.size());
  part.children.resize(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    auto it = std::find_if(fields.begin(), fields.end(),
                           [&](const Field& f) { return f.name == columns[i].name; });
    if (it == fields.end()) {
      return Fail(Code::kInvalid, fmt::format("the table has no column '{}'", columns[i].name));
    }
    Part& child = part.children[i];
    child.index = static_cast<size_t>(it - fields.begin());
    taken[child.index] = true;
    TRY(Fill(child, columns[i], it->type));
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!taken[i]) part.absent.push_back(i);
  }
  for (size_t i = 0; i < part.children.size(); ++i) part.by_name.emplace(part.children[i].name, i);
  return {};
}

Status Fill(Part& part, const Column& column, const iceberg::Type& type) {
  if (column.type.kind != type.kind || column.type.precision != type.precision ||
      column.type.scale != type.scale) {
    return Fail(Code::kInvalid,
                fmt::format("the column '{}' is {} in the contract and {} in the table",
                            column.name, iceberg::TypeText(column.type), iceberg::TypeText(type)));
  }
  part.name = column.name;
  part.raw_name = std::none_of(part.name.begin(), part.name.end(), [](char c) {
    return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
  });
  part.required = column.required;
  part.kind = type.kind;
  part.json_text = column.json_text;
  part.precision = type.precision;
  part.scale = type.scale;
  part.checks = TRY(CompileChecks(column));
  const Checks& checks = part.checks;
  if (type.kind == TypeKind::kInt || type.kind == TypeKind::kLong) {
    part.low = static_cast<int64_t>(*checks.low);
    part.high = static_cast<int64_t>(*checks.high);
  } else {
    part.exact_bounds = checks.low || checks.high || checks.multiple;
  }
  if (type.kind == TypeKind::kStruct) return FillFields(part, column.children, type.fields);
  part.children.resize(column.children.size());
  for (size_t i = 0; i < column.children.size(); ++i) {
    part.children[i].index = i;
    TRY(Fill(part.children[i], column.children[i], type.fields.at(i).type));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Part>> Part::Make(const std::vector<Column>& columns,
                                         const std::vector<Field>& fields) {
  auto root = std::make_unique<Part>();
  root->kind = TypeKind::kStruct;
  TRY(FillFields(*root, columns, fields));
  return root;
}

}  // namespace weft::contract
