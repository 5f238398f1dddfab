// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.h"

namespace weft::log {

// A frame in memory. Whoever keeps a batch of it keeps this frame and no other.
using FrameBytesOwner = std::shared_ptr<char[]>;

// Frames as they were written together, in order of position.
struct WrittenGroup {
  struct Frame {
    int64_t position = 0;
    uint32_t bytes = 0;
    FrameBytesOwner owner;
    BytesView view() const { return {owner.get(), bytes}; }
  };
  uint64_t sequence = 0;  // of the segment
  int64_t position = 0;
  int64_t end = 0;
  std::vector<Frame> frames = {};
};

// The groups written last, up to a number of octets, so that whoever follows the end need not read
// the disk. Safe from any thread.
class TailCache {
 public:
  explicit TailCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Groups come in order of segment and position.
  void Add(std::shared_ptr<const WrittenGroup> group);
  // The groups of that segment that lie between the positions, in order.
  std::vector<std::shared_ptr<const WrittenGroup>> Find(uint64_t sequence, int64_t from,
                                                        int64_t to) const;

 private:
  const size_t bytes_max_;
  mutable std::mutex mutex_;  // guards what follows
  size_t bytes_ = 0;
  std::deque<std::shared_ptr<const WrittenGroup>> groups_;
};

}  // namespace weft::log
