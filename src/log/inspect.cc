// SPDX-License-Identifier: Apache-2.0
// Each runs recovery over a disk that it cannot change, which gives what a server would start with,
// and looks closer from there.
#include "log/inspect.h"

#include <algorithm>
#include <unordered_map>

#include "log/folder_lock.h"
#include "log/frame.h"
#include "log/key_ring.h"
#include "log/limits.h"
#include "log/reader.h"
#include "log/recovery.h"
#include "log/segment.h"
#include "log/untouched_disk.h"

namespace weft::log {
namespace {

// A journal as a server would find it.
struct Found {
  std::unique_ptr<FolderLock> lock;
  JournalState state;
};

Result<Found> Look(const std::string& folder, Disk& disk) {
  Found found;
  // A folder without a table is not a journal, and must not become one.
  auto table = disk.Open(folder + "/partitions", OpenMode::kRead);
  if (!table.ok()) return Fail(table.error());
  found.lock = TRY(FolderLock::Take(folder, disk));
  UntouchedDisk untouched(disk);
  found.state = TRY(RecoverJournal(folder, untouched));
  return found;
}

Result<std::shared_ptr<Partition>> Find(const JournalState& state, const PartitionName& name) {
  auto known = state.partitions.find(name);
  if (known == state.partitions.end()) return Fail(NoSuchPartition(name));
  return known->second;
}

class Verifier {
 public:
  Verifier(const std::string& folder, Disk& disk, const JournalState& state,
           const Progress& progress)
      : folder_(folder), disk_(disk), state_(state), progress_(progress) {}

  Result<Verification> Verify() {
    TRY(ListFiles());
    for (const auto& [name, partition] : state_.partitions) {
      follow_[partition->number] = {.partition = partition.get(), .next = partition->begin};
    }
    for (const auto& [sequence, segment] : state_.segments) TRY(VerifySegment(*segment));
    for (const auto& [name, partition] : state_.partitions) {
      NoteLoss(follow_.at(partition->number), partition->end);
    }
    std::sort(out_.lost.begin(), out_.lost.end(), [](const auto& a, const auto& b) {
      return std::tie(a.partition, a.from) < std::tie(b.partition, b.from);
    });
    return std::move(out_);
  }

 private:
  // Where the good records of a partition have been followed to.
  struct Followed {
    const Partition* partition = nullptr;
    int64_t next = 0;
  };

  Status ListFiles() {
    auto entries = TRY(disk_.List(folder_));
    for (const auto& entry : entries) {
      auto sequence = SequenceOf(entry.name, ".log");
      if (sequence && state_.segments.contains(*sequence)) all_ += entry.bytes;
      if ((sequence && !state_.segments.contains(*sequence)) ||
          SequenceOf(entry.name, ".log.damaged")) {
        out_.unreadable.push_back(folder_ + "/" + entry.name);
      }
    }
    return {};
  }

  Status VerifySegment(const Segment& segment) {
    const std::string path = SegmentPath(folder_, segment.sequence);
    auto file = TRY(disk_.Open(path, OpenMode::kRead));
    if (!DecodeSegmentHeader(TRY(file->ReadAt(0, kSegmentHeaderBytes))).ok()) {
      out_.damaged.push_back({.file = path, .from = 0, .to = kSegmentHeaderBytes});
    }
    auto scan = TRY(ScanSegment(*file, segment.salt, segment.end));
    ++out_.segments;
    for (const DamagedRange& range : scan.damage) {
      out_.damaged.push_back({.file = path, .from = range.from, .to = range.to});
    }
    for (const FrameHead& head : scan.frames) Count(head);
    if (!TRY(OnlyZerosBehind(*file, segment.end))) {
      out_.torn = Verification::Torn{.file = path, .position = segment.end};
    }
    if (segment.indexed && !IndexIsGood(segment)) {
      out_.damaged_indexes.push_back(IndexPath(folder_, segment.sequence));
    }
    read_ += TRY(file->Size());
    if (progress_) progress_(read_, all_);
    return {};
  }

  void Count(const FrameHead& head) {
    ++out_.frames;
    if (head.sealed) ++out_.sealed_frames;
    out_.records += head.records;
    out_.bytes += head.bytes;
    auto followed = follow_.find(head.partition);
    if (followed == follow_.end()) return;
    NoteLoss(followed->second, head.first);
    followed->second.next = std::max(followed->second.next, head.first + head.records);
  }

  // Nothing good was found before `to`. What somebody accepted is told apart from what is new.
  void NoteLoss(Followed& followed, int64_t to) {
    const Partition& partition = *followed.partition;
    auto note = [&](int64_t until, bool accepted) {
      if (until <= followed.next) return;
      out_.lost.push_back({.partition = partition.name,
                           .from = {followed.next},
                           .to = {until},
                           .accepted = accepted});
      followed.next = until;
    };
    for (const Loss& loss : partition.losses) {
      if (loss.to <= followed.next || loss.from >= to) continue;
      note(std::min(loss.from, to), false);
      note(std::min(loss.to, to), true);
    }
    note(to, false);
  }

  bool IndexIsGood(const Segment& segment) {
    auto file = disk_.Open(IndexPath(folder_, segment.sequence), OpenMode::kRead);
    if (!file.ok()) return false;
    auto directory = ReadIndexDirectory(**file);
    if (!directory.ok()) return false;
    return std::all_of(directory->runs.begin(), directory->runs.end(),
                       [&](const auto& run) { return ReadIndexSection(**file, run.section).ok(); });
  }

  const std::string& folder_;
  Disk& disk_;
  const JournalState& state_;
  const Progress& progress_;
  std::unordered_map<uint32_t, Followed> follow_;
  int64_t read_ = 0, all_ = 0;
  Verification out_;
};

// The entries of a run, wherever they are.
Result<std::vector<IndexEntry>> EntriesOf(const std::string& folder, Disk& disk,
                                          const Partition& partition, const Run& run) {
  if (run.entries) return *run.entries;
  return ReadRunEntries(folder, disk, partition.number, run);
}

FrameSummary Summarize(const std::string& path, const File& file, const Run& run,
                       const IndexEntry& entry) {
  FrameSummary out;
  out.file = path;
  out.position = entry.position;
  out.bytes = entry.bytes;
  out.first = {run.base + entry.delta};
  out.records = entry.records;
  auto frame = file.ReadAt(entry.position, entry.bytes);
  auto head =
      frame.ok() ? DecodeFrameHead(*frame, run.segment->salt, entry.position) : std::nullopt;
  out.damaged = !head || !BodyIsGood(*head, *frame) || head->first != out.first.value;
  if (out.damaged) return out;
  out.arrival = Timestamp(microseconds(head->arrival_us));
  out.sealed = head->sealed;
  out.continued = head->continued;
  if (!head->sealed) out.id = frame->substr(kFrameHeadBytes, head->id_bytes);
  return out;
}

// Whether every record of the run from `from` to before `to` is unreadable.
Status CheckUnreadable(const std::string& folder, Disk& disk, const Partition& partition,
                       const Run& run, int64_t from, int64_t to) {
  auto file = disk.Open(SegmentPath(folder, run.segment->sequence), OpenMode::kRead);
  if (!file.ok() && file.error().code() == Code::kNotFound) return {};
  if (!file.ok()) return Fail(file.error());
  auto scan = TRY(ScanSegment(**file, run.segment->salt, run.segment->end));
  for (const FrameHead& head : scan.frames) {
    const bool within =
        head.partition == partition.number && head.first < to && head.first + head.records > from;
    if (!within) continue;
    return Fail(Code::kInvalid, fmt::format("record {} of {} can be read: it is not lost",
                                            std::max(head.first, from), partition.name.text()));
  }
  return {};
}

}  // namespace

bool Verification::good() const {
  return std::all_of(lost.begin(), lost.end(), [](const auto& one) { return one.accepted; });
}

Result<Verification> VerifyJournal(const std::string& folder, Disk& disk,
                                   const Progress& progress) {
  auto found = TRY(Look(folder, disk));
  return Verifier(folder, disk, found.state, progress).Verify();
}

Result<std::vector<PartitionSummary>> InspectJournal(const std::string& folder, Disk& disk) {
  auto found = TRY(Look(folder, disk));
  std::mutex mutex;
  const TailCache no_cache(0);
  auto no_keys = KeyRing::Without();
  JournalReader reader(folder, disk, mutex, found.state, no_cache, *no_keys);
  std::vector<PartitionSummary> out;
  for (const auto& [name, partition] : found.state.partitions) {
    PartitionSummary summary{
        .name = name, .bounds = {}, .segments = static_cast<int>(partition->runs.size())};
    summary.bounds = TRY(reader.BoundsOf(name));
    for (const Loss& loss : partition->losses) {
      summary.accepted.push_back(
          {.partition = name, .from = {loss.from}, .to = {loss.to}, .accepted = true});
    }
    out.push_back(std::move(summary));
  }
  return out;
}

Result<std::vector<FrameSummary>> InspectFrames(const std::string& folder, Disk& disk,
                                                const PartitionName& name, Offset from,
                                                int64_t frames_max) {
  auto found = TRY(Look(folder, disk));
  auto partition = TRY(Find(found.state, name));
  std::vector<FrameSummary> out;
  for (const Run& run : partition->runs) {
    if (run.end <= from.value) continue;
    auto entries = TRY(EntriesOf(folder, disk, *partition, run));
    const std::string path = SegmentPath(folder, run.segment->sequence);
    auto file = TRY(disk.Open(path, OpenMode::kRead));
    for (const IndexEntry& entry : entries) {
      if (run.base + entry.delta + entry.records <= from.value) continue;
      if (static_cast<int64_t>(out.size()) >= frames_max) return out;
      out.push_back(Summarize(path, *file, run, entry));
    }
  }
  return out;
}

Status AcceptLoss(const std::string& folder, Disk& disk, const PartitionName& name, Offset from,
                  Offset to) {
  auto found = TRY(Look(folder, disk));
  auto partition = TRY(Find(found.state, name));
  if (from >= to || from.value < partition->begin || to.value > partition->end) {
    return Fail(Code::kInvalid,
                fmt::format("records {} to {} are not all kept: {} has {} to {}", from.value,
                            to.value - 1, name.text(), partition->begin, partition->end - 1));
  }
  for (const Run& run : partition->runs) {
    if (run.end <= from.value || run.base >= to.value) continue;
    TRY(CheckUnreadable(folder, disk, *partition, run, from.value, to.value));
  }
  const std::string path = folder + "/partitions";
  auto table = TRY(DecodePartitionTable(TRY(ReadFile(disk, path))));
  AddLoss(table, {.partition = partition->number, .from = from.value, .to = to.value});
  return WriteFile(disk, path, EncodePartitionTable(table));
}

}  // namespace weft::log
