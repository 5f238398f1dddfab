// SPDX-License-Identifier: Apache-2.0
// Delivery: reads the log from a position, writes what it finds into the table, and moves table
// pointer and position in one transaction: exactly once, whatever crashes when. Also keeps the
// tables healthy: merges small files, expires snapshots, removes what crashes left.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "iceberg/table.h"
#include "meta/database.h"
#include "objects/object_store.h"
#include "stream/streams.h"
#include "tail/tail.h"

namespace weft::deliver {

// How the records of a product get into its tables.
struct DeliverySettings {
  ProductName product;
  int64_t buffer_bytes = int64_t{64} << 20;  // of log records: deliver when that many wait
  milliseconds buffer_interval{
      60'000};  // or when the oldest waits that long; 0: as soon as there is one
  // Of delivered records in the log: for how long, and how much of them (octets on disk of the
  // whole stream, 0: no bound). Undelivered ones stay whatever these say.
  milliseconds retention{std::chrono::hours(24 * 7)};
  int64_t retention_bytes = 0;
};

// How tables are kept.
struct UpkeepSettings {
  milliseconds interval{60'000};                    // how often a table is looked at
  int small_files_min = 8;                          // of one partition, before they are merged
  int64_t merge_target_bytes = int64_t{128} << 20;  // files below half of it count as small
  milliseconds snapshot_age_max{std::chrono::hours(24 * 5)};
  int snapshots_min = 10;
  int metadata_files_max = 100;
  milliseconds orphan_age_min{std::chrono::hours(24 * 3)};
  milliseconds orphan_interval{std::chrono::hours(
      24)};  // between two looks for them at one table; the first is after the start
  // An object that expired lives on for that long, for queries that began before; what a restart
  // forgets to delete is found as an orphan.
  milliseconds delete_grace{std::chrono::minutes(10)};
};

struct DeliveryStatus {
  int64_t table_id = 0;
  int64_t lag_records = 0;  // durable, not yet in the table
  Timestamp last_commit;    // 1970 when there was none since the start
  std::string last_error;   // of the last try; "" when it went well
};

class Delivery {
 public:
  struct Dependencies {
    meta::Database& database;
    objects::ObjectStore& store;
    stream::Streams& streams;
    iceberg::Tables& tables;
    catalog::Catalog& catalog;
    tail::Feeds& feeds;
    tail::Tail& tail;
    engine::Engine& engine;
    const Clock& clock;
    Random& random;
    Metrics& metrics;
  };
  Delivery(const UpkeepSettings& upkeep, const Dependencies& dependencies);
  ~Delivery();  // Stop()s
  static const std::vector<std::string>& Migrations();

  Status Put(meta::Transaction& tx, const DeliverySettings& settings);
  Status Delete(meta::Transaction& tx, const ProductName& product);
  Result<DeliverySettings> Find(const ProductName& product) const;

  // Begins to deliver and to keep tables, on threads of its own. A failure is logged, retried with
  // growing waits, and never skips a record.
  void Start();
  // Ends after the commit that is under way.
  void Stop();

  // Delivers what the product's stream holds now, and returns when it is in the tables. Works
  // without Start, as do KeepNow and Exclusively, and tries once: a failure is returned.
  Status DeliverNow(const ProductName& product);
  // Merges, expires and cleans the table now, as far as the settings ask for (orphans without
  // waiting for orphan_interval).
  Status KeepNow(int64_t table_id);
  // Takes part with merging and delivery in the one lock of a table: while `work` runs, no commit
  // of ours to that table does. For schema changes and removal. `work` may do so with other tables
  // (in order of id), not with the same, and must not call DeliverNow or KeepNow.
  Status Exclusively(int64_t table_id, const std::function<Status()>& work);

  std::vector<DeliveryStatus> StatusOf(const ProductName& product) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::deliver
