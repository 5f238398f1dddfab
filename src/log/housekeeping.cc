// SPDX-License-Identifier: Apache-2.0
#include "log/housekeeping.h"

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "base/logging.h"
#include "base/thread.h"
#include "log/limits.h"
#include "log/reader.h"
#include "log/segment.h"

namespace weft::log {
namespace {
constexpr auto kTidyInterval = seconds(10);
// Less is not worth reading the index for.
constexpr int64_t kFreeBytesMin = 2 * kFreeBlockBytes;

struct Stretch {
  int64_t from = 0;
  int64_t to = 0;
};

// Half of what was kept is kept no more.
bool IsWorthFreeing(const Segment& segment) {
  const int64_t full = segment.freed_at < 0 ? segment.end : segment.freed_at;
  return segment.indexed && segment.runs > 0 && full - segment.kept_bytes >= kFreeBytesMin &&
         segment.kept_bytes <= full / 2;
}
}  // namespace

Housekeeping::Housekeeping(std::string folder, Disk& disk, std::mutex& mutex, JournalState& state)
    : folder_(std::move(folder)), disk_(disk), state_mutex_(mutex), state_(state), thread_([this] {
        KeepTidy();
      }) {}

void Housekeeping::Wake() {
  {
    std::lock_guard lock(wake_mutex_);
    untidy_ = true;
  }
  wake_.notify_one();
}

void Housekeeping::KeepTidy() {
  NameThread("log-keeper");
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(wake_mutex_);
      wake_.wait_for(lock, kTidyInterval, [&] { return untidy_ || stopping_; });
      untidy_ = false;
      last = stopping_;
    }
    Tidy();
  }
}

void Housekeeping::Stop() {
  {
    std::lock_guard lock(wake_mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (!thread_.joinable()) return;
  thread_.join();
  Status stored = WriteTable();
  if (!stored.ok()) {
    Log(LogLevel::kWarning, "log", "what was trimmed could not be noted",
        {{"error", stored.error().message()}});
  }
}

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
  std::shared_ptr<Watchers> watchers;
  {
    std::lock_guard lock(state_mutex_);
    auto known = state_.partitions.find(name);
    std::shared_ptr<Partition> partition = known->second;
    state_.partitions.erase(known);
    partition->deleted = true;
    (void)DropRuns(*partition, std::numeric_limits<int64_t>::max());
    watchers = partition->watchers;
  }
  if (watchers) watchers->WakeAll();
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

std::vector<std::shared_ptr<Segment>> Housekeeping::Complete(bool (*which)(const Segment&)) {
  std::vector<std::shared_ptr<Segment>> segments;
  std::lock_guard lock(state_mutex_);
  for (const auto& [sequence, segment] : state_.segments) {
    if (segment->complete && which(*segment)) segments.push_back(segment);
  }
  return segments;
}

void Housekeeping::Tidy() {
  Status status;
  // What is free first: the rest may need its space.
  auto free = Complete([](const Segment& segment) { return segment.runs == 0; });
  if (!free.empty()) status = RemoveSegments(free);
  for (const auto& segment :
       Complete([](const Segment& one) { return !one.indexed && one.runs > 0; })) {
    Status indexed = WriteIndex(segment);
    if (!indexed.ok()) status = std::move(indexed);
  }
  for (const auto& segment : Complete(IsWorthFreeing)) {
    Status freed = FreeSpace(segment);
    if (!freed.ok()) status = std::move(freed);
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
      // Runs are in order of segment, and this one is among the last.
      for (auto at = partition->runs.rbegin(); at != partition->runs.rend(); ++at) {
        const Run& run = *at;
        if (run.segment->sequence < segment->sequence) break;
        if (run.segment != segment || !run.entries) continue;
        directory.runs.push_back({.partition = partition->number,
                                  .base = run.base,
                                  .end = run.end,
                                  .arrival_us = run.arrival_us,
                                  .bytes = run.bytes});
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
    auto& runs = kept[i].partition->runs;
    auto run = std::find_if(runs.rbegin(), runs.rend(),
                            [&](const Run& one) { return one.entries == kept[i].entries; });
    if (run == runs.rend()) continue;  // trimmed meanwhile
    run->section = directory.runs[i].section;
    run->entries.reset();
  }
  return {};
}

// Partitions with little in a segment, kept for long, would else hold the space of all the others
// in it.
Status Housekeeping::FreeSpace(const std::shared_ptr<Segment>& segment) {
  struct Kept {
    std::shared_ptr<Partition> partition;
    Run run;
    int64_t begin = 0;
  };
  std::vector<Kept> kept;
  int64_t end = 0, kept_bytes = 0;
  {
    std::lock_guard lock(state_mutex_);
    end = segment->end;
    kept_bytes = segment->kept_bytes;
    for (const auto& [name, partition] : state_.partitions) {
      auto run = std::partition_point(
          partition->runs.begin(), partition->runs.end(),
          [&](const Run& one) { return one.segment->sequence < segment->sequence; });
      if (run == partition->runs.end() || run->segment != segment) continue;
      kept.push_back({.partition = partition, .run = *run, .begin = partition->begin});
    }
  }
  // After a crash the begins must not be earlier ones.
  TRY(WriteTable());
  std::vector<Stretch> stretches{{.from = 0, .to = kSegmentHeaderBytes}};
  for (const Kept& one : kept) {
    auto entries = ReadRunEntries(folder_, disk_, one.partition->number, one.run);
    if (!entries.ok() && entries.error().code() == Code::kCorrupt) {
      // Nobody knows where its batches lie: all is left as it is, for who may mend it.
      std::lock_guard lock(state_mutex_);
      segment->freed_at = kept_bytes;
      return {};
    }
    if (!entries.ok()) return Fail(entries.error());
    for (const IndexEntry& entry : *entries) {
      if (one.run.base + entry.delta + entry.records <= one.begin) continue;
      stretches.push_back({.from = entry.position, .to = int64_t{entry.position} + entry.bytes});
    }
  }
  stretches.push_back({.from = end, .to = end});
  std::sort(stretches.begin(), stretches.end(),
            [](const Stretch& a, const Stretch& b) { return a.from < b.from; });
  auto file = TRY(disk_.Open(SegmentPath(folder_, segment->sequence), OpenMode::kWrite));
  for (size_t i = 1; i < stretches.size(); ++i) {
    const FreeBlocks blocks = BlocksWithin(stretches[i - 1].to, stretches[i].from);
    if (blocks.from < blocks.to) TRY(file->Free(blocks.from, blocks.to - blocks.from));
  }
  std::lock_guard lock(state_mutex_);
  segment->freed_at = kept_bytes;
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
