// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "log/record_log.h"
#include "stream/live_streams.h"
#include "stream/scaling.h"

namespace weft::stream {

// The first offset of the batches of a partition that arrived at `time` or later. Damaged ones, of
// which nobody knows when they came, count as late: the answer is never past a record that arrived
// by then.
Result<Offset> OffsetAt(log::RecordLog& log, const log::PartitionName& partition, Timestamp time);

// Frees what the streams' retention no longer wants. Remembers when a shard can next have
// something to free, so that a quiet shard costs no look at the log. One thread at a time.
class Retention {
 public:
  Retention(log::RecordLog& log, const Clock& clock) : log_(log), clock_(clock) {}

  // The shards of a free stream.
  Status Trim(const LiveStreams::Stream& stream);
  // Those closed shards that are read to their end by now and hold nothing.
  std::vector<int> Forgettable(const LiveStreams::Stream& stream) const;
  // Forgets what it knows of streams whose numbers are not among these.
  void Keep(const std::set<int64_t>& streams);

 private:
  // Of one shard.
  struct Due {
    Timestamp at;                     // no record is too old before
    std::chrono::hours retention{0};  // that `at` was found with
  };
  Status TrimShard(const StreamSettings& settings, const LiveShard& shard, Due& due);

  log::RecordLog& log_;
  const Clock& clock_;
  std::map<int64_t, std::map<int, Due>> due_;  // by stream and shard
};

}  // namespace weft::stream
