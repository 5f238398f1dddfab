// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "log/segment_index.h"

namespace weft::log {

// The sections of index files read last, up to a number of octets (one at least). Safe from any
// thread.
class SectionCache {
 public:
  using Section = std::shared_ptr<const std::vector<IndexEntry>>;
  explicit SectionCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  Section Find(uint64_t sequence, uint32_t partition);
  void Add(uint64_t sequence, uint32_t partition, Section section);

 private:
  struct Entry {
    uint64_t sequence;
    uint32_t partition;
    Section section;
  };
  const size_t bytes_max_;
  std::mutex mutex_;  // guards what follows
  size_t bytes_ = 0;
  std::list<Entry> entries_;  // the one used last first
};

}  // namespace weft::log
