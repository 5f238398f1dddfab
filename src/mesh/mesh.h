// SPDX-License-Identifier: Apache-2.0
// Meshes: what a directory declares becomes so, in one transaction, through the modules that own
// each thing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "contract/contracts.h"
#include "deliver/delivery.h"
#include "govern/govern.h"
#include "iceberg/table.h"
#include "identity/directory.h"
#include "ingest/intakes.h"
#include "ingest/quarantine.h"
#include "mesh/declaration.h"
#include "meta/database.h"
#include "stream/streams.h"
#include "tail/tail.h"

namespace weft::mesh {

struct Change {
  char op = '+';     // '+', '~', '-'
  std::string kind;  // account, product, group, user, policy, grant
  std::string name;  // "orders", "user/ada sales.orders"
  std::string what;  // for people: "table sales.orders, contract 1.0.0, 6 columns"
};

struct Product {
  ProductName name;
  std::string mesh;
  AccountId account;
  std::string database;
  std::vector<catalog::TableName> tables;
};

struct ProductStatus {
  Product product;
  int64_t rows = 0;         // in the tables
  int64_t bytes = 0;        // of their current data files
  int64_t lag_records = 0;  // acknowledged, not yet in a table
  int64_t quarantined = 0;
  std::optional<Timestamp> last_commit;
  std::string last_error;
};

class Meshes {
 public:
  struct Dependencies {
    meta::Database& database;
    objects::ObjectStore& store;
    stream::Streams& streams;
    contract::Contracts& contracts;
    identity::Directory& directory;
    catalog::Catalog& catalog;
    govern::Govern& govern;
    iceberg::Tables& tables;
    tail::Feeds& feeds;
    tail::Tail& tail;
    ingest::Intakes& intakes;
    ingest::Quarantine& quarantine;
    deliver::Delivery& delivery;
    const Clock& clock;
  };
  struct Options {
    std::string bucket = "weft";       // tables lie under s3://BUCKET/DATABASE/TABLE-…
    std::string region = "us-east-1";  // of the ARNs of products' streams
  };
  Meshes(const Options& options, const Dependencies& dependencies);
  ~Meshes();
  static const std::vector<std::string>& Migrations();
  // Removes the objects of tables that were never made or are deleted, left behind by a crash. At
  // start.
  Status Recover();

  // What Apply would do, in a fixed order; nothing when the server is as declared. kInvalid,
  // kConflict (another mesh owns a name; a contract change that a live table cannot follow) as
  // Apply.
  Result<std::vector<Change>> Plan(const Declaration& declaration);
  // Makes it so: all or nothing, also across a crash. With `removals_allowed` false, kConflict when
  // something would be removed.
  Result<std::vector<Change>> Apply(const Declaration& declaration, bool removals_allowed);
  // Removes what the mesh of that name declared, no other mesh's; keeps tables, undelivered and
  // quarantined records (the next apply of the same products finds them) unless `delete_data`.
  Result<std::vector<Change>> PlanDestroy(const std::string& mesh, bool delete_data);
  Result<std::vector<Change>> Destroy(const std::string& mesh, bool delete_data);

  std::vector<Product> Products() const;
  // `a-b` and `a_b` alike.
  Result<Product> FindProduct(std::string_view name) const;
  Result<ProductStatus> StatusOf(const ProductName& product);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::mesh
