// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "engine/engine.h"
#include "objects/object_store.h"

namespace weft::engine {

struct DuckDbOptions {
  int workers = 2;         // processes for users' statements: that many run at once
  int worker_threads = 2;  // of DuckDB in each
  int queue_max = 64;      // more waiting statements are refused
  int writer_threads = 2;  // of DuckDB in this process, for WriteParquet
  int64_t writer_memory_bytes = int64_t{1} << 30;
  std::string temporary_folder{};  // a worker may spill here; "" = it may not
  // How to start a worker: this program with these arguments runs RunWorker. Default: this very
  // binary.
  std::string program{};                   // "" = /proc/self/exe
  std::string worker_argument = "worker";  // argv[1]
  std::string
      objects_root{};  // where the worker finds the local objects: RunWorker opens them itself
};
// Workers start with the first query and are kept. This process's own DuckDB starts with the first
// write.
Result<std::unique_ptr<Engine>> OpenDuckDb(const DuckDbOptions& options,
                                           objects::ObjectStore& store, const Clock& clock,
                                           Metrics& metrics);

// The main function of a worker process: serves statements from the socket it was given until that
// closes.
int RunWorker(int argc, char** argv);

// Reads a local Parquet file of the caller's own (for `weft put`) as NDJSON, piece by piece of
// whole lines.
Status ReadParquetFile(const std::string& path,
                       const std::function<Status(BytesView lines, int64_t rows)>& sink);

}  // namespace weft::engine
