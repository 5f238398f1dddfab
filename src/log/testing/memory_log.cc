// SPDX-License-Identifier: Apache-2.0
#include "log/testing/memory_log.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "log/limits.h"

namespace weft::log {
namespace {

class MemoryLog final : public RecordLog {
 public:
  explicit MemoryLog(const Clock& clock) : clock_(clock) {}
  ~MemoryLog() override { Stop(); }

  Status CreatePartition(const PartitionName& name) override {
    TRY(CheckPartitionName(name));
    std::lock_guard lock(mutex_);
    partitions_.try_emplace(name);
    return {};
  }

  Status DeletePartition(const PartitionName& name) override {
    std::lock_guard lock(mutex_);
    if (partitions_.erase(name) == 0) return Fail(NoSuchPartition(name));
    changed_.notify_all();
    return {};
  }

  Result<std::vector<PartitionName>> Partitions() override {
    std::lock_guard lock(mutex_);
    std::vector<PartitionName> names;
    for (const auto& [name, partition] : partitions_) names.push_back(name);
    return names;
  }

  void Append(const PartitionName& name, Batch batch, OnDurable done) override {
    done(AppendNow(name, batch));
  }

  Result<std::vector<StoredBatch>> Read(const PartitionName& name, Offset from,
                                        ReadLimits limits) override {
    std::lock_guard lock(mutex_);
    auto partition = TRY(Find(name));
    TRY(CheckReadFrom(name, from, partition->bounds()));
    std::vector<StoredBatch> out;
    int64_t bytes = 0;
    for (const StoredBatch& batch : partition->batches) {
      if (batch.next() <= from) continue;
      if (!out.empty() && bytes >= limits.bytes_max) break;
      for (const Record& record : batch.records) {
        bytes += static_cast<int64_t>(record.key.size() + record.value.size());
      }
      out.push_back(batch);
    }
    return out;
  }

  Result<Bounds> BoundsOf(const PartitionName& name) override {
    std::lock_guard lock(mutex_);
    auto partition = TRY(Find(name));
    return partition->bounds();
  }

  Result<Bounds> WaitPast(const PartitionName& name, Offset from, milliseconds wait_max) override {
    std::unique_lock lock(mutex_);
    TRY(Find(name));
    changed_.wait_for(lock, wait_max, [&] {
      auto found = partitions_.find(name);
      return stopped_ || found == partitions_.end() || found->second.end > from.value;
    });
    auto partition = TRY(Find(name));
    return partition->bounds();
  }

  Status Trim(const PartitionName& name, Offset before) override {
    std::lock_guard lock(mutex_);
    auto partition = TRY(Find(name));
    partition->begin = std::max(partition->begin, std::min(before.value, partition->end));
    while (!partition->batches.empty() &&
           partition->batches.front().next().value <= partition->begin) {
      partition->batches.pop_front();
    }
    return {};
  }

  void Stop() override {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  struct Partition {
    int64_t begin = 0;
    int64_t end = 0;
    Timestamp arrival;
    std::deque<StoredBatch> batches;
    Bounds bounds() const { return {.begin = {begin}, .end = {end}}; }
  };

  Result<Partition*> Find(const PartitionName& name) {
    auto found = partitions_.find(name);
    if (found == partitions_.end()) return Fail(NoSuchPartition(name));
    return &found->second;
  }

  Result<Appended> AppendNow(const PartitionName& name, const Batch& batch) {
    TRY(CheckBatch(batch));
    std::lock_guard lock(mutex_);
    if (stopped_) return Fail(Code::kUnavailable, "the log is stopping");
    auto partition = TRY(Find(name));
    // A copy, as a log on a disk makes one: the caller's bytes may go.
    auto bytes = std::make_shared<Bytes>();
    for (const Record& record : batch.records) bytes->append(record.key).append(record.value);
    StoredBatch stored;
    stored.first = {partition->end};
    stored.arrival = std::max(partition->arrival, clock_.Now());
    stored.id = batch.id;
    stored.owner = bytes;
    size_t at = 0;
    auto take = [&](BytesView part) {
      BytesView taken = BytesView(*bytes).substr(at, part.size());
      at += part.size();
      return taken;
    };
    for (const Record& record : batch.records) {
      BytesView key = take(record.key);
      stored.records.push_back({.key = key, .value = take(record.value)});
    }
    partition->end = stored.next().value;
    partition->arrival = stored.arrival;
    Appended answer{.first = stored.first, .arrival = stored.arrival};
    partition->batches.push_back(std::move(stored));
    changed_.notify_all();
    return answer;
  }

  const Clock& clock_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<PartitionName, Partition> partitions_;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<RecordLog> OpenMemoryLog(const Clock& clock) {
  return std::make_unique<MemoryLog>(clock);
}

}  // namespace weft::log
