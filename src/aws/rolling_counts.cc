// SPDX-License-Identifier: Apache-2.0
#include "aws/rolling_counts.h"

namespace weft::aws {
namespace {
constexpr seconds kSweepEvery{1};  // where there is no room: each is a look at all keys
}

void RollingCounts::Counted::Forget(microseconds now) {
  while (!at.empty() && now - at.front() >= window) at.pop_front();
}

bool RollingCounts::HasRoom(microseconds now) {
  if (counted_.size() < keys_max_) return true;
  if (now - swept_ < kSweepEvery) return false;
  swept_ = now;
  std::erase_if(counted_, [now](const auto& entry) {
    const Counted& counted = entry.second;
    return counted.at.empty() || now - counted.at.back() >= counted.window;
  });
  return counted_.size() < keys_max_;
}

bool RollingCounts::Take(const std::string& key, seconds window, int most) {
  const microseconds now = clock_.Elapsed();
  std::lock_guard lock(mutex_);
  auto found = counted_.find(key);
  if (found == counted_.end()) {
    if (!HasRoom(now)) return false;
    found = counted_.emplace(key, Counted{.window = window, .at = {}}).first;
  }
  Counted& counted = found->second;
  counted.Forget(now);
  if (static_cast<int>(counted.at.size()) >= most) return false;
  counted.at.push_back(now);
  return true;
}

void RollingCounts::GiveBack(const std::string& key) {
  std::lock_guard lock(mutex_);
  const auto found = counted_.find(key);
  if (found == counted_.end()) return;
  if (!found->second.at.empty()) found->second.at.pop_back();
  if (found->second.at.empty()) counted_.erase(found);
}

}  // namespace weft::aws
