// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>

#include "engine/statement_check_internal.h"

namespace weft::engine {

// Looks up the tables that a statement names: each once, so that it sees one consistent relation.
class TableNames {
 public:
  TableNames(const StatementNames& names, StatementTables& tables)
      : names_(names), tables_(tables) {}

  // The whole name of what the statement calls [database.]table; kNotFound as users may know it.
  Result<RelationSource::Name> Resolve(const std::string& database, const std::string& table);
  // Whether the database for names without one is one; asked when all names are resolved.
  Status CheckDefault();
  // A query that gives information_schema's view of this name, or nothing when there is no such
  // view.
  Result<std::optional<std::string>> InformationSchema(const std::string& view);
  // A query that gives the names of the tables; `database` empty: the default one's, else of all.
  Result<std::string> ShowTables(const std::string& database);

 private:
  Result<const std::vector<RelationSource::Name>*> All();
  Result<std::shared_ptr<const TableSource>> Find(const RelationSource::Name& name);
  Error NotThere(const std::string& database, const std::string& table);
  Result<std::string> Columns();

  const StatementNames& names_;
  StatementTables& tables_;
  std::optional<std::vector<RelationSource::Name>> all_;
  std::map<RelationSource::Name, std::shared_ptr<const TableSource>> found_;
};

}  // namespace weft::engine
