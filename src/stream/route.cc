// SPDX-License-Identifier: Apache-2.0
#include "stream/route.h"

#include <algorithm>

#include "stream/streams.h"

namespace weft::stream {

void LiveShard::End() {
  std::map<const Waiter*, std::weak_ptr<Waiter>> waiters;
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
    waiters.swap(waiters_);
  }
  for (const auto& [waiter, alive] : waiters) {
    if (auto held = alive.lock()) held->Wake();
  }
}

void LiveShard::Add(const std::shared_ptr<Waiter>& waiter) {
  {
    std::lock_guard lock(mutex_);
    if (!ended_) {
      waiters_.emplace(waiter.get(), waiter);
      return;
    }
  }
  waiter->Wake();
}

void LiveShard::Remove(const Waiter* waiter) {
  std::lock_guard lock(mutex_);
  waiters_.erase(waiter);
}

const OpenMark* OpenShards::Find(int shard) const {
  auto found = std::lower_bound(
      numbers.begin(), numbers.end(), shard,
      [](const OpenMark* mark, int number) { return mark->shard().number < number; });
  return found == numbers.end() || (*found)->shard().number != shard ? nullptr : *found;
}

int64_t Route::stream() const { return open_->stream; }

int Route::ShardOf(HashKey key) const {
  auto found = std::lower_bound(
      open_->entries.begin(), open_->entries.end(), key,
      [](const OpenShards::Entry& entry, HashKey wanted) { return entry.last < wanted; });
  return found->mark->shard().number;
}

int Route::ShardOfBatch(std::string_view batch_id) const {
  if (open_->entries.size() == 1) return open_->entries.front().mark->shard().number;
  return ShardOf(HashOf(batch_id));
}

}  // namespace weft::stream
