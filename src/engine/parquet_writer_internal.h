// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "engine/duckdb_engine.h"
#include "engine/mesh_database_internal.h"

namespace weft::engine {

// Writes Parquet with a DuckDB of this process's own, which starts with the first write. Safe from
// any thread.
class ParquetWriter {
 public:
  ParquetWriter(const DuckDbOptions& options, objects::ObjectStore& store)
      : options_(options), store_(store) {}
  Result<std::vector<iceberg::DataFile>> Write(const WriteRequest& request);

 private:
  Result<MeshDatabase*> Database();

  const DuckDbOptions options_;
  objects::ObjectStore& store_;
  std::mutex mutex_;
  std::unique_ptr<MeshDatabase> database_;
};

}  // namespace weft::engine
