// SPDX-License-Identifier: Apache-2.0
// The test program is its own worker, and a server to be killed: a `main` here takes the place of
// GoogleTest's.
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "engine/duckdb_engine.h"
#include "engine/testing/sample_mesh.h"

namespace {

// A server that a test can kill: one worker waits, another one never ends.
int RunServer() {
  weft::engine::testing::SampleMesh mesh({.workers = 2});
  std::thread busy([&] {
    mesh.Ask("with recursive r as (select 1 a union all select a + 1 from r) select max(a) from r");
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  mesh.Ask("select 1");
  busy.join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "worker") == 0) return weft::engine::RunWorker(argc, argv);
  if (argc > 1 && std::strcmp(argv[1], "server") == 0) return RunServer();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
