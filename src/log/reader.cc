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

}  // namespace

JournalReader::JournalReader(std::string folder, Disk& disk, std::mutex& mutex,
                             const JournalState& state, const TailCache& cache)
    : folder_(std::move(folder)),
      disk_(disk),
      state_mutex_(mutex),
      state_(state),
      cache_(cache),
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
  {
    std::lock_guard lock(state_mutex_);
    auto known = state_.partitions.find(name);
    if (known == state_.partitions.end()) return Fail(NoSuchPartition(name));
    const Partition& partition = *known->second;
    selection.partition = known->second;
    TRY(CheckReadFrom(name, {from}, partition.bounds()));
    if (from == partition.end) return selection;
    auto after = std::upper_bound(partition.runs.begin(), partition.runs.end(), from,
                                  [](int64_t wanted, const Run& run) { return wanted < run.base; });
    if (after == partition.runs.begin() || std::prev(after)->end <= from) {
      int64_t next = after == partition.runs.end() ? partition.end : after->base;
      bool before = after != partition.runs.begin();
      if (before) selection.run = *std::prev(after);
      if (!before && after != partition.runs.end()) selection.run = *after;
      return Fail(Damaged(
          selection, before && selection.run.segment ? selection.run.segment->end : 0, from, next));
    }
    selection.run = *std::prev(after);
    if (selection.run.entries) {
      TRY(SelectFrom(*selection.run.entries, from, bytes_max, selection));
      return selection;
    }
  }
  auto section = TRY(Section(selection));
  TRY(SelectFrom(*section, from, bytes_max, selection));
  return selection;
}

Status JournalReader::SelectFrom(const std::vector<IndexEntry>& all, int64_t from,
                                 int64_t bytes_max, Selection& selection) {
  const int64_t delta = from - selection.run.base;
  auto entry = std::upper_bound(
      all.begin(), all.end(), delta,
      [](int64_t wanted, const IndexEntry& e) { return wanted < int64_t{e.delta}; });
  CHECK(entry != all.begin());
  --entry;
  if (int64_t{entry->delta} + entry->records <= delta) {
    auto next = std::next(entry);
    return Fail(Damaged(selection, EndOf(*entry), from,
                        next == all.end() ? selection.run.end : selection.run.base + next->delta));
  }
  int64_t next_delta = entry->delta;
  int64_t bytes = 0;
  for (; entry != all.end() && (bytes == 0 || bytes < bytes_max); ++entry) {
    if (entry->delta != next_delta) break;  // a gap: the next call says so
    selection.entries.push_back(*entry);
    bytes += entry->bytes;
    next_delta = int64_t{entry->delta} + entry->records;
  }
  return {};
}

Result<SectionCache::Section> JournalReader::Section(const Selection& selection) {
  const uint64_t sequence = selection.run.segment->sequence;
  const uint32_t partition = selection.partition->number;
  if (auto kept = sections_.Find(sequence, partition)) return kept;
  const std::string path = IndexPath(folder_, sequence);
  auto file = TRY(disk_.Open(path, OpenMode::kRead));
  auto entries = ReadIndexSection(*file, selection.run.section);
  if (!entries.ok()) return Fail(entries.error().In(path));
  auto section = std::make_shared<const std::vector<IndexEntry>>(std::move(*entries));
  if (section->empty()) return Fail(Code::kCorrupt, path + ": the segment's index is damaged");
  sections_.Add(sequence, partition, section);
  return SectionCache::Section(section);
}

Status JournalReader::ReadBatches(const Selection& selection, std::vector<StoredBatch>& out) {
  const std::vector<IndexEntry>& entries = selection.entries;
  const Segment& segment = *selection.run.segment;
  // Those at the end are in memory, when any are.
  std::vector<TailCache::Found> found(entries.size());
  size_t cached_from = entries.size();
  std::shared_ptr<File> file;
  {
    std::lock_guard lock(state_mutex_);
    file = segment.file;
    for (; cached_from > 0; --cached_from) {
      found[cached_from - 1] = cache_.Find(segment.sequence, entries[cached_from - 1].position);
      if (!found[cached_from - 1].group) break;
    }
  }
  if (cached_from > 0 && !file) {
    auto opened = disk_.Open(SegmentPath(folder_, segment.sequence), OpenMode::kRead);
    if (!opened.ok() && opened.error().code() == Code::kNotFound) {
      // Trimmed and removed since, or lost.
      {
        std::lock_guard lock(state_mutex_);
        TRY(CheckReadFrom(selection.partition->name, {selection.run.base + entries.front().delta},
                          selection.partition->bounds()));
      }
      return Fail(
          Damaged(selection, 0, selection.run.base + entries.front().delta, selection.run.end));
    }
    if (!opened.ok()) return Fail(opened.error());
    file = std::move(*opened);
  }
  for (size_t first = 0; first < cached_from;) {
    size_t past = first + 1;
    while (past < cached_from && entries[past].position - EndOf(entries[past - 1]) <= kSkipBytes &&
           EndOf(entries[past]) - entries[first].position <= kStretchBytes) {
      ++past;
    }
    TRY(ReadStretch(*file, selection, first, past, out));
    first = past;
  }
  TakeCached(found, selection, out);
  return {};
}

void JournalReader::TakeCached(const std::vector<TailCache::Found>& found,
                               const Selection& selection, std::vector<StoredBatch>& out) {
  size_t copied = 0;
  // A small batch is copied, so that whoever keeps it does not keep its whole group.
  auto small = [&](size_t i) { return selection.entries[i].bytes < found[i].group->bytes / 4; };
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i].group && small(i)) copied += selection.entries[i].bytes;
  }
  auto copy = std::make_shared<Bytes>();
  copy->reserve(copied);
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i].group) continue;
    const IndexEntry& entry = selection.entries[i];
    BytesView frame = found[i].group->view().substr(
        static_cast<size_t>(entry.position - found[i].start), entry.bytes);
    StoredBatch batch;
    if (small(i)) {
      size_t at = copy->size();
      copy->append(frame);
      frame = BytesView(*copy).substr(at);
      batch.owner = copy;
    } else {
      batch.owner = found[i].group;
    }
    auto head = DecodeFrameHead(frame, selection.run.segment->salt, entry.position);
    CHECK(head && ParseBatch(*head, frame, batch));
    out.push_back(std::move(batch));
  }
}

Status JournalReader::ReadStretch(const File& file, const Selection& selection, size_t first,
                                  size_t past, std::vector<StoredBatch>& out) {
  const int64_t start = selection.entries[first].position;
  auto bytes = std::make_shared<const Bytes>(
      TRY(file.ReadAt(start, EndOf(selection.entries[past - 1]) - start)));
  for (size_t i = first; i < past; ++i) {
    const IndexEntry& entry = selection.entries[i];
    const int64_t offset = selection.run.base + entry.delta;
    const auto at = static_cast<size_t>(entry.position - start);
    BytesView frame = at < bytes->size() ? BytesView(*bytes).substr(at, entry.bytes) : BytesView();
    auto head = DecodeFrameHead(frame, selection.run.segment->salt, entry.position);
    StoredBatch batch;
    bool good = head && head->partition == selection.partition->number && head->first == offset &&
                BodyIsGood(*head, frame) && ParseBatch(*head, frame, batch);
    if (!good) return Fail(Damaged(selection, entry.position, offset, offset + entry.records));
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
