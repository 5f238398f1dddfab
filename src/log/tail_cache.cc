// SPDX-License-Identifier: Apache-2.0
#include "log/tail_cache.h"

#include <algorithm>
#include <tuple>

namespace weft::log {

void TailCache::Add(uint64_t sequence, int64_t position, std::shared_ptr<const GroupBuffer> group) {
  bytes_ += group->bytes;
  entries_.push_back({.sequence = sequence, .position = position, .group = std::move(group)});
  while (bytes_ > bytes_max_) {
    bytes_ -= entries_.front().group->bytes;
    entries_.pop_front();
  }
}

TailCache::Found TailCache::Find(uint64_t sequence, int64_t position) const {
  auto after = std::upper_bound(entries_.begin(), entries_.end(), std::tuple(sequence, position),
                                [](const auto& wanted, const Entry& entry) {
                                  return wanted < std::tuple(entry.sequence, entry.position);
                                });
  if (after == entries_.begin()) return {};
  const Entry& entry = *std::prev(after);
  if (entry.sequence != sequence) return {};
  if (position >= entry.position + static_cast<int64_t>(entry.group->bytes)) return {};
  return {.group = entry.group, .start = entry.position};
}

}  // namespace weft::log
