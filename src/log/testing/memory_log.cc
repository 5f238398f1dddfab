// SPDX-License-Identifier: Apache-2.0
#include "log/testing/memory_log.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include "log/frame.h"
#include "log/limits.h"
#include "log/watchers.h"

namespace weft::log {
namespace {

// As if it lay in a journal's frame.
int64_t BytesOf(const StoredBatch& stored) {
  return FrameBytes({.id = stored.id, .records = stored.records, .owner = nullptr});
}

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
    std::shared_ptr<Watchers> watchers;
    {
      std::lock_guard lock(mutex_);
      auto partition = TRY(Find(name));
      watchers = partition->watchers;
      partitions_.erase(name);
    }
    watchers->WakeAll();
    return {};
  }

  Result<std::vector<PartitionName>> Partitions() override {
    std::lock_guard lock(mutex_);
    std::vector<PartitionName> names;
    for (const auto& [name, partition] : partitions_) names.push_back(name);
    return names;
  }

  using RecordLog::Append;
  void Append(std::vector<Part> unit, OnUnitDurable done) override { done(AppendNow(unit)); }

  Result<std::vector<StoredBatch>> Read(const PartitionName& name, Offset from,
                                        ReadLimits limits) override {
    std::lock_guard lock(mutex_);
    auto partition = TRY(Find(name));
    TRY(CheckReadFrom(name, from, partition->bounds()));
    std::vector<StoredBatch> out;
    int64_t bytes = 0;
    const auto& batches = partition->batches;
    auto next = std::partition_point(batches.begin(), batches.end(),
                                     [&](const auto& b) { return b.next() <= from; });
    for (; next != batches.end(); ++next) {
      const StoredBatch& batch = *next;
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

  Result<Offset> OffsetWithin(const PartitionName& name, int64_t bytes_max) override {
    std::lock_guard lock(mutex_);
    auto partition = TRY(Find(name));
    int64_t first = partition->end;
    const auto& batches = partition->batches;
    for (auto batch = batches.rbegin(); batch != batches.rend(); ++batch) {
      bytes_max -= BytesOf(*batch);
      if (bytes_max < 0) break;
      first = batch->first.value;
    }
    return Offset{std::max(first, partition->begin)};
  }

  Result<Watch> OnPast(const PartitionName& name, Offset from,
                       std::function<void()> wake) override {
    {
      std::lock_guard lock(mutex_);
      auto partition = TRY(Find(name));
      if (partition->end <= from.value && !stopped_) {
        return partition->watchers->Add(from.value, std::move(wake));
      }
    }
    wake();
    return Watch();
  }

  Status Trim(const PartitionName& name, Offset before) override {
    std::lock_guard lock(mutex_);
    auto partition = TRY(Find(name));
    partition->begin = std::max(partition->begin, std::min(before.value, partition->end));
    while (!partition->batches.empty() &&
           partition->batches.front().next().value <= partition->begin) {
      partition->bytes -= BytesOf(partition->batches.front());
      partition->batches.pop_front();
    }
    return {};
  }

  void Stop() override {
    std::vector<std::shared_ptr<Watchers>> watchers;
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
      for (const auto& [name, partition] : partitions_) watchers.push_back(partition.watchers);
    }
    for (const auto& one : watchers) one->WakeAll();
  }

 private:
  struct Partition {
    int64_t begin = 0;
    int64_t end = 0;
    Timestamp arrival;
    std::deque<StoredBatch> batches;
    std::shared_ptr<Watchers> watchers = std::make_shared<Watchers>();
    int64_t bytes = 0;  // of them
    Bounds bounds() const { return {.begin = {begin}, .end = {end}, .bytes = bytes}; }
  };

  Result<Partition*> Find(const PartitionName& name) {
    auto found = partitions_.find(name);
    if (found == partitions_.end()) return Fail(NoSuchPartition(name));
    return &found->second;
  }

  Result<std::vector<Appended>> AppendNow(const std::vector<Part>& unit) {
    TRY(CheckUnit(unit));
    std::vector<Appended> answer;
    std::vector<std::pair<std::shared_ptr<Watchers>, int64_t>> woken;
    {
      std::lock_guard lock(mutex_);
      if (stopped_) return Fail(Code::kUnavailable, "the log is stopping");
      for (const Part& part : unit) TRY(Find(part.partition));
      for (const Part& part : unit) {
        Partition& partition = **Find(part.partition);
        answer.push_back(AppendTo(partition, part.batch));
        woken.emplace_back(partition.watchers, partition.end);
      }
    }
    for (const auto& [watchers, end] : woken) watchers->Wake(end);
    return answer;
  }

  Appended AppendTo(Partition& partition, const Batch& batch) {
    // A copy, as a log on a disk makes one: the caller's bytes may go.
    auto bytes = std::make_shared<Bytes>();
    for (const Record& record : batch.records) bytes->append(record.key).append(record.value);
    StoredBatch stored;
    stored.first = {partition.end};
    stored.arrival = std::max(partition.arrival, clock_.Now());
    stored.id = batch.id;
    stored.owner = bytes;
    stored.sealed = batch.seal;
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
    partition.end = stored.next().value;
    partition.arrival = stored.arrival;
    Appended answer{.first = stored.first, .arrival = stored.arrival};
    partition.bytes += BytesOf(stored);
    partition.batches.push_back(std::move(stored));
    return answer;
  }

  const Clock& clock_;
  std::mutex mutex_;  // guards what follows
  std::map<PartitionName, Partition> partitions_;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<RecordLog> OpenMemoryLog(const Clock& clock) {
  return std::make_unique<MemoryLog>(clock);
}

}  // namespace weft::log
