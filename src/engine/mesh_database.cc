// SPDX-License-Identifier: Apache-2.0
#include "duckdb/storage/buffer_manager.hpp"
#include "engine/mesh_catalog_internal.h"
#include "engine/mesh_database_internal.h"

namespace weft::engine {
namespace {

void Run(duckdb::Connection& connection, const std::string& sql) {
  auto result = connection.Query(sql);
  if (result->HasError()) result->ThrowError();
}

std::string Literal(const std::string& text) {
  return "'" + duckdb::StringUtil::Replace(text, "'", "''") + "'";
}

}  // namespace

MeshDatabase::MeshDatabase(const MeshDatabaseOptions& options, objects::ObjectStore& store)
    : paths_(ObjectPaths::Make(options.local_root)) {
  duckdb::DBConfig config;
  RegisterMesh(config);
  config.SetOptionByName("threads", duckdb::Value::BIGINT(options.threads));
  config.SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
  config.SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
  config.options.temporary_directory = options.temporary_folder;
  database_ = std::make_unique<duckdb::DuckDB>(nullptr, &config);
  auto files = MakeObjectFileSystem(store, paths_);
  database_->instance->GetFileSystem().RegisterSubSystem(
      duckdb::unique_ptr<duckdb::FileSystem>(files.release()));
  duckdb::Connection connection(*database_);
  AttachMesh(connection);
  if (options.memory_bytes > 0) SetMemory(options.memory_bytes);
  Run(connection, "set global TimeZone = 'UTC'");
  Run(connection, "set global temp_directory = " + Literal(options.temporary_folder));
  if (!options.locked) return;
  Run(connection, "set global parquet_metadata_cache = true");
  // Where no column has such a name, DuckDB takes it for a call of its function, which no walk over
  // the statement can tell from a column.
  for (const char* name : {"current_catalog", "current_role", "current_schema", "current_user",
                           "session_user", "user"}) {
    Run(connection, fmt::format("create macro \"{0}\"() as error('{0} is not offered')", name));
  }
  Run(connection, "set allowed_directories = [" + Literal(paths_.prefix) + "]");
  if (options.temporary_folder.empty())
    Run(connection, "set disabled_filesystems = 'LocalFileSystem'");
  Run(connection, "set allow_community_extensions = false");
  Run(connection, "set enable_external_access = false");
  Run(connection, "set lock_configuration = true");
}

void MeshDatabase::SetMemory(int64_t bytes) {
  // DuckDB gives all free memory back to the system whenever it is told.
  if (bytes == memory_bytes_) return;
  duckdb::BufferManager::GetBufferManager(*database_->instance)
      .SetMemoryLimit(static_cast<duckdb::idx_t>(bytes));
  memory_bytes_ = bytes;
}

}  // namespace weft::engine
