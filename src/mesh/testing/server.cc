// SPDX-License-Identifier: Apache-2.0
#include "mesh/testing/server.h"

#include "base/check.h"

namespace weft::mesh {
namespace {

std::unique_ptr<meta::Database> OpenDatabase() {
  auto opened = meta::OpenSqlite({.path = "", .readers = 4});
  CHECK(opened.ok());
  auto& database = **opened;
  CHECK(meta::Migrate(database, "stream", stream::Streams::Migrations()).ok());
  CHECK(meta::Migrate(database, "contract", contract::Contracts::Migrations()).ok());
  CHECK(meta::Migrate(database, "identity", identity::Directory::Migrations()).ok());
  CHECK(meta::Migrate(database, "catalog", catalog::Catalog::Migrations()).ok());
  CHECK(meta::Migrate(database, "govern", govern::Govern::Migrations()).ok());
  CHECK(meta::Migrate(database, "tail", tail::Feeds::Migrations()).ok());
  CHECK(meta::Migrate(database, "ingest", ingest::Intakes::Migrations()).ok());
  CHECK(meta::Migrate(database, "quarantine", ingest::Quarantine::Migrations()).ok());
  CHECK(meta::Migrate(database, "deliver", deliver::Delivery::Migrations()).ok());
  CHECK(meta::Migrate(database, "mesh", Meshes::Migrations()).ok());
  return std::move(*opened);
}

}  // namespace

struct TestServer::Modules {
  explicit Modules(TestServer& server)
      : database(server.database),
        store(server.store),
        engine(server.store),
        streams({}, database, *server.log, SystemClock(), server.metrics),
        tables(store, SystemClock(), SystemRandom()),
        contracts(database),
        directory({.master_key = Bytes(32, 'k')}, database, SystemClock(), SystemRandom()),
        catalog(database),
        govern(database, directory),
        feeds(database),
        tail({}, streams, contracts, server.metrics),
        intakes(database),
        ingest(contracts, intakes, streams, SystemClock(), SystemRandom(), server.metrics),
        quarantine(database, streams, ingest),
        delivery({}, {.database = database,
                      .store = store,
                      .streams = streams,
                      .tables = tables,
                      .catalog = catalog,
                      .feeds = feeds,
                      .tail = tail,
                      .engine = engine,
                      .clock = SystemClock(),
                      .random = SystemRandom(),
                      .metrics = server.metrics}),
        meshes({.bucket = "weft"}, {.database = database,
                                    .store = store,
                                    .streams = streams,
                                    .contracts = contracts,
                                    .directory = directory,
                                    .catalog = catalog,
                                    .govern = govern,
                                    .tables = tables,
                                    .feeds = feeds,
                                    .tail = tail,
                                    .intakes = intakes,
                                    .quarantine = quarantine,
                                    .delivery = delivery,
                                    .clock = SystemClock()}) {}

  meta::Database& database;
  objects::ObjectStore& store;
  deliver::FakeEngine engine;
  stream::Streams streams;
  iceberg::Tables tables;
  contract::Contracts contracts;
  identity::Directory directory;
  catalog::Catalog catalog;
  govern::Govern govern;
  tail::Feeds feeds;
  tail::Tail tail;
  ingest::Intakes intakes;
  ingest::Ingest ingest;
  ingest::Quarantine quarantine;
  deliver::Delivery delivery;
  Meshes meshes;
};

TestServer::TestServer()
    : kept_database(OpenDatabase()),
      log(log::OpenMemoryLog()),
      kept_store(objects::OpenMemoryStore()),
      database(*kept_database),
      store(*kept_store) {
  Restart();
}
TestServer::~TestServer() = default;

void TestServer::Restart() {
  modules.reset();
  modules = std::make_unique<Modules>(*this);
}

Meshes& TestServer::meshes() { return modules->meshes; }
catalog::Catalog& TestServer::catalog() { return modules->catalog; }
ingest::Intakes& TestServer::intakes() { return modules->intakes; }
ingest::Ingest& TestServer::ingest() { return modules->ingest; }
deliver::Delivery& TestServer::delivery() { return modules->delivery; }
iceberg::Tables& TestServer::tables() { return modules->tables; }

}  // namespace weft::mesh
