// SPDX-License-Identifier: Apache-2.0
#include "contract/part.h"

#include <algorithm>

namespace weft::contract {
namespace {

using iceberg::Field;
using iceberg::TypeKind;

constexpr size_t kFlatFieldsMax = 64;  // as bits of a word
// A key is compared with what may lie behind the text, where so much is readable.
constexpr size_t kLeadNameBytesMax = 40;

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

bool FewScalars(const Part& part) {
  return part.children.size() <= kFlatFieldsMax &&
         std::all_of(part.children.begin(), part.children.end(), [](const Part& child) {
           return child.kind != TypeKind::kStruct && child.kind != TypeKind::kList &&
                  child.kind != TypeKind::kMap && child.json_text == Column::JsonText::kNo;
         });
}

int64_t Clamped(Int128 value) {
  return static_cast<int64_t>(std::clamp<Int128>(value, INT64_MIN, INT64_MAX));
}

FlatField MakeFlat(const Part& part) {
  FlatField field;
  field.part = &part;
  if (part.raw_name && !part.name.empty() && part.name.size() <= kLeadNameBytesMax)
    field.lead = ",\"" + part.name + "\":";
  const Checks& checks = part.checks;
  switch (part.kind) {
    case TypeKind::kString:
      field.way = checks.text_limited ? FlatField::Way::kLimitedText : FlatField::Way::kText;
      break;
    case TypeKind::kInt:
    case TypeKind::kLong:
      if (checks.multiple) break;
      field.way = FlatField::Way::kInteger;
      field.low = part.low;
      field.high = part.high;
      break;
    case TypeKind::kDecimal:
      if (checks.multiple || checks.whole) break;
      field.way = FlatField::Way::kDecimal;
      field.low = Clamped(checks.low.value_or(INT64_MIN));
      field.high = Clamped(checks.high.value_or(INT64_MAX));
      field.scale = static_cast<uint8_t>(part.scale);
      field.whole_digits_max =
          static_cast<uint8_t>(std::max(0, std::min(part.precision, 18) - part.scale));
      break;
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      field.way = FlatField::Way::kMoment;
      break;
    default:
      break;
  }
  return field;
}

}  // namespace

Result<std::unique_ptr<Part>> Part::Make(const std::vector<Column>& columns,
                                         const std::vector<Field>& fields) {
  auto root = std::make_unique<Part>();
  root->kind = TypeKind::kStruct;
  TRY(FillFields(*root, columns, fields));
  if (FewScalars(*root)) {
    for (const Part& child : root->children) root->flat.push_back(MakeFlat(child));
  }
  return root;
}

}  // namespace weft::contract
