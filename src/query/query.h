// SPDX-License-Identifier: Apache-2.0
// SQL for a principal: each table is its snapshot and the acknowledged records behind it as one
// relation, with the columns that the principal was granted. The right to query at all is judged
// before.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "govern/govern.h"
#include "iceberg/table.h"
#include "identity/principal.h"
#include "tail/tail.h"

namespace weft::query {

struct QueryOptions {
  engine::ResultFormat format = engine::ResultFormat::kNdjson;
  milliseconds time_max{60'000};
  int64_t memory_bytes_max = int64_t{2} << 30;
  int64_t rows_max = 0;
  std::string default_database;
};

class Query {
 public:
  struct Dependencies {
    catalog::Catalog& catalog;
    govern::Govern& govern;
    iceberg::Tables& tables;
    tail::Feeds& feeds;
    tail::Tail& tail;
    engine::Engine& engine;
    const Clock& clock;
    Metrics& metrics;
  };
  explicit Query(const Dependencies& dependencies);
  ~Query();

  // As Engine::Query. Sees every record acknowledged before the call. kThrottled past the limits.
  Status Run(const identity::Principal& principal, const std::string& sql,
             const QueryOptions& options, engine::ResultSink& sink);

  // A table as `principal` may see it; kNotFound as if it did not exist.
  struct TableView {
    catalog::TableState state;
    iceberg::TableVersion version;
    govern::Access access;
    std::vector<iceberg::Field> columns;  // the granted ones
  };
  Result<TableView> Describe(const identity::Principal& principal, const catalog::TableName& name);
  // The columns of a table whoever may read them, `_id` and `_arrival` last: for explanations of
  // access.
  Result<std::vector<std::string>> ColumnNames(const catalog::TableName& name);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::query
