// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace weft::iceberg {

// Values by name, the latest used ones, up to a number of octets. For what never changes once it
// has its name. Safe to call from any thread.
template <class Value>
class ByteCache {
 public:
  explicit ByteCache(int64_t bytes_max) : bytes_max_(bytes_max) {}

  std::shared_ptr<const Value> Find(const std::string& name) {
    std::lock_guard lock(mutex_);
    const auto it = by_name_.find(name);
    if (it == by_name_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, it->second);
    return it->second->value;
  }

  void Put(const std::string& name, std::shared_ptr<const Value> value, int64_t bytes) {
    std::lock_guard lock(mutex_);
    if (bytes > bytes_max_ || by_name_.contains(name)) return;
    entries_.push_front({name, std::move(value), bytes});
    by_name_[name] = entries_.begin();
    bytes_ += bytes;
    while (bytes_ > bytes_max_) {
      bytes_ -= entries_.back().bytes;
      by_name_.erase(entries_.back().name);
      entries_.pop_back();
    }
  }

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<const Value> value;
    int64_t bytes;
  };

  const int64_t bytes_max_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the latest used first
  std::unordered_map<std::string, typename std::list<Entry>::iterator> by_name_;
  int64_t bytes_ = 0;
};

}  // namespace weft::iceberg
