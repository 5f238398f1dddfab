// SPDX-License-Identifier: Apache-2.0
// How a shard ends. Each shard that takes records has one OpenMark. Every set of open shards that
// the shard belongs to holds it, and every Route and every append under way holds such a set. A
// split or merge puts a new set in the place of the current one; the mark of a closed shard goes
// with the last holder of the last set it was in, and only then has the shard ended. So whoever
// finds a shard ended, and asks for its bounds thereafter, sees the last of its records.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "log/record_log.h"
#include "stream/shard.h"
#include "stream/throughput.h"

namespace weft::stream {

// A shard while Weft runs. Safe to call from any thread.
class LiveShard {
 public:
  LiveShard(int shard, log::PartitionName name) : number(shard), partition(std::move(name)) {}

  const int number;
  const log::PartitionName partition;
  ShardThroughput throughput;

  bool ended() const { return ended_; }
  void End();  // wakes who waits

  // Who waits for the shard's end, or else for something more: is woken at most once.
  class Waiter {
   public:
    explicit Waiter(std::function<void()> wake) : wake_(std::move(wake)) {}
    void Wake() {
      if (!woken_.exchange(true)) wake_();
    }

   private:
    const std::function<void()> wake_;
    std::atomic<bool> woken_ = false;
  };
  // Woken at once where the shard has ended. Not any more when the waiter has gone.
  void Add(const std::shared_ptr<Waiter>& waiter);
  void Remove(const Waiter* waiter);

 private:
  std::atomic<bool> ended_ = false;
  std::mutex mutex_;  // guards waiters_, and ended_ becoming true
  std::map<const Waiter*, std::weak_ptr<Waiter>> waiters_;
};

class OpenMark {
 public:
  explicit OpenMark(std::shared_ptr<LiveShard> shard) : shard_(std::move(shard)) {}
  OpenMark(const OpenMark&) = delete;
  OpenMark& operator=(const OpenMark&) = delete;
  ~OpenMark() { shard_->End(); }
  const LiveShard& shard() const { return *shard_; }

 private:
  const std::shared_ptr<LiveShard> shard_;
};

struct OpenShards {
  struct Entry {
    HashKey last = 0;  // of its range, which begins behind the entry before
    std::shared_ptr<const OpenMark> mark;
  };
  StreamName name;
  int64_t stream = 0;                    // StreamInfo::number
  bool seal = false;                     // appends are encrypted at rest
  std::vector<Entry> entries;            // by range: together all hash keys
  std::vector<const OpenMark*> numbers;  // the same, by number

  const OpenMark* Find(int shard) const;
};

}  // namespace weft::stream
