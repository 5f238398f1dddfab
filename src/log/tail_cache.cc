// SPDX-License-Identifier: Apache-2.0
#include "log/tail_cache.h"

#include <algorithm>
#include <tuple>

namespace weft::log {
namespace {

// With what the bookkeeping of a frame takes.
size_t BytesOf(const WrittenGroup& group) {
  return static_cast<size_t>(group.end - group.position) + group.frames.size() * 64 + 128;
}

}  // namespace

void TailCache::Add(std::shared_ptr<const WrittenGroup> group) {
  std::vector<std::shared_ptr<const WrittenGroup>> gone;  // freed without the mutex
  std::lock_guard lock(mutex_);
  bytes_ += BytesOf(*group);
  groups_.push_back(std::move(group));
  while (bytes_ > bytes_max_) {
    bytes_ -= BytesOf(*groups_.front());
    gone.push_back(std::move(groups_.front()));
    groups_.pop_front();
  }
}

std::vector<std::shared_ptr<const WrittenGroup>> TailCache::Find(uint64_t sequence, int64_t from,
                                                                 int64_t to) const {
  std::vector<std::shared_ptr<const WrittenGroup>> found;
  std::lock_guard lock(mutex_);
  auto group = std::partition_point(groups_.begin(), groups_.end(), [&](const auto& one) {
    return std::tie(one->sequence, one->end) <= std::tie(sequence, from);
  });
  for (; group != groups_.end(); ++group) {
    if ((*group)->sequence != sequence || (*group)->position >= to) break;
    found.push_back(*group);
  }
  return found;
}

}  // namespace weft::log
