// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "base/bytes.h"

namespace weft::log {

// A group of frames as it was written.
struct GroupBuffer {
  std::unique_ptr<char[]> data;
  size_t bytes = 0;
  BytesView view() const { return {data.get(), bytes}; }
};

// The groups written last, up to a number of octets, so that whoever follows the end need not read
// the disk. Not safe to share: the journal's mutex guards it.
class TailCache {
 public:
  explicit TailCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Groups come in order of segment and position.
  void Add(uint64_t sequence, int64_t position, std::shared_ptr<const GroupBuffer> group);
  // The group that holds the octet at `position`, and where the group begins; else nothing.
  struct Found {
    std::shared_ptr<const GroupBuffer> group;
    int64_t start = 0;
  };
  Found Find(uint64_t sequence, int64_t position) const;

 private:
  struct Entry {
    uint64_t sequence;
    int64_t position;
    std::shared_ptr<const GroupBuffer> group;
  };
  const size_t bytes_max_;
  size_t bytes_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace weft::log
