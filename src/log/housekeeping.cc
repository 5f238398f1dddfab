// SPDX-License-Identifier: Apache-2.0
#include "log/housekeeping.h"

#include <limits>

#include "base/logging.h"
#include "log/limits.h"
#include "log/segment.h"

namespace weft::log {

Housekeeping::Housekeeping(std::string folder, Disk& disk, std::mutex& mutex, JournalState& state)
    : folder_(std::move(folder)), disk_(disk), state_mutex_(mutex), state_(state) {}

Status Housekeeping::CreatePartition(const PartitionName& name) {
  std::lock_guard table_lock(table_mutex_);
  auto partition = std::make_shared<Partition>();
  PartitionTable table;
  {
    std::lock_guard lock(state_mutex_);
    if (state_.partitions.contains(name)) return {};
    partition->number = state_.next_number++;
    partition->name = name;
    table = TableOf(state_);
  }
  table.partitions.push_back({.number = partition->number, .name = name.text()});
  TRY(Store(table));
  std::lock_guard lock(state_mutex_);
  state_.partitions[name] = std::move(partition);
  return {};
}

Status Housekeeping::DeletePartition(const PartitionName& name) {
  std::lock_guard table_lock(table_mutex_);
  PartitionTable table;
  {
    std::lock_guard lock(state_mutex_);
    auto known = state_.partitions.find(name);
    if (known == state_.partitions.end()) return Fail(NoSuchPartition(name));
    table = TableOf(state_);
    std::erase_if(table.partitions,
                  [&](const auto& partition) { return partition.number == known->second->number; });
  }
  TRY(Store(table));
  std::lock_guard lock(state_mutex_);
  auto known = state_.partitions.find(name);
  std::shared_ptr<Partition> partition = known->second;
  state_.partitions.erase(known);
  partition->deleted = true;
  (void)DropRuns(*partition, std::numeric_limits<int64_t>::max());
  partition->changed.notify_all();
  return {};
}

Status Housekeeping::Store(const PartitionTable& table) {
  return WriteFile(disk_, folder_ + "/partitions", EncodePartitionTable(table));
}

Status Housekeeping::WriteTable() {
  std::lock_guard table_lock(table_mutex_);
  PartitionTable table;
  {
    std::lock_guard lock(state_mutex_);
    table = TableOf(state_);
  }
  return Store(table);
}

void Housekeeping::Tidy() {
  std::vector<std::shared_ptr<Segment>> free, unindexed;
  {
    std::lock_guard lock(state_mutex_);
    for (const auto& [sequence, segment] : state_.segments) {
      if (!segment->complete) continue;
      if (segment->runs == 0) {
        free.push_back(segment);
      } else if (!segment->indexed) {
        unindexed.push_back(segment);
      }
    }
  }
  Status status;
  if (!free.empty()) status = RemoveSegments(free);
  for (const auto& segment : unindexed) {
    Status indexed = WriteIndex(segment);
    if (!indexed.ok()) status = std::move(indexed);
  }
  if (!status.ok()) {
    Log(LogLevel::kWarning, "log", "tidying the journal failed; it will be tried again",
        {{"error", status.error().message()}});
  }
}

Status Housekeeping::WriteIndex(const std::shared_ptr<Segment>& segment) {
  IndexDirectory directory{.sequence = segment->sequence, .salt = segment->salt};
  struct Kept {
    std::shared_ptr<Partition> partition;
    std::shared_ptr<std::vector<IndexEntry>> entries;
  };
  std::vector<Kept> kept;
  std::shared_ptr<File> file;
  {
    std::lock_guard lock(state_mutex_);
    directory.end = segment->end;
    file = segment->file;
    for (const auto& [name, partition] : state_.partitions) {
      for (const Run& run : partition->runs) {
        if (run.segment != segment || !run.entries) continue;
        directory.runs.push_back({.partition = partition->number,
                                  .base = run.base,
                                  .end = run.end,
                                  .arrival_us = run.arrival_us});
        kept.push_back({.partition = partition, .entries = run.entries});
      }
    }
  }
  if (file) (void)file->Truncate(directory.end).ok();  // zeros only
  std::vector<const std::vector<IndexEntry>*> entries;
  for (const Kept& run : kept) entries.push_back(run.entries.get());
  // What was trimmed is not in the index: the table must say that it is gone, not lost.
  TRY(WriteTable());
  TRY(WriteFile(disk_, IndexPath(folder_, segment->sequence), EncodeIndex(directory, entries)));
  std::lock_guard lock(state_mutex_);
  segment->indexed = true;
  segment->file.reset();
  for (size_t i = 0; i < kept.size(); ++i) {
    for (Run& run : kept[i].partition->runs) {
      if (run.entries != kept[i].entries) continue;
      run.section = directory.runs[i].section;
      run.entries.reset();
    }
  }
  return {};
}

// The table first: it has the ends that only the removed segments' records showed, and the ends of
// segments that only the removed segments' headers showed.
Status Housekeeping::RemoveSegments(const std::vector<std::shared_ptr<Segment>>& segments) {
  TRY(WriteTable());
  for (const auto& segment : segments) {
    TRY(disk_.Remove(SegmentPath(folder_, segment->sequence)));
    {
      std::lock_guard lock(state_mutex_);
      state_.segments.erase(segment->sequence);
    }
    Status removed = disk_.Remove(IndexPath(folder_, segment->sequence));
    if (!removed.ok() && removed.error().code() != Code::kNotFound) return removed;
  }
  return {};
}

}  // namespace weft::log
