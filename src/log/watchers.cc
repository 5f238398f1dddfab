// SPDX-License-Identifier: Apache-2.0
#include "log/watchers.h"

#include <algorithm>

namespace weft::log {

RecordLog::Watch Watchers::Add(int64_t from, std::function<void()> wake) {
  auto watcher = std::make_shared<Watcher>();
  watcher->from = from;
  watcher->wake = std::move(wake);
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(watcher);
    count_.store(waiting_.size(), std::memory_order_relaxed);
  }
  return {this, [self = shared_from_this(), watcher](Watchers*) { self->Remove(watcher); }};
}

void Watchers::Remove(const std::shared_ptr<Watcher>& watcher) {
  if (watcher->over.exchange(true)) return;
  std::function<void()> gone;  // what it owns must not go with the mutex held
  std::lock_guard lock(mutex_);
  auto found = std::find(waiting_.begin(), waiting_.end(), watcher);
  if (found == waiting_.end()) return;  // being called: Wake lets it go
  gone = std::move(watcher->wake);
  *found = std::move(waiting_.back());
  waiting_.pop_back();
  count_.store(waiting_.size(), std::memory_order_relaxed);
}

void Watchers::Wake(int64_t end) {
  std::vector<std::shared_ptr<Watcher>> woken;
  {
    std::lock_guard lock(mutex_);
    auto stays = std::partition(waiting_.begin(), waiting_.end(),
                                [&](const auto& watcher) { return watcher->from >= end; });
    woken.assign(std::make_move_iterator(stays), std::make_move_iterator(waiting_.end()));
    waiting_.erase(stays, waiting_.end());
    count_.store(waiting_.size(), std::memory_order_relaxed);
  }
  Call(woken);
}

void Watchers::WakeAll() {
  std::vector<std::shared_ptr<Watcher>> woken;
  {
    std::lock_guard lock(mutex_);
    woken.swap(waiting_);
    count_.store(0, std::memory_order_relaxed);
  }
  Call(woken);
}

void Watchers::Call(const std::vector<std::shared_ptr<Watcher>>& woken) {
  for (const auto& watcher : woken) {
    // Moved out, so that a handle kept longer keeps nothing of the caller's.
    auto wake = std::move(watcher->wake);
    if (!watcher->over.exchange(true)) wake();
  }
}

}  // namespace weft::log
