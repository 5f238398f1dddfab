// SPDX-License-Identifier: Apache-2.0
// Judges a user's statement by its parsed tree, before DuckDB binds anything: only reading
// statements, functions on the lists, and tables that the principal's relations have.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "duckdb.hpp"
#include "engine/engine.h"
#include "engine/mesh_catalog_internal.h"

namespace weft::engine {

struct StatementNames {
  std::function<Result<Relation>(const RelationSource::Name&)> find;
  std::function<Result<std::vector<RelationSource::Name>>()> list;
  std::string default_database;
};

// Parses `sql`, judges it, looks its tables up (each once) into `tables`, and rewrites every
// reference to a table so that it can mean nothing but that table.
Result<duckdb::unique_ptr<duckdb::SQLStatement>> CheckStatement(const std::string& sql,
                                                                duckdb::ClientContext& context,
                                                                const StatementNames& names,
                                                                StatementTables& tables);

// DuckDB's text of an error, for users: without its kind, without hints at what they cannot have,
// without names of files.
Error StatementError(const duckdb::ErrorData& error, const ObjectPaths& paths);

}  // namespace weft::engine
