// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/nearest.h"
#include "engine/duckdb_types_internal.h"
#include "engine/statement_names_internal.h"

namespace weft::engine {
namespace {

using Name = RelationSource::Name;

std::string Lower(const std::string& text) { return duckdb::StringUtil::Lower(text); }

std::string Literal(const std::string& text) {
  return "'" + duckdb::StringUtil::Replace(text, "'", "''") + "'";
}

// "select … from (values …)", also without rows.
std::string Values(const std::string& columns, size_t width, const std::vector<std::string>& rows) {
  std::string text = "select * from (values ";
  if (rows.empty()) {
    text += "(null::varchar";
    for (size_t i = 1; i < width; ++i) text += ", null::varchar";
    text += ")";
  }
  for (size_t i = 0; i < rows.size(); ++i) text += (i > 0 ? ", " : "") + rows[i];
  text += ") t(" + columns + ")";
  return rows.empty() ? text + " where false" : text;
}

}  // namespace

Result<const std::vector<Name>*> TableNames::All() {
  if (!all_) all_ = TRY(names_.list());
  return &*all_;
}

Result<std::shared_ptr<const TableSource>> TableNames::Find(const Name& name) {
  Name key(Lower(name.first), Lower(name.second));
  auto& found = found_[key];
  if (found == nullptr) {
    auto relation = names_.find(name);
    if (!relation.ok()) {
      found_.erase(key);
      return Fail(relation.error());
    }
    found = MakeSource(name.first, name.second, std::move(*relation));
    tables_.Add(found);
  }
  return found;
}

Error TableNames::NotThere(const std::string& database, const std::string& table) {
  std::string said = database.empty() ? table : database + "." + table;
  std::vector<std::string> known;
  auto all = All();
  if (all.ok()) {
    for (const auto& [where, name] : **all)
      known.push_back(database.empty() ? name : where + "." + name);
  }
  auto near = Nearest(Lower(said), known);
  return Error(Code::kInvalid, fmt::format("there is no table \"{}\" that you may read{}", said,
                                           near.empty() ? "" : "; did you mean \"" + near + "\"?"));
}

Result<Name> TableNames::Resolve(const std::string& database, const std::string& table) {
  Name name(database, table);
  if (database.empty()) {
    if (!names_.default_database.empty()) {
      Name there(names_.default_database, table);
      auto found = Find(there);
      if (found.ok()) return there;
      if (found.error().code() != Code::kNotFound) return Fail(found.error());
    }
    const auto* all = TRY(All());
    std::vector<Name> same;
    for (const auto& candidate : *all) {
      if (Lower(candidate.second) == Lower(table)) same.push_back(candidate);
    }
    if (same.empty()) return Fail(NotThere(database, table));
    if (same.size() > 1) {
      return Fail(Code::kInvalid,
                  fmt::format("more than one database has a table \"{}\": write {}.{} or {}.{}",
                              table, same[0].first, table, same[1].first, table));
    }
    name = same[0];
  }
  auto found = Find(name);
  if (found.ok()) return name;
  // Names of tables are lower case; SQL's are not case-sensitive.
  Name lower(Lower(name.first), Lower(name.second));
  if (found.error().code() == Code::kNotFound && lower != name) {
    auto second = Find(lower);
    if (second.ok()) return lower;
  }
  if (found.error().code() == Code::kNotFound) return Fail(NotThere(database, table));
  return Fail(found.error());
}

Status TableNames::CheckDefault() {
  const std::string wanted = Lower(names_.default_database);
  if (wanted.empty()) return {};
  const auto there = [&](const auto& known) { return known.first.first == wanted; };
  if (std::any_of(found_.begin(), found_.end(), there)) return {};
  std::set<std::string> databases;
  for (const auto& [database, table] : *TRY(All())) databases.insert(Lower(database));
  if (databases.contains(wanted)) return {};
  const auto near = Nearest(wanted, {databases.begin(), databases.end()});
  return Fail(
      Code::kInvalid,
      fmt::format("there is no database \"{}\" of which you may read a table{}",
                  names_.default_database, near.empty() ? "" : "; did you mean \"" + near + "\"?"));
}

Result<std::string> TableNames::Columns() {
  std::vector<std::string> rows;
  auto all = *TRY(All());
  for (const auto& name : all) {
    auto source = Find(name);
    if (!source.ok() && source.error().code() == Code::kNotFound)
      continue;  // gone since it was listed
    if (!source.ok()) return Fail(source.error());
    int64_t place = 0;
    for (const auto& field : (*source)->columns) {
      rows.push_back(fmt::format("('mesh', {}, {}, {}, {}, {}, {})", Literal(name.first),
                                 Literal(name.second), Literal(field.name), ++place,
                                 field.required ? "'NO'" : "'YES'",
                                 Literal(ToLogical(field.type).ToString())));
    }
  }
  return Values(
      "table_catalog, table_schema, table_name, column_name, ordinal_position, is_nullable, "
      "data_type",
      7, rows);
}

Result<std::optional<std::string>> TableNames::InformationSchema(const std::string& view) {
  std::vector<std::string> rows;
  if (view == "columns") return std::optional(TRY(Columns()));
  if (view != "tables" && view != "schemata") return std::optional<std::string>();
  const auto* all = TRY(All());
  std::set<std::string> databases;
  for (const auto& [database, table] : *all) {
    databases.insert(database);
    if (view == "tables")
      rows.push_back(
          fmt::format("('mesh', {}, {}, 'BASE TABLE')", Literal(database), Literal(table)));
  }
  if (view == "tables")
    return std::optional(Values("table_catalog, table_schema, table_name, table_type", 4, rows));
  for (const auto& database : databases)
    rows.push_back(fmt::format("('mesh', {})", Literal(database)));
  return std::optional(Values("catalog_name, schema_name", 2, rows));
}

Result<std::string> TableNames::ShowTables(const std::string& database) {
  const auto* all = TRY(All());
  auto wanted = Lower(database.empty() ? names_.default_database : database);
  std::vector<std::string> rows;
  for (const auto& [where, table] : *all) {
    if (!wanted.empty() && Lower(where) != wanted) continue;
    rows.push_back(fmt::format("({}, {})", Literal(where), Literal(table)));
  }
  return Values("\"database\", name", 2, rows);
}

}  // namespace weft::engine
