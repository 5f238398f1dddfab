// SPDX-License-Identifier: Apache-2.0
// All that a mesh is made of, in memory, with a database and an object store that can be made to
// fail.
#pragma once

#include <memory>

#include "base/metrics.h"
#include "deliver/testing/fake_engine.h"
#include "log/testing/memory_log.h"
#include "mesh/mesh.h"
#include "meta/sqlite.h"
#include "meta/testing/failing_database.h"
#include "objects/testing/failing_store.h"
#include "objects/testing/memory_store.h"

namespace weft::mesh {

class TestServer {
 public:
  TestServer();
  // As after a crash: all but the log, the database and the objects is made anew.
  void Restart();

  std::unique_ptr<meta::Database> kept_database;
  std::unique_ptr<log::RecordLog> log;
  std::unique_ptr<objects::ObjectStore> kept_store;
  meta::FailingDatabase database;
  objects::FailingStore store;
  Metrics metrics;
  struct Modules;
  std::unique_ptr<Modules> modules;
  // Shorthands into `modules`.
  Meshes& meshes();
  catalog::Catalog& catalog();
  ingest::Intakes& intakes();
  ingest::Ingest& ingest();
  deliver::Delivery& delivery();
  iceberg::Tables& tables();
  ~TestServer();
};

}  // namespace weft::mesh
