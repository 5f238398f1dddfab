// SPDX-License-Identifier: Apache-2.0
// What splits and merges make of a stream's shards. Pure: nothing is stored here.
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "stream/stream_info.h"

namespace weft::stream {

// All hash keys in `count` ranges of one size, the last of which takes what is left over.
std::vector<HashRange> EvenRanges(int count);

// The shards of a stream as they change. Numbers of new shards rise from `next_number`.
class Reshard {
 public:
  Reshard(const StreamInfo& stream, int next_number, Timestamp now);

  // kInvalid for a closed shard and a key that leaves a child without a range; kNotFound.
  Status Split(int shard, HashKey second_first);
  // kInvalid for closed shards and ranges that do not touch; kNotFound.
  Status Merge(int shard, int adjacent);
  // To `count` open shards of even ranges.
  Status Resize(int count);

  const std::vector<Shard>& shards() const { return shards_; }
  int next_number() const { return next_number_; }
  int open() const;

 private:
  Result<Shard*> Open(int shard);
  Shard* OpenWith(HashKey key);
  void Add(const HashRange& range, int parent, std::optional<int> adjacent_parent);

  const StreamName name_;
  const Timestamp now_;
  std::vector<Shard> shards_;
  int next_number_;
};

}  // namespace weft::stream
