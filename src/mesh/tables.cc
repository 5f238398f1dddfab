// SPDX-License-Identifier: Apache-2.0
#include "mesh/tables.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/nearest.h"

namespace weft::mesh {
namespace {

using iceberg::Transform;
using iceberg::TypeKind;

struct TransformName {
  std::string_view name;
  Transform transform;
};
constexpr std::array kTransforms = {
    TransformName{"year", Transform::kYear},
    TransformName{"month", Transform::kMonth},
    TransformName{"day", Transform::kDay},
    TransformName{"hour", Transform::kHour},
};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool IsTimestamp(TypeKind kind) {
  return kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz;
}

bool Fits(Transform transform, TypeKind kind) {
  switch (transform) {
    case Transform::kIdentity:
      return kind == TypeKind::kBoolean || kind == TypeKind::kInt || kind == TypeKind::kLong ||
             kind == TypeKind::kDecimal || kind == TypeKind::kDate || kind == TypeKind::kString ||
             IsTimestamp(kind);
    case Transform::kHour:
      return IsTimestamp(kind);
    default:
      return kind == TypeKind::kDate || IsTimestamp(kind);
  }
}

}  // namespace

Result<std::string> Identifier(std::string_view declared) {
  std::string out;
  for (char c : declared) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-' || c == '.' || c == ' ') c = '_';
    out += c;
  }
  auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (out.empty() || out.size() > 128 || !std::all_of(out.begin(), out.end(), plain) ||
      (out[0] >= '0' && out[0] <= '9')) {
    return Fail(
        Code::kInvalid,
        fmt::format("'{}' cannot name a table or database: a letter, then letters, digits, - and _ "
                    "(128 at most)",
                    declared));
  }
  return out;
}

std::string ProductKey(std::string_view product) {
  std::string key(product);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

Result<std::vector<ProductTable>> TablesOf(const DeclaredProduct& product) {
  std::vector<ProductTable> tables;
  std::set<std::string> names;
  auto database = TRY(Identifier(product.database));
  const auto& objects = product.contract.objects;
  for (const auto& object : objects) {
    if (object.columns.empty()) continue;
    auto name = TRY(Identifier(objects.size() == 1 ? product.name.text() : object.name));
    if (!names.insert(name).second) {
      return Fail(
          Code::kInvalid,
          fmt::format("two objects of the contract would both be the table {}.{}", database, name));
    }
    tables.push_back({&object, {database, name}});
  }
  return tables;
}

std::string PartitionTerm::text() const {
  for (const auto& known : kTransforms) {
    if (known.transform == transform) return fmt::format("{}({})", known.name, column);
  }
  return column;
}

Result<PartitionTerm> ParsePartitionTerm(std::string_view text) {
  text = Trim(text);
  PartitionTerm term;
  const size_t open = text.find('(');
  if (open == std::string_view::npos) {
    if (text.empty()) return Fail(Code::kInvalid, "partition_by: an empty name");
    term.column = std::string(text);
    return term;
  }
  const std::string name(Trim(text.substr(0, open)));
  const auto* known = std::find_if(kTransforms.begin(), kTransforms.end(),
                                   [&](const TransformName& each) { return each.name == name; });
  if (known == kTransforms.end()) {
    return Fail(
        Code::kInvalid,
        fmt::format("partition_by: '{}' is none of year(), month(), day() and hour()", text));
  }
  if (!text.ends_with(')'))
    return Fail(Code::kInvalid, fmt::format("partition_by: '{}' lacks its )", text));
  const auto column = Trim(text.substr(open + 1, text.size() - open - 2));
  if (column.empty())
    return Fail(Code::kInvalid, fmt::format("partition_by: '{}' names no column", text));
  term.transform = known->transform;
  term.column = std::string(column);
  return term;
}

std::vector<std::string> PartitionTermsOf(const DeclaredProduct& product,
                                          const contract::SchemaObject& object) {
  if (!product.partition_by.empty()) return product.partition_by;
  std::vector<std::string> terms;
  for (const auto& name : object.partition_columns) {
    auto column = std::find_if(object.columns.begin(), object.columns.end(),
                               [&](const contract::Column& each) { return each.name == name; });
    const bool timestamp = column != object.columns.end() && IsTimestamp(column->type.kind);
    terms.push_back(timestamp ? fmt::format("day({})", name) : name);
  }
  return terms;
}

Result<iceberg::PartitionSpec> MakePartitionSpec(const std::vector<std::string>& terms,
                                                 const iceberg::Schema& schema) {
  iceberg::PartitionSpec spec;
  std::set<std::string> names;
  for (const auto& text : terms) {
    auto term = TRY(ParsePartitionTerm(text));
    auto field = std::find_if(schema.fields.begin(), schema.fields.end(),
                              [&](const iceberg::Field& each) { return each.name == term.column; });
    if (field == schema.fields.end()) {
      std::vector<std::string> known;
      for (const auto& each : schema.fields) known.push_back(each.name);
      auto near = Nearest(term.column, known);
      return Fail(Code::kInvalid,
                  fmt::format("partition_by: there is no column '{}'{}", term.column,
                              near.empty() ? "" : fmt::format("; is '{}' meant?", near)));
    }
    if (!Fits(term.transform, field->type.kind)) {
      return Fail(Code::kInvalid,
                  fmt::format("partition_by: {} does not go with a column of type {}", term.text(),
                              iceberg::TypeText(field->type)));
    }
    const int field_id = 1000 + static_cast<int>(spec.fields.size());
    spec.fields.push_back(iceberg::MakePartitionField(*field, term.transform, field_id));
    if (!names.insert(spec.fields.back().name).second) {
      return Fail(Code::kInvalid, fmt::format("partition_by: {} comes twice", term.text()));
    }
  }
  for (const auto& field : spec.fields) {
    for (const auto& column : schema.fields) {
      if (field.transform == Transform::kIdentity || column.name != field.name) continue;
      return Fail(Code::kInvalid,
                  fmt::format("partition_by: the partition would be called '{}', as a column is",
                              field.name));
    }
  }
  return spec;
}

}  // namespace weft::mesh
