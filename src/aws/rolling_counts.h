// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"

namespace weft::aws {

// Counts what happens under each key in a window of time that rolls. Memory: the times of what is
// counted, of at most `keys_max` keys. Safe to call from any thread.
class RollingCounts {
 public:
  explicit RollingCounts(const Clock& clock, size_t keys_max = 100'000)
      : clock_(clock), keys_max_(keys_max) {}

  // Counts one more under the key; false, and not counted, where the window has `most` already or
  // too many keys count. A key has one window.
  bool Take(const std::string& key, seconds window, int most);
  // As if the last one had not been taken.
  void GiveBack(const std::string& key);

 private:
  struct Counted {
    seconds window;
    std::deque<microseconds> at;  // Clock::Elapsed, oldest first
    void Forget(microseconds now);
  };
  bool HasRoom(microseconds now);

  const Clock& clock_;
  const size_t keys_max_;
  std::mutex mutex_;  // guards what follows
  std::unordered_map<std::string, Counted> counted_;
  microseconds swept_{0};
};

}  // namespace weft::aws
