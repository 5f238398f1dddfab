// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "app/serve.h"
#include "cli/cli.h"
#include "engine/duckdb_engine.h"

int main(int argc, char** argv) {
  // A worker process of the engine: not for people.
  if (argc > 1 && std::strcmp(argv[1], "worker") == 0) return weft::engine::RunWorker(argc, argv);
  return weft::cli::Run(argc, argv, weft::app::MakeServerCommands());
}
