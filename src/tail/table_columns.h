// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "contract/contracts.h"
#include "stream/streams.h"
#include "tail/converter.h"
#include "tail/shard_columns.h"
#include "tail/tail.h"

namespace weft::tail {

// The undelivered records of one table as columns. Safe to call from any thread: one converts,
// others wait.
class TableColumns {
 public:
  struct Dependencies {
    stream::Streams& streams;
    const contract::Contracts& contracts;
    Counter& refused;
    std::atomic<int64_t>& bytes;  // of the columns of all tables
  };
  TableColumns(const Feed& feed, const Tail::Options& options, const Dependencies& dependencies);
  ~TableColumns();

  Result<TailRows> Rows(std::shared_ptr<const iceberg::Schema> schema,
                        const catalog::Positions& from, int64_t bytes_max);
  Status Follow(std::shared_ptr<const iceberg::Schema> schema, const catalog::Positions& from);
  void Release(const catalog::Positions& positions);
  // Converts one step of what arrived; returns whether there was anything. `lazily`: not for a few
  // records only.
  Result<bool> Ahead(bool lazily);
  // Gives the memory back and converts nothing from now on.
  void Forget();

  int64_t waiting_bytes() const { return waiting_bytes_; }

 private:
  Status Adopt(const std::shared_ptr<const iceberg::Schema>& schema);
  // The columns of a shard that begin at or before `from` and are not ahead of the log.
  Result<ShardColumns*> Shard(const stream::ShardId& shard, int64_t from);
  Status ConvertTo(const stream::ShardId& shard, ShardColumns& columns, int64_t from, int64_t end,
                   int64_t bytes_max);
  Status Step(const stream::ShardId& shard, ShardColumns& columns, int64_t read_bytes_max);
  Status Read(const stream::ShardId& shard, ShardColumns::Entry& entry, int64_t read_bytes_max);
  void Restart();
  void Account();

  const Feed feed_;
  const Tail::Options options_;
  const Dependencies dependencies_;
  std::atomic<int64_t> waiting_bytes_ = 0;

  std::mutex mutex_;
  bool forgotten_ = false;
  bool behind_ = false;  // the schema lacks columns of newer records: wait for the next caller's
  std::unique_ptr<Converter> converter_;
  std::map<int, ShardColumns> shards_;
  int64_t bytes_ = 0;
};

}  // namespace weft::tail
