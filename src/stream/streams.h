// SPDX-License-Identifier: Apache-2.0
// Streams: what producers write to and readers follow. A stream has shards; each shard is one
// partition of the record log. Today a stream has exactly one shard.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "log/record_log.h"
#include "meta/database.h"

namespace weft::stream {

using StreamName = Name<struct StreamTag>;  // letters, digits, - _ . ; 128 at most
using log::Offset;

struct ShardId {
  StreamName stream;
  int number = 0;
  friend auto operator<=>(const ShardId&, const ShardId&) = default;
};

// The place of a record that sorts as it arrived within its shard: 4 digits of shard, '-', 19
// digits of offset. It is the `_id` of the record's row.
std::string RecordId(int shard, Offset offset);

// Safe to call from any thread.
class Streams {
 public:
  Streams(meta::Database& database, log::RecordLog& log);

  static const std::vector<std::string>& Migrations();

  // Within the caller's transaction; the partitions are made before it commits and removed after it
  // did, so that a stream that meta knows can always be written to. Fine when it is there.
  Status Create(meta::Transaction& tx, const StreamName& name);
  Status Delete(meta::Transaction& tx, const StreamName& name);
  // Removes partitions that no stream owns, left behind by a crash between the two. At start.
  Status RemoveOrphans();

  Result<std::vector<ShardId>> Shards(const StreamName& name);

  // As RecordLog's, by shard.
  void Append(const StreamName& name, log::Batch batch, log::RecordLog::OnDurable done);
  Result<std::vector<log::StoredBatch>> Read(const ShardId& shard, Offset from,
                                             log::ReadLimits limits);
  Result<log::Bounds> BoundsOf(const ShardId& shard);
  Result<log::Bounds> WaitPast(const ShardId& shard, Offset from, milliseconds wait_max);
  Status Trim(const ShardId& shard, Offset before);
  // The first offset of the batches that arrived at `time` or later.
  Result<Offset> OffsetAt(const ShardId& shard, Timestamp time);

 private:
  // What meta says of a stream. Each stream made under a name has a number of its own, so that the
  // removal of an old one never meets the partitions of a new one.
  struct Known {
    int64_t number = 0;
    int shards = 0;
  };
  static log::PartitionName PartitionOf(const StreamName& name, int64_t number, int shard);
  static Result<Known> Find(meta::Transaction& tx, const StreamName& name);
  Result<Known> Lookup(const StreamName& name);
  Result<log::PartitionName> PartitionOf(const ShardId& shard);
  void Remember(const StreamName& name, Known known);
  void Forget(const StreamName& name);

  meta::Database& database_;
  log::RecordLog& log_;
  std::mutex mutex_;  // guards what follows
  std::map<StreamName, Known> known_;
  int64_t changes_ = 0;  // of known_, so that an older look at the database does not undo one
};

}  // namespace weft::stream
