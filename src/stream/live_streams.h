// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "meta/database.h"
#include "stream/route.h"
#include "stream/stream_info.h"

namespace weft::stream {

log::PartitionName PartitionOf(const StreamName& name, int64_t number, int shard);
Error NoSuchStream(const StreamName& name);

// The streams in memory, with what goes on in them: read from the database on first use, then
// changed by the commits that change it. Safe to call from any thread, but none of the readers
// within a transaction.
class LiveStreams {
 public:
  explicit LiveStreams(meta::Database& database) : database_(database) {}

  // Reads everything anew. Only what was closed before any Route was given out has ended then.
  Status Load();

  Result<std::shared_ptr<const StreamInfo>> Find(const StreamName& name);
  Result<std::shared_ptr<const OpenShards>> Open(const StreamName& name);
  struct Found {
    std::shared_ptr<const StreamInfo> info;
    std::shared_ptr<LiveShard> shard;
  };
  Result<Found> Find(const ShardId& shard);
  Result<std::vector<std::shared_ptr<LiveShard>>> ShardsOf(const StreamName& name);
  struct Stream {
    std::shared_ptr<const StreamInfo> info;
    std::vector<std::shared_ptr<LiveShard>> shards;  // as info->shards
  };
  Result<std::vector<Stream>> All();  // in no order

  // For commit hooks: what the database has from now on.
  void Put(const StreamInfo& info);
  void Remove(const StreamName& name);

 private:
  struct Known {
    Stream stream;
    std::shared_ptr<const OpenShards> open;
  };
  static Known Next(const Known* before, const StreamInfo& info);
  Status Ready();

  meta::Database& database_;
  std::atomic<bool> loaded_ = false;
  std::shared_mutex mutex_;  // guards what follows, and loaded_ becoming true
  int64_t changes_ = 0;      // by commits
  std::unordered_map<StreamName, Known> streams_;
};

}  // namespace weft::stream
