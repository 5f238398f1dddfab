// SPDX-License-Identifier: Apache-2.0
#include "log/reader.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/logging.h"
#include "log/frame.h"
#include "log/limits.h"
#include "log/segment.h"

namespace weft::log {
namespace {

constexpr size_t kSectionCacheBytes = size_t{8} << 20;
// Frames of others between two wanted ones are read along when they are no more than this: cheaper
// than another call.
constexpr int64_t kSkipBytes = int64_t{16} << 10;
constexpr int64_t kStretchBytes = int64_t{8} << 20;
constexpr size_t kReportedMax = 1024;

int64_t EndOf(const IndexEntry& entry) { return int64_t{entry.position} + entry.bytes; }

// Of the batches that lie whole before the record with that distance from the first.
int64_t BytesBefore(const std::vector<IndexEntry>& entries, int64_t delta) {
  int64_t bytes = 0;
  for (const IndexEntry& entry : entries) {
    if (int64_t{entry.delta} + entry.records > delta) break;
    bytes += entry.bytes;
  }
  return bytes;
}

// The first batch of the run from which on its batches have at most `bytes_max` octets; the run's
// end when not even the last one fits.
Offset FirstWithin(const Run& run, const std::vector<IndexEntry>& entries, int64_t bytes_max) {
  int64_t first = run.end;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    bytes_max -= entry->bytes;
    if (bytes_max < 0) break;
    first = run.base + entry->delta;
  }
  return {first};
}

}  // namespace

Result<std::vector<IndexEntry>> ReadRunEntries(const std::string& folder, Disk& disk,
                                               uint32_t partition, const Run& run) {
  const std::string path = IndexPath(folder, run.segment->sequence);
  auto index = disk.Open(path, OpenMode::kRead);
  if (index.ok()) {
    auto entries = ReadIndexSection(**index, run.section);
    if (entries.ok() && !entries->empty()) return entries;
    if (!entries.ok() && entries.error().code() != Code::kCorrupt) return entries;
  } else if (index.error().code() != Code::kNotFound) {
    return Fail(index.error());
  }
  auto file = TRY(disk.Open(SegmentPath(folder, run.segment->sequence), OpenMode::kRead));
  Log(LogLevel::kWarning, "log", "a segment's index is unusable; reading the segment instead",
      {{"file", path}});
  auto scan = TRY(ScanSegment(*file, run.segment->salt, run.segment->end));
  std::vector<IndexEntry> entries;
  for (const FrameHead& head : scan.frames) {
    if (head.partition != partition || head.first < run.base || head.first >= run.end) continue;
    entries.push_back({.position = head.position,
                       .bytes = head.bytes,
                       .delta = static_cast<uint32_t>(head.first - run.base),
                       .records = head.records});
  }
  if (entries.empty()) return Fail(Code::kCorrupt, path + ": the segment's index is damaged");
  return entries;
}

JournalReader::JournalReader(std::string folder, Disk& disk, std::mutex& mutex,
                             const JournalState& state, const TailCache& cache, const KeyRing& keys)
    : folder_(std::move(folder)),
      disk_(disk),
      state_mutex_(mutex),
      state_(state),
      cache_(cache),
      keys_(keys),
      sections_(kSectionCacheBytes) {}

Result<std::vector<StoredBatch>> JournalReader::Read(const PartitionName& name, Offset from,
                                                     ReadLimits limits) {
  std::vector<StoredBatch> out;
  int64_t bytes = 0;
  do {
    auto selection = Select(name, from.value, limits.bytes_max - bytes);
    Status read;
    if (!selection.ok()) {
      read = Fail(selection.error());
    } else if (selection->entries.empty()) {
      break;  // the end
    } else {
      read = ReadBatches(*selection, out);
    }
    if (!read.ok()) {
      // What lies before the trouble is given first; the next call meets it again.
      if (!out.empty()) break;
      return Fail(read.error());
    }
    for (const IndexEntry& entry : selection->entries) bytes += entry.bytes;
    from.value = selection->next();
  } while (bytes < limits.bytes_max);
  return out;
}

Result<JournalReader::Selection> JournalReader::Select(const PartitionName& name, int64_t from,
                                                       int64_t bytes_max) {
  Selection selection;
  Wanted wanted;
  {
    std::lock_guard lock(state_mutex_);
    selection.partition = TRY(FindWithMutexHeld(name));
    const Partition& partition = *selection.partition;
    TRY(CheckReadFrom(name, {from}, partition.bounds()));
    from = SkipLosses(partition, from);
    if (from == partition.end) return selection;
    auto after = std::upper_bound(partition.runs.begin(), partition.runs.end(), from,
                                  [](int64_t offset, const Run& run) { return offset < run.base; });
    if (after == partition.runs.begin() || std::prev(after)->end <= from) {
      int64_t next = after == partition.runs.end() ? partition.end : after->base;
      bool before = after != partition.runs.begin();
      if (before) selection.run = *std::prev(after);
      if (!before && after != partition.runs.end()) selection.run = *after;
      return Fail(Damaged(
          selection, before && selection.run.segment ? selection.run.segment->end : 0, from, next));
    }
    selection.run = *std::prev(after);
    wanted = {.from = from, .before = NextLoss(partition, from), .bytes_max = bytes_max};
    if (selection.run.entries) {
      TRY(SelectFrom(*selection.run.entries, wanted, selection));
      return selection;
    }
  }
  auto section = TRY(Section(*selection.partition, selection.run));
  TRY(SelectFrom(*section, wanted, selection));
  return selection;
}

Status JournalReader::SelectFrom(const std::vector<IndexEntry>& all, Wanted wanted,
                                 Selection& selection) {
  const int64_t from = wanted.from;
  const int64_t delta = from - selection.run.base;
  auto entry = std::upper_bound(
      all.begin(), all.end(), delta,
      [](int64_t delta_of, const IndexEntry& e) { return delta_of < int64_t{e.delta}; });
  if (entry == all.begin()) {
    return Fail(Damaged(selection, 0, from, selection.run.base + entry->delta));
  }
  --entry;
  if (int64_t{entry->delta} + entry->records <= delta) {
    auto next = std::next(entry);
    return Fail(Damaged(selection, EndOf(*entry), from,
                        next == all.end() ? selection.run.end : selection.run.base + next->delta));
  }
  int64_t next_delta = entry->delta;
  int64_t bytes = 0;
  for (; entry != all.end() && (bytes == 0 || bytes < wanted.bytes_max); ++entry) {
    if (entry->delta != next_delta) break;  // a gap: the next call says so
    if (selection.run.base + entry->delta >= wanted.before) break;
    selection.entries.push_back(*entry);
    bytes += entry->bytes;
    next_delta = int64_t{entry->delta} + entry->records;
  }
  return {};
}

Result<SectionCache::Section> JournalReader::Section(const Partition& partition, const Run& run) {
  const uint64_t sequence = run.segment->sequence;
  if (auto kept = sections_.Find(sequence, partition.number)) return kept;
  auto entries = ReadRunEntries(folder_, disk_, partition.number, run);
  if (!entries.ok() && entries.error().code() == Code::kNotFound) {
    TRY(CheckStillKept(partition, run.end - 1));
    return Fail(Code::kCorrupt, entries.error().message());
  }
  if (!entries.ok()) return Fail(entries.error());
  auto section = std::make_shared<const std::vector<IndexEntry>>(std::move(*entries));
  sections_.Add(sequence, partition.number, section);
  return SectionCache::Section(section);
}

Result<std::shared_ptr<Partition>> JournalReader::FindWithMutexHeld(
    const PartitionName& name) const {
  auto known = state_.partitions.find(name);
  if (known == state_.partitions.end()) return Fail(NoSuchPartition(name));
  return known->second;
}

Result<Bounds> JournalReader::BoundsOf(const PartitionName& name) {
  std::unique_lock lock(state_mutex_);
  auto partition = TRY(FindWithMutexHeld(name));
  for (;;) {
    Bounds bounds = partition->bounds();
    const int64_t begin = partition->begin;
    const bool whole = partition->runs.empty() || partition->runs.front().base >= begin;
    if (whole || partition->freed_before == begin) {
      bounds.bytes = partition->bytes - (whole ? 0 : partition->freed_bytes);
      return bounds;
    }
    const Run run = partition->runs.front();
    if (run.entries) {
      partition->freed_bytes = BytesBefore(*run.entries, begin - run.base);
      partition->freed_before = begin;
      continue;
    }
    lock.unlock();
    // When the index cannot be read, the batches before count as kept.
    auto section = Section(*partition, run);
    lock.lock();
    if (partition->begin != begin) continue;
    partition->freed_bytes = section.ok() ? BytesBefore(**section, begin - run.base) : 0;
    partition->freed_before = begin;
  }
}

Result<Offset> JournalReader::OffsetWithin(const PartitionName& name, int64_t bytes_max) {
  std::shared_ptr<Partition> partition;
  Run run;  // the one in which the limit is reached
  Offset begin;
  {
    std::lock_guard lock(state_mutex_);
    partition = TRY(FindWithMutexHeld(name));
    begin = {partition->begin};
    auto within = partition->runs.rbegin();
    for (; within != partition->runs.rend() && within->bytes <= bytes_max; ++within) {
      bytes_max -= within->bytes;
    }
    if (within == partition->runs.rend()) return begin;
    run = *within;
    if (run.entries) return std::max(begin, FirstWithin(run, *run.entries, bytes_max));
  }
  auto section = TRY(Section(*partition, run));
  return std::max(begin, FirstWithin(run, *section, bytes_max));
}

Status JournalReader::ReadBatches(const Selection& selection, std::vector<StoredBatch>& out) {
  const std::vector<IndexEntry>& entries = selection.entries;
  const auto cached = FindCached(selection);
  FrameOpener opener(keys_);
  std::shared_ptr<File> file;
  for (size_t first = 0; first < entries.size();) {
    if (cached[first]) {
      TRY(TakeCached(selection, entries[first], cached[first], opener, out));
      ++first;
      continue;
    }
    size_t past = first + 1;
    while (past < entries.size() && !cached[past] &&
           entries[past].position - EndOf(entries[past - 1]) <= kSkipBytes &&
           EndOf(entries[past]) - entries[first].position <= kStretchBytes) {
      ++past;
    }
    if (!file) file = TRY(OpenSegment(selection));
    TRY(ReadStretch(*file, selection, first, past, out));
    first = past;
  }
  return {};
}

Result<std::shared_ptr<File>> JournalReader::OpenSegment(const Selection& selection) {
  {
    std::lock_guard lock(state_mutex_);
    if (selection.run.segment->file) return selection.run.segment->file;
  }
  auto opened = disk_.Open(SegmentPath(folder_, selection.run.segment->sequence), OpenMode::kRead);
  if (opened.ok()) return std::shared_ptr<File>(std::move(*opened));
  if (opened.error().code() != Code::kNotFound) return Fail(opened.error());
  const IndexEntry& first = selection.entries.front();
  TRY(CheckStillKept(*selection.partition, selection.run.base + first.delta + first.records - 1));
  const int64_t from = selection.run.base + first.delta;
  return Fail(Damaged(selection, 0, from, selection.run.end));
}

// Space is freed as soon as nothing in it is kept, whoever reads it.
Status JournalReader::CheckStillKept(const Partition& partition, int64_t last) const {
  std::lock_guard lock(state_mutex_);
  if (partition.deleted) return Fail(NoSuchPartition(partition.name));
  return CheckReadFrom(partition.name, {last}, partition.bounds());
}

std::vector<FrameBytesOwner> JournalReader::FindCached(const Selection& selection) const {
  const std::vector<IndexEntry>& entries = selection.entries;
  std::vector<FrameBytesOwner> cached(entries.size());
  const auto groups =
      cache_.Find(selection.run.segment->sequence, entries.front().position, EndOf(entries.back()));
  size_t i = 0;
  for (const auto& group : groups) {
    while (i < entries.size() && entries[i].position < group->position) ++i;
    auto frame = group->frames.begin();
    for (; i < entries.size() && entries[i].position < group->end; ++i) {
      frame = std::find_if(frame, group->frames.end(),
                           [&](const auto& one) { return one.position == entries[i].position; });
      if (frame == group->frames.end()) break;
      cached[i] = frame->owner;
    }
  }
  return cached;
}

Status JournalReader::TakeCached(const Selection& selection, const IndexEntry& entry,
                                 const FrameBytesOwner& cached, FrameOpener& opener,
                                 std::vector<StoredBatch>& out) {
  BytesView frame(cached.get(), entry.bytes);
  auto head = DecodeFrameHead(frame, selection.run.segment->salt, entry.position);
  CHECK(head);
  StoredBatch batch;
  batch.owner = cached;
  if (head->sealed) {
    // It is decrypted where it lies: in a copy.
    auto copy = std::make_shared<Bytes>(frame);
    if (!opener.Open(*head, copy->data())) {
      const int64_t offset = selection.run.base + entry.delta;
      return Fail(Damaged(selection, entry.position, offset, offset + entry.records));
    }
    frame = *copy;
    batch.owner = std::move(copy);
  }
  CHECK(ParseBatch(*head, frame, batch));
  out.push_back(std::move(batch));
  return {};
}

Status JournalReader::ReadStretch(const File& file, const Selection& selection, size_t first,
                                  size_t past, std::vector<StoredBatch>& out) {
  const int64_t start = selection.entries[first].position;
  auto bytes =
      std::make_shared<Bytes>(TRY(file.ReadAt(start, EndOf(selection.entries[past - 1]) - start)));
  FrameOpener opener(keys_);
  for (size_t i = first; i < past; ++i) {
    const IndexEntry& entry = selection.entries[i];
    const int64_t offset = selection.run.base + entry.delta;
    const auto at = static_cast<size_t>(entry.position - start);
    BytesView frame = at < bytes->size() ? BytesView(*bytes).substr(at, entry.bytes) : BytesView();
    auto head = DecodeFrameHead(frame, selection.run.segment->salt, entry.position);
    StoredBatch batch;
    const bool good = head && head->partition == selection.partition->number &&
                      head->first == offset && BodyIsGood(*head, frame) &&
                      (!head->sealed || opener.Open(*head, bytes->data() + at)) &&
                      ParseBatch(*head, frame, batch);
    if (!good) {
      TRY(CheckStillKept(*selection.partition, offset + entry.records - 1));
      return Fail(Damaged(selection, entry.position, offset, offset + entry.records));
    }
    batch.owner = bytes;
    out.push_back(std::move(batch));
  }
  return {};
}

Error JournalReader::Damaged(const Selection& selection, int64_t position, int64_t from,
                             int64_t next) {
  const uint64_t sequence = selection.run.segment ? selection.run.segment->sequence : 0;
  std::string where =
      sequence == 0 ? std::string("a segment that is gone")
                    : fmt::format("{} at position {}", SegmentPath(folder_, sequence), position);
  Error error(Code::kCorrupt,
              fmt::format("records {} to {} of {} are damaged in {}; the next is {}", from,
                          next - 1, selection.partition->name.text(), where, next));
  std::lock_guard lock(reported_mutex_);
  if (reported_.size() < kReportedMax && reported_.insert({sequence, position}).second) {
    Log(LogLevel::kError, "log", "damaged records were asked for", {{"error", error.message()}});
  }
  return error;
}

}  // namespace weft::log
