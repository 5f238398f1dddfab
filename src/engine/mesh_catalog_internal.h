// SPDX-License-Identifier: Apache-2.0
// The catalog that a statement sees: the relations that were found for it, and nothing else. It
// lives in DuckDB as the attached database `mesh`; what it holds hangs on the connection, so that
// no statement sees another's.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "duckdb.hpp"
#include "duckdb/catalog/catalog.hpp"
#include "duckdb/main/client_context_state.hpp"
#include "engine/mesh_scan_internal.h"

namespace weft::engine {

inline constexpr const char* kMeshCatalog = "mesh";

// A statement's relations. Filled before the statement is bound.
class StatementTables : public duckdb::ClientContextState {
 public:
  explicit StatementTables(ObjectPaths paths) : paths_(std::move(paths)) {}
  ~StatementTables() override;

  void Add(std::shared_ptr<const TableSource> source);
  const ObjectPaths& paths() const { return paths_; }

  duckdb::optional_ptr<duckdb::SchemaCatalogEntry> Schema(duckdb::Catalog& catalog,
                                                          const std::string& name);
  duckdb::optional_ptr<duckdb::CatalogEntry> Table(duckdb::Catalog& catalog,
                                                   duckdb::SchemaCatalogEntry& schema,
                                                   const std::string& name);
  void ForEachSchema(duckdb::Catalog& catalog,
                     const std::function<void(duckdb::SchemaCatalogEntry&)>& call);
  void ForEachTable(duckdb::Catalog& catalog, duckdb::SchemaCatalogEntry& schema,
                    const std::function<void(duckdb::CatalogEntry&)>& call);

  static StatementTables& Of(duckdb::ClientContext& context);
  // Gives the connection its tables.
  static StatementTables& Attach(duckdb::ClientContext& context, const ObjectPaths& paths);

 private:
  using Key = std::pair<std::string, std::string>;
  ObjectPaths paths_;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const TableSource>> sources_;
  std::map<std::string, duckdb::unique_ptr<duckdb::SchemaCatalogEntry>> schemas_;
  std::map<Key, duckdb::unique_ptr<duckdb::CatalogEntry>> tables_;
};

// Puts the catalog into a database that is being configured; then, once it runs, attaches it.
void RegisterMesh(duckdb::DBConfig& config);
void AttachMesh(duckdb::Connection& connection);

}  // namespace weft::engine
