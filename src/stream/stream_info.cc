// SPDX-License-Identifier: Apache-2.0
#include "stream/stream_info.h"

#include <algorithm>

namespace weft::stream {

int StreamInfo::OpenShards() const {
  return static_cast<int>(
      std::count_if(shards.begin(), shards.end(), [](const Shard& s) { return !s.closed; }));
}

const Shard* StreamInfo::FindShard(int shard) const {
  auto found = std::lower_bound(shards.begin(), shards.end(), shard,
                                [](const Shard& s, int wanted) { return s.number < wanted; });
  return found == shards.end() || found->number != shard ? nullptr : &*found;
}

}  // namespace weft::stream
