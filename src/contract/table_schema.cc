// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "contract/contract.h"

namespace weft::contract {
namespace {

using iceberg::Field;
using iceberg::Schema;
using iceberg::Type;
using iceberg::TypeKind;

Field ToField(const Column& column) {
  Field field;
  field.name = column.name;
  field.required = column.required;
  field.type = column.type;
  field.doc = column.doc;
  return field;
}

std::vector<Field> OwnFields() {
  Field id;
  id.id = 1;
  id.name = std::string(kIdColumn);
  id.required = true;
  id.type.kind = TypeKind::kString;
  Field arrival = id;
  arrival.id = 2;
  arrival.name = std::string(kArrivalColumn);
  arrival.type.kind = TypeKind::kTimestampTz;
  return {id, arrival};
}

bool Own(const Field& field) { return field.id == 1 || field.id == 2; }

// Compares the fields that a table has with those that a contract wants, and makes the former the
// latter where that is allowed.
class Evolution {
 public:
  std::vector<std::string> refusals;

  void Fields(std::vector<Field>& have, const std::vector<Field>& want, const std::string& path) {
    for (auto& field : have) {
      auto it = std::find_if(want.begin(), want.end(),
                             [&](const Field& f) { return f.name == field.name; });
      std::string name = path + field.name;
      if (it == want.end()) {
        refusals.push_back(fmt::format(
            "column '{}' is gone: its rows would lose what they hold, and a new name is a "
            "removal and an addition",
            name));
        continue;
      }
      One(field, *it, name);
    }
    for (const auto& field : want) {
      bool known = std::any_of(have.begin(), have.end(),
                               [&](const Field& f) { return f.name == field.name; });
      if (known) continue;
      if (field.required) {
        refusals.push_back(
            fmt::format("column '{}' is new and required: the rows that are there do not have it",
                        path + field.name));
        continue;
      }
      have.push_back(field);
    }
  }

 private:
  void One(Field& have, const Field& want, const std::string& name) {
    if (have.required != want.required) {
      refusals.push_back(
          want.required
              ? fmt::format("column '{}' is now required: rows that are there may lack it", name)
              : fmt::format("column '{}' is no longer required: readers rely on it", name));
    }
    have.doc = want.doc;
    Types(have.type, want.type, name);
  }

  void Types(Type& have, const Type& want, const std::string& name) {
    bool same = have.kind == want.kind && have.precision == want.precision &&
                have.scale == want.scale && have.length == want.length;
    if (!same) {
      refusals.push_back(fmt::format("column '{}' changes its type from {} to {}", name,
                                     iceberg::TypeText(have), iceberg::TypeText(want)));
      return;
    }
    if (have.kind == TypeKind::kStruct) {
      Fields(have.fields, want.fields, name + ".");
    } else if (have.kind == TypeKind::kList) {
      One(have.fields.at(0), want.fields.at(0), name + "[]");
    } else if (have.kind == TypeKind::kMap) {
      One(have.fields.at(0), want.fields.at(0), name + ".key");
      One(have.fields.at(1), want.fields.at(1), name + ".value");
    }
  }
};

}  // namespace

TableSchema MakeTableSchema(const SchemaObject& object) {
  TableSchema out;
  out.last_column_id = 2;
  for (const auto& column : object.columns) out.schema.fields.push_back(ToField(column));
  iceberg::AssignIds(out.schema.fields, out.last_column_id);
  for (auto& field : OwnFields()) out.schema.fields.push_back(std::move(field));
  return out;
}

Result<TableSchema> Evolve(const Schema& current, int last_column_id, const SchemaObject& object) {
  TableSchema out{current, last_column_id};
  std::vector<Field> own, want;
  auto& fields = out.schema.fields;
  auto split =
      std::stable_partition(fields.begin(), fields.end(), [](const Field& f) { return !Own(f); });
  own.assign(split, fields.end());
  fields.erase(split, fields.end());
  for (const auto& column : object.columns) want.push_back(ToField(column));

  Evolution evolution;
  evolution.Fields(fields, want, "");
  if (!evolution.refusals.empty()) {
    std::string all;
    for (const auto& refusal : evolution.refusals) all += (all.empty() ? "" : "; ") + refusal;
    return Fail(Code::kInvalid, all);
  }
  iceberg::AssignIds(fields, out.last_column_id);
  fields.insert(fields.end(), own.begin(), own.end());
  return out;
}

}  // namespace weft::contract
