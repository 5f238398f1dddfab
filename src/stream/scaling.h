// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "stream/stream_info.h"
#include "stream/throughput.h"

namespace weft::stream {

// Watches what is written to the shards of one on-demand stream, and says when its load asks for
// more shards or fewer. One thread at a time.
class Scaling {
 public:
  static constexpr seconds kWindow{10};
  static constexpr std::chrono::hours kQuiet{1};

  // An open shard and what was written to it so far, in order of their ranges.
  struct Load {
    int shard = 0;
    HashRange range;
    ShardThroughput::Written written;
  };
  // A split in the middle, or a merge with `adjacent`.
  struct Step {
    int shard = 0;
    std::optional<int> adjacent;
    HashKey middle = 0;
  };
  // At most `shards_max` shards result from splits, no fewer than `shards_min` from merges.
  std::vector<Step> Look(const std::vector<Load>& open, microseconds now, int shards_min,
                         int shards_max);

 private:
  struct Rate {
    double bytes = 0, records = 0;  // a second
  };
  struct Seen {
    microseconds since{0};
    ShardThroughput::Written written;         // then
    std::optional<Rate> rate;                 // of the last whole window
    std::optional<microseconds> quiet_since;  // it and the neighbour that follows
    int neighbour = -1;
  };
  void Measure(const std::vector<Load>& open, microseconds now);

  std::map<int, Seen> seen_;
};

}  // namespace weft::stream
