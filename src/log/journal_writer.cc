// SPDX-License-Identifier: Apache-2.0
// Appending is group commit: callers queue frames whose bodies they have made themselves, under a
// short lock; one thread takes all that wait, puts their heads, writes them from where they lie and
// syncs, publishes the new ends and hands the answers on. While it waits for the disk the next
// group gathers. Only that thread gives out offsets and touches the segment that is written, so a
// group that fails leaves nothing to undo but the offsets.
#include "log/journal_writer.h"

#include <algorithm>

#include "base/thread.h"
#include "log/limits.h"

namespace weft::log {
namespace {

constexpr int64_t kGroupBytesMax = int64_t{8} << 20;  // a single unit may be larger

}  // namespace

JournalWriter::Meters::Meters(Metrics& metrics)
    : batches(metrics.AddCounter("weft_log_batches_total", "Batches made durable.")),
      bytes(metrics.AddCounter("weft_log_written_bytes_total", "Octets of batches made durable.")),
      failed(metrics.AddCounter("weft_log_failed_batches_total",
                                "Batches taken that could not be made durable.")),
      pending(metrics.AddGauge("weft_log_pending_bytes", "Octets taken and not answered yet.")),
      sync_seconds(
          metrics.AddHistogram("weft_log_sync_seconds", "Time of one sync of a segment.",
                               {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3})) {}

JournalWriter::JournalWriter(const Options& options, Disk& disk, const Clock& clock, Random& random,
                             Metrics& metrics, Shared shared)
    : options_(options),
      disk_(disk),
      clock_(clock),
      meters_(metrics),
      shared_(std::move(shared)),
      mutex_(shared_.mutex),
      segments_({.folder = options.folder,
                 .segment_bytes = options.segment_bytes,
                 .next_sequence = shared_.state.next_sequence,
                 .previous = shared_.state.previous,
                 .previous_end = shared_.state.previous_end},
                disk, clock, random, meters_.sync_seconds),
      answerer_([this](int64_t bytes) { MakeRoom(bytes); }),
      thread_([this] { WriteGroups(); }) {}

Status JournalWriter::Take(const std::vector<Part>& parts, Unit& unit) {
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    if (shared_.state.stopping) return Fail(Code::kUnavailable, "the log is stopping");
    for (size_t i = 0; i < parts.size(); ++i) {
      auto known = shared_.state.partitions.find(parts[i].partition);
      if (known == shared_.state.partitions.end()) return Fail(NoSuchPartition(parts[i].partition));
      unit.pieces[i].partition = known->second;
    }
    // One unit is always taken, however large, so that none can wait for ever.
    if (pending_bytes_ > 0 && pending_bytes_ + unit.bytes > options_.pending_bytes_max) {
      return Fail(Code::kThrottled,
                  fmt::format("the disk is behind: {} octets wait", pending_bytes_));
    }
    pending_bytes_ += unit.bytes;
    was_empty = queue_.empty();
    queue_.push_back(std::move(unit));
  }
  if (was_empty) wake_.notify_one();
  return {};
}

void JournalWriter::WriteGroups() {
  NameThread("log-writer");
  AskToRunSoon();
  std::vector<Unit> work;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return ending_ || !queue_.empty(); });
      if (queue_.empty()) break;
      work.swap(queue_);
    }
    for (size_t first = 0; first < work.size();) {
      size_t past = first;
      int64_t bytes = 0;
      do {
        bytes += work[past++].bytes;
      } while (past < work.size() && bytes + work[past].bytes <= kGroupBytesMax);
      WriteGroup(std::span(work).subspan(first, past - first));
      first = past;
    }
    work.clear();
  }
  std::lock_guard lock(mutex_);
  if (current_) current_->complete = true;
}

void JournalWriter::WriteGroup(std::span<Unit> group) {
  Status written = WriteFrames(group);
  NoteSegment();
  if (!written.ok()) Refuse(group, written.error());
  AnswerAll(group);
}

Status JournalWriter::WriteFrames(std::span<Unit> group) {
  TRY(CheckRoom());
  auto segment = TRY(segments_.Prepare());
  NoteSegment();
  TRY(PrepareSealer(group));
  const int64_t position = segments_.position();
  const int64_t end = AssignOffsets(group, position);
  auto written = std::make_shared<WrittenGroup>();
  written->sequence = segment->sequence;
  written->position = position;
  written->end = end;
  std::vector<BytesView> frames;
  frames.reserve(group.size());
  written->frames.reserve(group.size());
  for (Unit& unit : group) {
    if (unit.gone) continue;
    for (Piece& piece : unit.pieces) {
      FinishFrame(piece, segment->salt);
      written->frames.push_back(
          {.position = piece.head.position, .bytes = piece.head.bytes, .owner = piece.frame});
      frames.push_back(written->frames.back().view());
    }
  }
  if (!frames.empty()) TRY(segments_.Write(frames));
  Publish(group, written);
  return {};
}

Status JournalWriter::PrepareSealer(std::span<const Unit> group) {
  const bool seals = std::any_of(group.begin(), group.end(), [](const Unit& unit) {
    return std::any_of(unit.pieces.begin(), unit.pieces.end(),
                       [](const Piece& piece) { return piece.head.sealed; });
  });
  if (!seals) return {};
  auto key = shared_.keys.ForSealing(clock_.Now());
  // Whatever it was, nothing of the group is on the disk.
  if (!key.ok()) return Fail(Code::kUnavailable, key.error().In("no data key").message());
  if (!sealer_ || sealer_->key().number != (*key)->number) sealer_.emplace(std::move(*key));
  return {};
}

int64_t JournalWriter::AssignOffsets(std::span<Unit> group, int64_t position) {
  const auto group_start = static_cast<uint32_t>(position);
  const int64_t now = clock_.Now().time_since_epoch().count();
  for (Unit& unit : group) {
    unit.gone = std::any_of(unit.pieces.begin(), unit.pieces.end(),
                            [](const Piece& piece) { return piece.partition->deleted.load(); });
    if (unit.gone) continue;
    for (Piece& piece : unit.pieces) {
      Partition& partition = *piece.partition;
      FrameHead& head = piece.head;
      head.partition = partition.number;
      head.first = partition.assigned;
      head.arrival_us = partition.assigned_us = std::max(now, partition.assigned_us);
      head.group_start = group_start;
      head.position = static_cast<uint32_t>(position);
      partition.assigned += head.records;
      position += head.bytes;
    }
  }
  return position;
}

void JournalWriter::FinishFrame(Piece& piece, uint64_t salt) {
  PutHead(piece.head, salt, piece.frame.get());
  if (piece.head.sealed) {
    sealer_->Seal(piece.head, piece.frame.get());
  } else {
    PutChecksums(piece.frame.get(), piece.head.body_crc);
  }
}

void JournalWriter::Publish(std::span<Unit> group,
                            const std::shared_ptr<const WrittenGroup>& written) {
  struct Woken {
    std::shared_ptr<Watchers> watchers;
    int64_t end;
  };
  std::vector<Woken> woken;
  // Before anybody can look for it.
  if (!written->frames.empty()) shared_.cache.Add(written);
  {
    std::lock_guard lock(mutex_);
    current_->end = written->end;
    for (Unit& unit : group) {
      PublishUnit(unit);
      for (const Piece& piece : unit.pieces) {
        const auto& watchers = piece.partition->watchers;
        if (!watchers || watchers->empty()) continue;
        woken.push_back({.watchers = watchers, .end = piece.partition->end});
      }
    }
  }
  meters_.batches.Add(static_cast<double>(written->frames.size()));
  meters_.bytes.Add(static_cast<double>(written->end - written->position));
  for (const Woken& one : woken) one.watchers->Wake(one.end);
}

void JournalWriter::PublishUnit(Unit& unit) {
  const Partition& only = *unit.pieces.front().partition;
  if (unit.gone || (unit.pieces.size() == 1 && only.deleted)) {
    for (const Piece& piece : unit.pieces) {
      if (piece.partition->deleted) unit.answer = Fail(NoSuchPartition(piece.partition->name));
    }
    return;
  }
  std::vector<Appended> answer;
  answer.reserve(unit.pieces.size());
  for (const Piece& piece : unit.pieces) {
    // One of several that was deleted meanwhile: it was appended first, and is freed already.
    if (!piece.partition->deleted) PublishPiece(piece);
    answer.push_back(
        {.first = {piece.head.first}, .arrival = Timestamp(microseconds(piece.head.arrival_us))});
  }
  unit.answer = std::move(answer);
}

void JournalWriter::PublishPiece(const Piece& piece) {
  Partition& partition = *piece.partition;
  const FrameHead& head = piece.head;
  if (partition.runs.empty() || partition.runs.back().segment != current_) {
    partition.runs.push_back({.segment = current_,
                              .base = head.first,
                              .entries = std::make_shared<std::vector<IndexEntry>>()});
    ++current_->runs;
  }
  Run& run = partition.runs.back();
  run.entries->push_back({.position = head.position,
                          .bytes = head.bytes,
                          .delta = static_cast<uint32_t>(head.first - run.base),
                          .records = head.records});
  run.bytes += head.bytes;
  current_->kept_bytes += head.bytes;
  partition.bytes += head.bytes;
  run.end = partition.end = head.first + head.records;
  run.arrival_us = partition.arrival_us = head.arrival_us;
}

void JournalWriter::Refuse(std::span<Unit> group, const Error& error) {
  for (Unit& unit : group) {
    meters_.failed.Add(static_cast<double>(unit.pieces.size()));
    for (Piece& piece : unit.pieces) {
      // Only this thread moves the end, so it may look without the lock.
      piece.partition->assigned = piece.partition->end;
      piece.partition->assigned_us = piece.partition->arrival_us;
    }
    unit.answer = Fail(error);
  }
}

void JournalWriter::AnswerAll(std::span<Unit> group) {
  std::vector<Answer> answers;
  answers.reserve(group.size());
  for (Unit& unit : group) {
    answers.push_back(
        {.done = std::move(unit.done), .result = std::move(unit.answer), .bytes = unit.bytes});
    unit.pieces.clear();
  }
  answerer_.Hand(std::move(answers));
}

void JournalWriter::MakeRoom(int64_t bytes) {
  std::lock_guard lock(mutex_);
  pending_bytes_ -= bytes;
  meters_.pending.Set(static_cast<double>(pending_bytes_));
}

Status JournalWriter::CheckRoom() {
  auto room = disk_.FreeBytes(options_.folder);
  if (!room.ok()) return Fail(Code::kUnavailable, room.error().message());
  const int64_t free = *room;
  if (free >= options_.free_bytes_min) return {};
  return Fail(Code::kUnavailable,
              fmt::format("the disk is full: {} octets are free, {} are kept in reserve", free,
                          options_.free_bytes_min));
}

// Tells the state which segment is being written now.
void JournalWriter::NoteSegment() {
  auto now = segments_.current();
  if (now == current_) return;
  const bool complete = current_ != nullptr;
  {
    std::lock_guard lock(mutex_);
    if (current_) current_->complete = true;
    if (now) {
      shared_.state.segments[now->sequence] = now;
      shared_.state.next_sequence = now->sequence + 1;
    }
    current_ = std::move(now);
  }
  if (complete) shared_.segment_complete();
}

void JournalWriter::Stop() {
  std::lock_guard stop_lock(stop_mutex_);
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  answerer_.Stop();
}

}  // namespace weft::log
