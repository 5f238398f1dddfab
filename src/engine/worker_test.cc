// SPDX-License-Identifier: Apache-2.0
// The test program is its own worker: a `main` here takes the place of GoogleTest's.
#include <gtest/gtest.h>

#include <cstring>

#include "engine/duckdb_engine.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "worker") == 0) return weft::engine::RunWorker(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
