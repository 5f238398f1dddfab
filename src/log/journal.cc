// SPDX-License-Identifier: Apache-2.0
// Appending is group commit: callers queue their batches under a short lock; one thread takes all
// that wait, copies them into one buffer, writes and syncs it, publishes the new ends and answers.
// While it waits for the disk the next group gathers. Only that thread gives out offsets and
// touches the segment that is written, so a group that fails leaves nothing to undo but the
// offsets.
#include "log/journal.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <span>
#include <thread>

#include "base/check.h"
#include "base/logging.h"
#include "log/folder_lock.h"
#include "log/frame.h"
#include "log/housekeeping.h"
#include "log/limits.h"
#include "log/reader.h"
#include "log/recovery.h"
#include "log/segment.h"
#include "log/segment_writer.h"
#include "log/tail_cache.h"

namespace weft::log {
namespace {

constexpr int64_t kGroupBytesMax = int64_t{8} << 20;  // a single batch may be larger
constexpr size_t kTailCacheBytes = size_t{16} << 20;
constexpr int64_t kSegmentBytesMin = int64_t{4} << 10;
constexpr int64_t kSegmentBytesMax = int64_t{1} << 30;
constexpr auto kTidyInterval = seconds(10);

struct Meters {
  explicit Meters(Metrics& metrics)
      : batches(metrics.AddCounter("weft_log_batches_total", "Batches made durable.")),
        bytes(
            metrics.AddCounter("weft_log_written_bytes_total", "Octets of batches made durable.")),
        failed(metrics.AddCounter("weft_log_failed_batches_total",
                                  "Batches taken that could not be made durable.")),
        pending(metrics.AddGauge("weft_log_pending_bytes", "Octets taken and not durable yet.")),
        sync_seconds(
            metrics.AddHistogram("weft_log_sync_seconds", "Time of one sync of a segment.",
                                 {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3})) {}
  Counter& batches;
  Counter& bytes;
  Counter& failed;
  Gauge& pending;
  Histogram& sync_seconds;
};

// A batch on its way to the disk.
struct Request {
  std::shared_ptr<Partition> partition;
  Batch batch;
  RecordLog::OnDurable done;
  FrameHead head;
  bool gone = false;  // the partition was deleted before it was written
  Result<Appended> answer = Fail(Code::kInternal, "not answered");
};

class Journal final : public RecordLog {
 public:
  Journal(const JournalOptions& options, std::unique_ptr<FolderLock> folder_lock,
          JournalState state, Disk& disk, const Clock& clock, Metrics& metrics)
      : options_(options),
        folder_lock_(std::move(folder_lock)),
        disk_(disk),
        clock_(clock),
        meters_(metrics),
        state_(std::move(state)),
        cache_(kTailCacheBytes),
        reader_(options.folder, disk, mutex_, state_, cache_),
        housekeeping_(options.folder, disk, mutex_, state_),
        writer_({.folder = options.folder,
                 .segment_bytes = options.segment_bytes,
                 .next_sequence = state_.next_sequence,
                 .previous = state_.previous,
                 .previous_end = state_.previous_end},
                disk, clock, SystemRandom(), meters_.sync_seconds),
        writer_thread_([this] { RunWriter(); }),
        housekeeping_thread_([this] { RunHousekeeping(); }) {}

  ~Journal() override { Stop(); }

  Status CreatePartition(const PartitionName& partition) override {
    TRY(CheckPartitionName(partition));
    return housekeeping_.CreatePartition(partition);
  }

  Status DeletePartition(const PartitionName& partition) override {
    TRY(housekeeping_.DeletePartition(partition));
    WakeHousekeeping();
    return {};
  }

  Result<std::vector<PartitionName>> Partitions() override {
    std::lock_guard lock(mutex_);
    std::vector<PartitionName> names;
    for (const auto& [name, partition] : state_.partitions) names.push_back(name);
    return names;
  }

  void Append(const PartitionName& partition, Batch batch, OnDurable done) override;

  Result<std::vector<StoredBatch>> Read(const PartitionName& partition, Offset from,
                                        ReadLimits limits) override {
    return reader_.Read(partition, from, limits);
  }

  Result<Bounds> BoundsOf(const PartitionName& name) override {
    std::lock_guard lock(mutex_);
    auto partition = TRY(FindWithMutexHeld(name));
    return partition->bounds();
  }

  Result<Bounds> WaitPast(const PartitionName& name, Offset from, milliseconds wait_max) override {
    std::unique_lock lock(mutex_);
    auto partition = TRY(FindWithMutexHeld(name));
    ++partition->waiters;
    partition->changed.wait_for(lock, wait_max, [&] {
      return partition->end > from.value || partition->deleted || stopping_;
    });
    --partition->waiters;
    if (partition->deleted) return Fail(NoSuchPartition(name));
    return partition->bounds();
  }

  Status Trim(const PartitionName& name, Offset before) override {
    bool freed = false;
    {
      std::lock_guard lock(mutex_);
      auto partition = TRY(FindWithMutexHeld(name));
      partition->begin = std::max(partition->begin, std::min(before.value, partition->end));
      freed = DropRuns(*partition, partition->begin);
    }
    if (freed) WakeHousekeeping();
    return {};
  }

  void Stop() override;

 private:
  Result<std::shared_ptr<Partition>> FindWithMutexHeld(const PartitionName& name) const {
    auto known = state_.partitions.find(name);
    if (known == state_.partitions.end()) return Fail(NoSuchPartition(name));
    return known->second;
  }

  Status Enqueue(const PartitionName& name, Request& request);
  void RunWriter();
  void WriteGroup(std::span<Request> group);
  Status WriteFrames(std::span<Request> group);
  int64_t AssignOffsets(std::span<Request> group, int64_t position);
  void Publish(std::span<Request> group, int64_t position,
               std::shared_ptr<const GroupBuffer> buffer);
  void PublishOne(Request& request);
  void Refuse(std::span<Request> group, const Error& error);
  void AnswerAll(std::span<Request> group);
  Status CheckRoom();
  void NoteSegment();
  void RunHousekeeping();
  void WakeHousekeeping();

  const JournalOptions options_;
  const std::unique_ptr<FolderLock> folder_lock_;
  Disk& disk_;
  const Clock& clock_;
  Meters meters_;
  std::mutex mutex_;  // guards what follows
  JournalState state_;
  TailCache cache_;
  std::vector<Request> queue_;
  int64_t pending_bytes_ = 0;
  bool stopping_ = false;
  bool untidy_ = true;
  bool written_out_ = false;  // the writer has ended
  std::condition_variable wake_writer_;
  std::condition_variable wake_housekeeping_;

  JournalReader reader_;
  Housekeeping housekeeping_;
  SegmentWriter writer_;              // the writer thread's own
  std::shared_ptr<Segment> current_;  // likewise: the one that the state knows as being written
  std::mutex stop_mutex_;             // held by whoever stops
  std::thread writer_thread_;
  std::thread housekeeping_thread_;
};

void Journal::Append(const PartitionName& partition, Batch batch, OnDurable done) {
  Status good = CheckBatch(batch);
  if (!good.ok()) return done(Fail(good.error()));
  Request request;
  // The checksum is the caller's work: many callers share the cores, the writer is one.
  request.head = {.bytes = static_cast<uint32_t>(FrameBytes(batch)),
                  .body_crc = BodyCrc(batch),
                  .records = static_cast<uint32_t>(batch.records.size()),
                  .id_bytes = static_cast<uint8_t>(batch.id.size())};
  request.batch = std::move(batch);
  request.done = std::move(done);
  Status taken = Enqueue(partition, request);
  if (!taken.ok()) request.done(Fail(taken.error()));
}

Status Journal::Enqueue(const PartitionName& name, Request& request) {
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return Fail(Code::kUnavailable, "the log is stopping");
    request.partition = TRY(FindWithMutexHeld(name));
    // One batch is always taken, however large, so that none can wait for ever.
    if (pending_bytes_ > 0 && pending_bytes_ + request.head.bytes > options_.pending_bytes_max) {
      return Fail(Code::kThrottled,
                  fmt::format("the disk is behind: {} octets wait", pending_bytes_));
    }
    pending_bytes_ += request.head.bytes;
    was_empty = queue_.empty();
    queue_.push_back(std::move(request));
  }
  if (was_empty) wake_writer_.notify_one();
  return {};
}

void Journal::RunWriter() {
  std::vector<Request> work;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_writer_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) break;
      work.swap(queue_);
    }
    for (size_t first = 0; first < work.size();) {
      size_t past = first;
      int64_t bytes = 0;
      do {
        bytes += work[past++].head.bytes;
      } while (past < work.size() && bytes + work[past].head.bytes <= kGroupBytesMax);
      WriteGroup(std::span(work).subspan(first, past - first));
      first = past;
    }
    work.clear();
  }
  std::lock_guard lock(mutex_);
  if (current_) current_->complete = true;
  written_out_ = true;
  wake_housekeeping_.notify_one();
}

void Journal::WriteGroup(std::span<Request> group) {
  Status written = WriteFrames(group);
  NoteSegment();
  if (!written.ok()) Refuse(group, written.error());
  AnswerAll(group);
}

Status Journal::WriteFrames(std::span<Request> group) {
  TRY(CheckRoom());
  auto segment = TRY(writer_.Prepare());
  NoteSegment();
  const int64_t position = writer_.position();
  const int64_t end = AssignOffsets(group, position);
  auto buffer = std::make_shared<GroupBuffer>();
  buffer->bytes = static_cast<size_t>(end - position);
  buffer->data = std::make_unique_for_overwrite<char[]>(buffer->bytes);
  for (const Request& request : group) {
    if (request.gone) continue;
    EncodeFrame(request.head, segment->salt, request.batch,
                buffer->data.get() + (request.head.position - position));
  }
  if (buffer->bytes > 0) TRY(writer_.Write(buffer->view()));
  Publish(group, position, std::move(buffer));
  return {};
}

int64_t Journal::AssignOffsets(std::span<Request> group, int64_t position) {
  const auto group_start = static_cast<uint32_t>(position);
  const int64_t now = clock_.Now().time_since_epoch().count();
  for (Request& request : group) {
    Partition& partition = *request.partition;
    request.gone = partition.deleted;
    if (request.gone) continue;
    FrameHead& head = request.head;
    head.partition = partition.number;
    head.first = partition.assigned;
    head.arrival_us = partition.assigned_us = std::max(now, partition.assigned_us);
    head.group_start = group_start;
    head.position = static_cast<uint32_t>(position);
    partition.assigned += head.records;
    position += head.bytes;
  }
  return position;
}

void Journal::Publish(std::span<Request> group, int64_t position,
                      std::shared_ptr<const GroupBuffer> buffer) {
  meters_.batches.Add(static_cast<double>(group.size()));
  meters_.bytes.Add(static_cast<double>(buffer->bytes));
  std::lock_guard lock(mutex_);
  current_->end = position + static_cast<int64_t>(buffer->bytes);
  for (Request& request : group) PublishOne(request);
  if (buffer->bytes > 0) cache_.Add(current_->sequence, position, std::move(buffer));
}

void Journal::PublishOne(Request& request) {
  Partition& partition = *request.partition;
  if (request.gone || partition.deleted) {
    request.answer = Fail(NoSuchPartition(partition.name));
    return;
  }
  const FrameHead& head = request.head;
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
  run.end = partition.end = head.first + head.records;
  run.arrival_us = partition.arrival_us = head.arrival_us;
  if (partition.waiters > 0) partition.changed.notify_all();
  request.answer =
      Appended{.first = {head.first}, .arrival = Timestamp(microseconds(head.arrival_us))};
}

void Journal::Refuse(std::span<Request> group, const Error& error) {
  meters_.failed.Add(static_cast<double>(group.size()));
  for (Request& request : group) {
    // Only this thread moves the end, so it may look without the lock.
    request.partition->assigned = request.partition->end;
    request.partition->assigned_us = request.partition->arrival_us;
    request.answer = Fail(error);
  }
}

void Journal::AnswerAll(std::span<Request> group) {
  {
    std::lock_guard lock(mutex_);
    for (const Request& request : group) pending_bytes_ -= request.head.bytes;
    meters_.pending.Set(static_cast<double>(pending_bytes_));
  }
  for (Request& request : group) {
    request.done(std::move(request.answer));
    request.batch = {};
    request.done = nullptr;
  }
}

Status Journal::CheckRoom() {
  auto room = disk_.FreeBytes(options_.folder);
  if (!room.ok()) return Fail(Code::kUnavailable, room.error().message());
  const int64_t free = *room;
  if (free >= options_.free_bytes_min) return {};
  return Fail(Code::kUnavailable,
              fmt::format("the disk is full: {} octets are free, {} are kept in reserve", free,
                          options_.free_bytes_min));
}

// Tells the state which segment is being written now.
void Journal::NoteSegment() {
  auto now = writer_.current();
  if (now == current_) return;
  {
    std::lock_guard lock(mutex_);
    if (current_) {
      current_->complete = true;
      untidy_ = true;
    }
    if (now) state_.segments[now->sequence] = now;
    current_ = std::move(now);
  }
  wake_housekeeping_.notify_one();
}

void Journal::WakeHousekeeping() {
  {
    std::lock_guard lock(mutex_);
    untidy_ = true;
  }
  wake_housekeeping_.notify_one();
}

void Journal::RunHousekeeping() {
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(mutex_);
      wake_housekeeping_.wait_for(lock, kTidyInterval, [&] { return untidy_ || written_out_; });
      untidy_ = false;
      last = written_out_;
    }
    housekeeping_.Tidy();
  }
}

void Journal::Stop() {
  std::lock_guard stop_lock(stop_mutex_);
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [name, partition] : state_.partitions) partition->changed.notify_all();
  }
  wake_writer_.notify_all();
  if (!writer_thread_.joinable()) return;
  writer_thread_.join();
  housekeeping_thread_.join();
  Status stored = housekeeping_.WriteTable();
  if (!stored.ok()) {
    Log(LogLevel::kWarning, "log", "what was trimmed could not be noted",
        {{"error", stored.error().message()}});
  }
}

}  // namespace

Result<std::unique_ptr<RecordLog>> OpenJournal(const JournalOptions& options, Disk& disk,
                                               const Clock& clock, Metrics& metrics) {
  if (options.folder.empty() || options.segment_bytes < kSegmentBytesMin ||
      options.segment_bytes > kSegmentBytesMax || options.pending_bytes_max <= 0) {
    return Fail(Code::kInvalid,
                fmt::format("the journal needs a folder, segments of {} to {} octets and "
                            "room for pending appends",
                            kSegmentBytesMin, kSegmentBytesMax));
  }
  TRY(disk.MakeFolders(options.folder));
  std::unique_ptr<FolderLock> folder_lock;
  // A simulated disk has no folder that could be locked.
  if (&disk == &SystemDisk()) folder_lock = TRY(FolderLock::Take(options.folder));
  auto state = TRY(RecoverJournal(options.folder, disk));
  return std::make_unique<Journal>(options, std::move(folder_lock), std::move(state), disk, clock,
                                   metrics);
}

}  // namespace weft::log
