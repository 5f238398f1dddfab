// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>

#include "base/clock.h"

namespace weft {

// Something that happens once, and a thread that waits for it. Shared (std::shared_ptr) with a
// callback that may outlast the wait.
class Signal {
 public:
  void Set() {
    std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  void WaitFor(milliseconds wait_max) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, wait_max, [this] { return set_; });
  }

 private:
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool set_ = false;
};

}  // namespace weft
