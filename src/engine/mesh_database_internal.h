// SPDX-License-Identifier: Apache-2.0
// A DuckDB instance in memory that knows the mesh's catalog and reads and writes objects.
#pragma once

#include <memory>
#include <string>

#include "duckdb.hpp"
#include "engine/object_file_system_internal.h"

namespace weft::engine {

struct MeshDatabaseOptions {
  int threads = 1;
  int64_t memory_bytes = 0;
  std::string temporary_folder;  // "": nothing is spilled
  std::string local_root;
  bool locked = false;  // for users' statements: no files, no settings, no extensions
};

class MeshDatabase {
 public:
  // Throws DuckDB's exceptions.
  MeshDatabase(const MeshDatabaseOptions& options, objects::ObjectStore& store);

  duckdb::DuckDB& database() { return *database_; }
  const ObjectPaths& paths() const { return paths_; }
  void SetMemory(int64_t bytes);

 private:
  ObjectPaths paths_;
  std::unique_ptr<duckdb::DuckDB> database_;
  int64_t memory_bytes_ = 0;  // 0: DuckDB's own choice
};

}  // namespace weft::engine
