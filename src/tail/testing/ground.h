// SPDX-License-Identifier: Apache-2.0
// What the tests of tail, delivery and query stand on: stores that outlive a crash, and the modules
// over them.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "catalog/catalog.h"
#include "contract/contracts.h"
#include "iceberg/table.h"
#include "log/testing/failing_log.h"
#include "meta/testing/failing_database.h"
#include "objects/object_store.h"
#include "stream/streams.h"
#include "tail/feeds.h"
#include "tail/tail.h"

namespace weft::tail {

// A clock that a test moves; it starts at the machine's time, which the log and the stores go by.
class MovedClock final : public Clock {
 public:
  Timestamp Now() const override { return SystemClock().Now() + ahead_.load(); }
  microseconds Elapsed() const override { return SystemClock().Elapsed() + ahead_.load(); }
  void Move(microseconds by) { ahead_ = ahead_.load() + by; }

 private:
  std::atomic<microseconds> ahead_{microseconds(0)};
};

// Database, log and objects in memory, each behind a wrapper that can fail. Lives on when the
// modules are gone.
struct Ground {
  Ground();
  std::unique_ptr<meta::Database> kept_database;
  std::unique_ptr<log::RecordLog> kept_log;
  std::unique_ptr<objects::ObjectStore> store;
  MovedClock clock;  // of the streams
  meta::FailingDatabase database;
  log::FailingLog log;
};

// The modules up to tail over a ground. To destroy it is the crash.
struct Modules {
  explicit Modules(Ground& ground, const Tail::Options& options = {},
                   objects::ObjectStore* store = nullptr);

  Metrics metrics;
  stream::Streams streams;
  contract::Contracts contracts;
  iceberg::Tables tables;
  catalog::Catalog catalog;
  Feeds feeds;
  Tail tail;
  meta::Database& database;
};

// A product with a table `sales.NAME` for each object. CHECKs that it works.
std::vector<Feed> MakeProduct(Modules& modules, const std::string& name,
                              const contract::Contract& contract,
                              const std::vector<iceberg::PartitionField>& partition = {});
// Of columns {name, type}, as in the short form.
contract::Contract MakeContract(const std::string& product,
                                const std::vector<contract::ShortColumn>& columns);
// Puts the contract in force and its columns into the table of `feed`; returns the contract's
// version.
int ChangeContract(Modules& modules, const Feed& feed, const contract::Contract& contract);

// Appends records as one batch; returns the offset of the first.
Result<int64_t> AppendRecords(Modules& modules, const Feed& feed, int contract_version,
                              const std::vector<std::string>& records);
// To the shard of the partition key.
Status AppendKeyed(Modules& modules, const Feed& feed, const std::string& partition_key,
                   const std::string& record);
Result<int64_t> AppendWithKey(Modules& modules, const Feed& feed, const Bytes& key,
                              const std::vector<std::string>& records);

std::shared_ptr<const iceberg::Schema> SchemaOf(Modules& modules, const Feed& feed);
catalog::Positions PositionsOf(Modules& modules, const Feed& feed);
// The `_id`s of the rows, in order.
std::vector<std::string> IdsOf(const std::vector<engine::ColumnSlice>& slices);
// A text or integer column of the rows as text; null is "null".
std::vector<std::string> ColumnOf(const std::vector<engine::ColumnSlice>& slices,
                                  const std::string& column);

}  // namespace weft::tail
