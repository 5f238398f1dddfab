// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "contract/contracts.h"
#include "stream/streams.h"
#include "tail/converter.h"
#include "tail/draft.h"
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
    std::shared_ptr<std::atomic<int64_t>> bytes;  // of the columns of all tables
  };
  TableColumns(const Feed& feed, const Tail::Options& options, const Dependencies& dependencies);
  ~TableColumns();

  Result<TailRows> Rows(std::shared_ptr<const iceberg::Schema> schema,
                        const catalog::Positions& from, int64_t bytes_max);
  Status Follow(std::shared_ptr<const iceberg::Schema> schema, const catalog::Positions& from);
  void Release(const catalog::Positions& positions);
  // Takes one step of what arrived: drafts, and where `convert` says so records of the log; returns
  // whether there was anything. `lazily`: nothing is done for a few records only. A record of the
  // log is taken when it was durable at the last but one call with `due`: until then the draft of
  // its row may be on its way.
  struct Steps {
    bool convert = true;
    bool lazily = true;
    bool due = true;
  };
  Result<bool> Ahead(Steps steps);

  // For rows of records that are about to be appended; nullptr as long as the table's schema is not
  // known.
  std::unique_ptr<Draft> Begin(int64_t record_bytes);
  // Takes a draft whose records are durable. Returns the octets that wait so.
  int64_t Offer(std::unique_ptr<Draft> draft);
  const Feed& feed() const { return feed_; }
  // Gives the memory back and converts nothing from now on.
  void Forget();

  int64_t waiting_bytes() const { return waiting_bytes_; }

 private:
  Status Adopt(const std::shared_ptr<const iceberg::Schema>& schema);
  // The columns of a shard that begin at or before `from` and are not ahead of the log.
  Result<ShardColumns*> Shard(const stream::ShardId& shard, int64_t from);
  Status ConvertTo(const stream::ShardId& shard, ShardColumns& columns, int64_t from, int64_t end,
                   int64_t bytes_max);
  // One step towards `end`, by a draft or from the log.
  Status Step(const stream::ShardId& shard, ShardColumns& columns, int64_t end,
              int64_t read_bytes_max);
  Status Close(ShardColumns& columns);
  struct Read {
    int64_t end = 0;               // the records before it were read
    std::vector<int64_t> offsets;  // of the rows
    int64_t record_bytes = 0;      // of the rows' records
  };
  Status ReadLog(Converter& converter, const stream::ShardId& shard, Read& read, int64_t end,
                 int64_t read_bytes_max) const;
  // As Step, but about `bytes` of records far, and on several threads (table_columns_leap.cc);
  // false, and nothing is done, where that would not pay.
  Result<bool> Leap(const stream::ShardId& shard, ShardColumns& columns, int64_t end,
                    int64_t bytes);
  struct Stretch {
    std::vector<ShardColumns::Entry> entries;  // one behind the other
    Status status;                             // of what follows them
  };
  Stretch Convert(Converter& converter, const stream::ShardId& shard, int64_t begin,
                  int64_t end) const;
  // The next draft that has not been passed; it begins at columns.end() or later.
  const Draft* NextDraft(int shard, const ShardColumns& columns);
  std::unique_ptr<Draft> TakeDraft(int shard);
  void Account();

  const Feed feed_;
  const Tail::Options options_;
  const Dependencies dependencies_;
  std::atomic<int64_t> waiting_bytes_ = 0;

  std::mutex mutex_;
  bool forgotten_ = false;
  bool behind_ = false;  // the schema lacks columns of newer records: wait for the next caller's
  std::unique_ptr<Converter> converter_;
  size_t id_column_ = 0, arrival_column_ = 0;  // of its schema
  std::map<int, ShardColumns> shards_;
  // Of a shard: the log's end at the last two calls of Ahead that were due.
  struct Durable {
    int64_t before = 0, now = 0;
  };
  std::map<int, Durable> durable_;
  int64_t bytes_ = 0;

  // Taken last, and never for long: the log's own thread offers.
  std::mutex drafts_mutex_;
  std::shared_ptr<const iceberg::Schema> draft_schema_;
  std::vector<std::unique_ptr<Draft>> idle_;
  int begun_ = 0;                                            // since the idle ones were looked at
  std::map<int, std::deque<std::unique_ptr<Draft>>> ready_;  // by shard, in order of offset
  int64_t ready_bytes_ = 0;
};

}  // namespace weft::tail
