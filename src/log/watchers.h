// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "log/record_log.h"

namespace weft::log {

// Who waits for the end of one partition to pass an offset. Safe from any thread; calls nobody with
// its mutex held.
class Watchers : public std::enable_shared_from_this<Watchers> {
 public:
  // The caller makes sure that no Wake for an end past `from` has come already.
  RecordLog::Watch Add(int64_t from, std::function<void()> wake);
  // Calls those that wait for less than `end`.
  void Wake(int64_t end);
  void WakeAll();
  // Cheap; without a lock.
  bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }

 private:
  struct Watcher {
    int64_t from = 0;
    std::function<void()> wake;
    std::atomic<bool> over{false};  // called, or nobody wants it any more
  };
  void Remove(const std::shared_ptr<Watcher>& watcher);
  static void Call(const std::vector<std::shared_ptr<Watcher>>& woken);

  std::atomic<size_t> count_{0};
  std::mutex mutex_;  // guards what follows
  std::vector<std::shared_ptr<Watcher>> waiting_;
};

}  // namespace weft::log
