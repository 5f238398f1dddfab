// SPDX-License-Identifier: Apache-2.0
// Streams: what producers write to and readers follow. A stream has shards, each with a range of
// hash keys; each shard is one partition of the record log. Shards are split and merged while
// records come in; a closed shard is read to its end and then its children are.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/metrics.h"
#include "base/result.h"
#include "log/record_log.h"
#include "meta/database.h"
#include "stream/shard.h"
#include "stream/stream_info.h"

namespace weft::stream {

struct NewStream {
  StreamName name;
  AccountId account;
  Use use = Use::kFree;
  int shards = 1;
  StreamSettings settings{};
};

// The open shards of a stream at one moment. As long as a copy lives, none of them ends, even when
// it is closed: keep it from choosing a shard to the append, no longer.
class Route {
 public:
  int64_t stream() const;  // StreamInfo::number
  int ShardOf(HashKey key) const;
  // For records without a key: one of the open shards, by what the batch's id hashes to.
  int ShardOfBatch(std::string_view batch_id) const;

 private:
  friend class Streams;
  std::shared_ptr<const struct OpenShards> open_;
};

// Safe to call from any thread.
class Streams {
 public:
  struct Options {
    int shards_max = 1'000;          // open ones, of all streams of an account but internal ones
    int on_demand_shards_min = 4;    // open ones below which lack of load merges none
    int on_demand_shards_max = 32;   // open ones that load alone gives a stream
    int on_demand_streams_max = 50;  // free ones of an account
  };
  Streams(const Options& options, meta::Database& database, log::RecordLog& log, const Clock& clock,
          Metrics& metrics);
  ~Streams();  // Stop()s

  static const std::vector<std::string>& Migrations();

  // Within the caller's transaction; the partitions are made before it commits and removed after it
  // did, so that a stream that meta knows can always be written to. kExists where there is one, but
  // fine for kProduct and kInternal where it is there with the same use; kThrottled past a limit of
  // the account, which only kFree ones meet; kInvalid.
  Status Create(meta::Transaction& tx, const NewStream& stream);
  Status Delete(meta::Transaction& tx, const StreamName& name);
  // Changes settings; kInvalid when `change` leaves them out of range. What `change` fails with is
  // passed on.
  Status Update(meta::Transaction& tx, const StreamName& name,
                const std::function<Status(StreamSettings&)>& change);

  // Reads of what there is cost no disk. Not within a transaction.
  Result<std::shared_ptr<const StreamInfo>> Find(const StreamName& name) const;
  // Those of the account in order of name, without kInternal.
  Result<std::vector<std::shared_ptr<const StreamInfo>>> OfAccount(const AccountId& account) const;
  Result<std::vector<ShardId>> Shards(const StreamName& name) const;  // closed ones too
  Result<int> OpenShardsOf(const AccountId& account) const;           // without kInternal

  // Splits an open shard: the second child begins at `second_first`. Merges two open shards whose
  // ranges touch. Durable on return; records go to the children from then on. kInvalid (also for
  // kInternal streams), kNotFound, kThrottled past a limit.
  Status Split(const StreamName& name, int shard, HashKey second_first);
  Status Merge(const StreamName& name, int shard, int adjacent);
  // Splits and merges until there are `count` open shards of even ranges, at once. As Kinesis: at
  // most twice and at least half of what is there, else kInvalid.
  Status Resize(const StreamName& name, int count);

  Result<Route> RouteOf(const StreamName& name) const;
  // As RecordLog's: all parts durable together or none. Those for streams with a key are sealed.
  // kInvalid for a part whose route is not of its stream or does not have its shard.
  struct Part {
    StreamName stream;
    Route route;
    int shard = 0;
    log::Batch batch;
  };
  void Append(std::vector<Part> unit, log::RecordLog::OnUnitDurable done);
  // A batch without keys.
  void Append(const StreamName& name, log::Batch batch, log::RecordLog::OnDurable done);

  // As RecordLog's, by shard.
  Result<std::vector<log::StoredBatch>> Read(const ShardId& shard, Offset from,
                                             log::ReadLimits limits);
  Result<log::Bounds> BoundsOf(const ShardId& shard);
  // Of all shards, in order of number; one that is forgotten meanwhile is left out.
  struct ShardBounds {
    int shard = 0;
    log::Bounds bounds;
  };
  Result<std::vector<ShardBounds>> BoundsOf(const StreamName& name);
  // Whether nothing will ever follow the shard's end: ask before asking for the bounds.
  Result<bool> Ended(const ShardId& shard) const;
  // Also when the shard ends.
  Result<log::RecordLog::Watch> OnPast(const ShardId& shard, Offset from,
                                       std::function<void()> wake);
  Status Trim(const ShardId& shard, Offset before);
  Result<Offset> OffsetWithin(const ShardId& shard, int64_t bytes_max);
  // The first offset of the batches that arrived at `time` or later; where some are damaged it may
  // be an earlier one.
  Result<Offset> OffsetAt(const ShardId& shard, Timestamp time);

  // What a shard of a provisioned stream takes and gives: 1 MiB and 1,000 records a second in; 5
  // reads and 2 MiB a second out (a read may pass the bound, and the next ones wait for it).
  // kThrottled. On-demand streams: always OK, and counted for their scaling.
  Status AdmitWrite(const ShardId& shard, int64_t bytes, int records);
  Status AdmitRead(const ShardId& shard);
  void ChargeRead(const ShardId& shard, int64_t bytes);

  // Removes partitions that no stream owns, left behind by a crash. At start.
  Status RemoveOrphans();
  // One round of upkeep: trims free streams by their retention; forgets closed shards that hold
  // nothing more once their retention is over; scales on-demand streams: a shard that had more than
  // 1 MiB or 1,000 records a second over the last 10 s is split, neighbours that had less than a
  // quarter of that together for an hour are merged. What fails is left for the next round; the
  // first failure is returned.
  Status Keep();
  // Keeps on a thread of its own, every second.
  void Start();
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::stream
