// SPDX-License-Identifier: Apache-2.0
#include "log/recovery.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/logging.h"
#include "log/partition_table.h"
#include "log/segment.h"

namespace weft::log {
namespace {

constexpr int64_t kRewriteBytes = int64_t{8} << 20;

class Recovery {
 public:
  Recovery(std::string folder, Disk& disk) : folder_(std::move(folder)), disk_(disk) {}

  Result<JournalState> Recover() {
    // A process that was killed may have left names that only memory has.
    TRY(disk_.SyncFolder(folder_));
    TRY(ListFiles());
    TRY(ReadTable());
    TRY(ReadHeaders());
    for (const std::string& path : leftovers_) (void)disk_.Remove(path).ok();
    for (Found& found : found_) TRY(LoadSegment(found));
    for (auto& [number, partition] : by_number_) {
      partition->assigned = partition->end;
      partition->assigned_us = partition->arrival_us;
    }
    if (note_ends_) {
      TRY(WriteFile(disk_, folder_ + "/partitions", EncodePartitionTable(TableOf(state_))));
    }
    if (!found_.empty()) {
      state_.previous = found_.back().sequence;
      state_.previous_end = state_.segments.at(state_.previous)->end;
    }
    return std::move(state_);
  }

 private:
  struct Found {
    uint64_t sequence = 0;
    uint64_t salt = 0;
    std::optional<int64_t> end = {};  // when something says where it ends
  };

  Status ListFiles() {
    auto entries = TRY(disk_.List(folder_));
    for (const auto& entry : entries) {
      if (auto sequence = SequenceOf(entry.name, ".log")) found_.push_back({.sequence = *sequence});
      for (std::string_view suffix : {".log", ".index", ".log.damaged"}) {
        auto sequence = SequenceOf(entry.name, suffix);
        if (sequence) state_.next_sequence = std::max(state_.next_sequence, *sequence + 1);
      }
      if (entry.name == "partitions") table_there_ = true;
      if (entry.name.ends_with(".tmp")) leftovers_.push_back(folder_ + "/" + entry.name);
    }
    for (const auto& entry : entries) {
      auto sequence = SequenceOf(entry.name, ".index");
      auto same = [&](const Found& found) { return found.sequence == *sequence; };
      if (sequence && std::none_of(found_.begin(), found_.end(), same)) {
        leftovers_.push_back(IndexPath(folder_, *sequence));
      }
    }
    return {};
  }

  Status ReadTable() {
    const std::string path = folder_ + "/partitions";
    if (!table_there_) {
      if (found_.empty()) return WriteFile(disk_, path, EncodePartitionTable({}));
      return Fail(Code::kCorrupt, fmt::format("{} is missing, but there are segments", path));
    }
    auto table = DecodePartitionTable(TRY(ReadFile(disk_, path)));
    if (!table.ok()) return Fail(table.error().In(path));
    state_.next_number = table->next_number;
    state_.next_sequence = std::max(state_.next_sequence, table->next_sequence);
    for (auto& kept : table->partitions) {
      auto partition = std::make_shared<Partition>();
      partition->number = kept.number;
      partition->name = PartitionName(std::move(kept.name));
      partition->begin = kept.begin;
      partition->end = kept.end;
      partition->arrival_us = kept.arrival_us;
      by_number_[kept.number] = partition;
      state_.partitions[partition->name] = partition;
    }
    for (const auto& loss : table->losses) {
      auto known = by_number_.find(loss.partition);
      if (known != by_number_.end()) known->second->losses.push_back({loss.from, loss.to});
    }
    for (const auto& segment : table->segments) {
      state_.next_sequence = std::max(state_.next_sequence, segment.sequence + 1);
      ends_[segment.sequence] = segment.end;
    }
    return {};
  }

  // Before anything is changed, so that a newer journal is left as it is.
  Status ReadHeaders() {
    std::vector<Found> readable;
    std::vector<uint64_t> bad;
    for (Found& found : found_) {
      auto file = TRY(disk_.Open(SegmentPath(folder_, found.sequence), OpenMode::kRead));
      auto header = DecodeSegmentHeader(TRY(file->ReadAt(0, kSegmentHeaderBytes)));
      if (header.ok() && header->sequence == found.sequence) {
        found.salt = header->salt;
        if (header->previous != 0) ends_.emplace(header->previous, header->previous_end);
      } else if (!header.ok() && header.error().code() == Code::kNotOffered) {
        return Fail(header.error().In(SegmentPath(folder_, found.sequence)));
      } else if (auto salt = TRY(SaltOf(found.sequence, *file))) {
        ReportDamage(found.sequence, {.from = 0, .to = kSegmentHeaderBytes});
        found.salt = *salt;
      } else {
        bad.push_back(found.sequence);
        continue;
      }
      readable.push_back(found);
    }
    found_ = std::move(readable);
    for (Found& found : found_) {
      auto end = ends_.find(found.sequence);
      if (end != ends_.end()) found.end = end->second;
    }
    for (uint64_t sequence : bad) TRY(SetAside(sequence));
    return {};
  }

  // Of a segment whose header is damaged. What the disk fails to read now is not damage: a segment
  // must not be set aside for it.
  Result<std::optional<uint64_t>> SaltOf(uint64_t sequence, const File& file) {
    auto index = disk_.Open(IndexPath(folder_, sequence), OpenMode::kRead);
    if (index.ok()) {
      auto directory = ReadIndexDirectory(**index);
      if (directory.ok() && directory->sequence == sequence) return std::optional(directory->salt);
      if (!directory.ok() && directory.error().code() != Code::kCorrupt) {
        return Fail(directory.error());
      }
    } else if (index.error().code() != Code::kNotFound) {
      return Fail(index.error());
    }
    return SaltOfFirstFrame(file);
  }

  // A segment whose header was never durable has nothing behind it.
  Status SetAside(uint64_t sequence) {
    const std::string path = SegmentPath(folder_, sequence);
    auto file = TRY(disk_.Open(path, OpenMode::kRead));
    if (TRY(file->Size()) <= kSegmentHeaderBytes) return disk_.Remove(path);
    Log(LogLevel::kError, "log", "a segment is damaged throughout and was set aside",
        {{"file", path + ".damaged"}});
    TRY(disk_.Rename(path, path + ".damaged"));
    return disk_.SyncFolder(folder_);
  }

  Status LoadSegment(const Found& found) {
    auto segment = std::make_shared<Segment>();
    segment->sequence = found.sequence;
    segment->salt = found.salt;
    segment->complete = true;
    state_.segments[found.sequence] = segment;
    if (auto directory = GoodIndex(found)) {
      segment->end = directory->end;
      segment->indexed = true;
      for (const auto& entry : directory->runs) TRY(AddRun(segment, entry));
      return {};
    }
    return ScanAndLoad(found, segment);
  }

  std::optional<IndexDirectory> GoodIndex(const Found& found) {
    const std::string path = IndexPath(folder_, found.sequence);
    auto file = disk_.Open(path, OpenMode::kRead);
    if (!file.ok()) return std::nullopt;
    auto directory = ReadIndexDirectory(**file);
    bool good = directory.ok() && directory->sequence == found.sequence &&
                directory->salt == found.salt && (!found.end || *found.end == directory->end);
    if (good) return std::move(*directory);
    Log(LogLevel::kWarning, "log", "a segment's index is unusable; reading the segment instead",
        {{"file", path}});
    return std::nullopt;
  }

  Status ScanAndLoad(const Found& found, const std::shared_ptr<Segment>& segment) {
    const std::string path = SegmentPath(folder_, found.sequence);
    auto file = TRY(disk_.Open(path, OpenMode::kWrite));
    auto scan = TRY(ScanSegment(*file, found.salt, found.end));
    segment->end = scan.end;
    for (const DamagedRange& range : scan.damage) ReportDamage(found.sequence, range);
    if (scan.torn) {
      Log(LogLevel::kWarning, "log", "cut off a write that was never acknowledged",
          {{"file", path}, {"position", std::to_string(scan.end)}});
    }
    if (!found.end) TRY(Rewrite(*file, scan.proven, scan.end));
    if (!Cut(*file, scan.end).ok()) note_ends_ = true;
    std::unordered_map<uint32_t, std::shared_ptr<std::vector<IndexEntry>>> runs;
    for (const FrameHead& head : scan.frames) AddFrame(segment, head, runs);
    for (const FrameHead& head : scan.hollow) NoteGap(head);
    return {};
  }

  // The last group may be in memory only, and after a failed sync the system takes what it has
  // there for written: another sync alone would prove nothing.
  Status Rewrite(File& file, int64_t from, int64_t to) {
    while (from < to) {
      Bytes bytes = TRY(file.ReadAt(from, std::min(to - from, kRewriteBytes)));
      if (bytes.empty())
        return Fail(Code::kUnavailable, "the segment changed while it was recovered");
      TRY(file.WriteAt(from, bytes));
      from += static_cast<int64_t>(bytes.size());
    }
    return file.Sync();
  }

  Status Cut(File& file, int64_t end) {
    if (TRY(file.Size()) <= end) return {};
    TRY(file.Truncate(end));
    return file.Sync();
  }

  void AddFrame(
      const std::shared_ptr<Segment>& segment, const FrameHead& head,
      std::unordered_map<uint32_t, std::shared_ptr<std::vector<IndexEntry>>>& entries_of) {
    auto known = by_number_.find(head.partition);
    if (known == by_number_.end()) return;  // deleted
    Partition& partition = *known->second;
    const int64_t end = head.first + head.records;
    auto& entries = entries_of[head.partition];
    if (!entries) {
      entries = std::make_shared<std::vector<IndexEntry>>();
      Run run{.segment = segment, .base = head.first, .end = head.first, .entries = entries};
      if (!Add(partition, std::move(run))) {
        entries.reset();
        return;
      }
    }
    Run& run = partition.runs.back();
    if (head.first < run.end) return ReportOverlap(partition, segment->sequence);
    entries->push_back({.position = head.position,
                        .bytes = head.bytes,
                        .delta = static_cast<uint32_t>(head.first - run.base),
                        .records = head.records});
    run.bytes += head.bytes;
    segment->kept_bytes += head.bytes;
    partition.bytes += head.bytes;
    run.end = end;
    run.arrival_us = head.arrival_us;
    Advance(partition, run);
  }

  Status AddRun(const std::shared_ptr<Segment>& segment, IndexDirectoryEntry entry) {
    auto known = by_number_.find(entry.partition);
    if (known == by_number_.end()) return {};
    if (entry.bytes < 0) entry.bytes = TRY(BytesInSection(*segment, entry.section));
    Run run{.segment = segment,
            .base = entry.base,
            .end = entry.end,
            .arrival_us = entry.arrival_us,
            .bytes = entry.bytes,
            .section = entry.section};
    if (Add(*known->second, run)) Advance(*known->second, run);
    return {};
  }

  // An unreadable section is met again by whoever reads it.
  Result<int64_t> BytesInSection(const Segment& segment, const SectionPlace& place) {
    auto file = TRY(disk_.Open(IndexPath(folder_, segment.sequence), OpenMode::kRead));
    auto entries = ReadIndexSection(*file, place);
    int64_t bytes = 0;
    if (entries.ok()) {
      for (const IndexEntry& entry : *entries) bytes += entry.bytes;
    }
    return bytes;
  }

  // Nothing of it can be read, but its offsets were given out and must not be again.
  void NoteGap(const FrameHead& head) {
    auto known = by_number_.find(head.partition);
    if (known == by_number_.end()) return;
    Partition& partition = *known->second;
    partition.end = std::max(partition.end, head.first + head.records);
    partition.arrival_us = std::max(partition.arrival_us, head.arrival_us);
  }

  // False when it lies before what is there.
  bool Add(Partition& partition, Run run) {
    if (!partition.runs.empty() && run.base < partition.runs.back().end) {
      ReportOverlap(partition, run.segment->sequence);
      return false;
    }
    ++run.segment->runs;
    partition.bytes += run.bytes;
    run.segment->kept_bytes += run.bytes;
    partition.runs.push_back(std::move(run));
    return true;
  }

  void Advance(Partition& partition, const Run& run) {
    partition.end = std::max(partition.end, run.end);
    partition.arrival_us = std::max(partition.arrival_us, run.arrival_us);
  }

  void ReportDamage(uint64_t sequence, DamagedRange range) {
    Log(LogLevel::kError, "log",
        "a segment is damaged; the records there are lost, the others are not",
        {{"file", SegmentPath(folder_, sequence)},
         {"from", std::to_string(range.from)},
         {"to", std::to_string(range.to)}});
  }

  void ReportOverlap(const Partition& partition, uint64_t sequence) {
    Log(LogLevel::kError, "log", "a segment repeats offsets; the first ones are kept",
        {{"file", SegmentPath(folder_, sequence)}, {"partition", partition.name.text()}});
  }

  const std::string folder_;
  Disk& disk_;
  bool table_there_ = false;
  bool note_ends_ = false;  // a segment could not be cut: only the table can keep its end
  std::vector<std::string> leftovers_;
  std::vector<Found> found_;  // in order
  std::map<uint64_t, int64_t> ends_;
  std::unordered_map<uint32_t, std::shared_ptr<Partition>> by_number_;
  JournalState state_;
};

}  // namespace

Result<JournalState> RecoverJournal(const std::string& folder, Disk& disk) {
  auto state = TRY(Recovery(folder, disk).Recover());
  // An index also covers what is trimmed since; such runs are dropped only now.
  for (auto& [name, partition] : state.partitions) (void)DropRuns(*partition, partition->begin);
  return state;
}

}  // namespace weft::log
