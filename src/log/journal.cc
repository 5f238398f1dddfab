// SPDX-License-Identifier: Apache-2.0
#include "log/journal.h"

#include <algorithm>
#include <mutex>

#include "log/folder_lock.h"
#include "log/frame.h"
#include "log/housekeeping.h"
#include "log/journal_writer.h"
#include "log/key_ring.h"
#include "log/limits.h"
#include "log/reader.h"
#include "log/recovery.h"
#include "log/tail_cache.h"

namespace weft::log {
namespace {

constexpr size_t kTailCacheBytes = size_t{16} << 20;
constexpr int64_t kSegmentBytesMin = int64_t{4} << 10;
constexpr int64_t kSegmentBytesMax = int64_t{1} << 30;

// What a journal is opened with.
struct Ground {
  std::unique_ptr<FolderLock> folder_lock;
  std::unique_ptr<KeyRing> keys;
  JournalState state;
};

class Journal final : public RecordLog {
 public:
  Journal(const JournalOptions& options, Ground ground, Disk& disk, const Clock& clock,
          Metrics& metrics, Random& random)
      : encrypt_(options.encrypt),
        folder_lock_(std::move(ground.folder_lock)),
        keys_(std::move(ground.keys)),
        state_(std::move(ground.state)),
        cache_(kTailCacheBytes),
        reader_(options.folder, disk, mutex_, state_, cache_, *keys_),
        housekeeping_(options.folder, disk, mutex_, state_),
        writer_({.folder = options.folder,
                 .segment_bytes = options.segment_bytes,
                 .pending_bytes_max = options.pending_bytes_max,
                 .free_bytes_min = options.free_bytes_min},
                disk, clock, random, metrics,
                {.mutex = mutex_,
                 .state = state_,
                 .cache = cache_,
                 .keys = *keys_,
                 .segment_complete = [this] { housekeeping_.Wake(); }}) {}

  ~Journal() override { Stop(); }

  Status CreatePartition(const PartitionName& partition) override {
    TRY(CheckPartitionName(partition));
    return housekeeping_.CreatePartition(partition);
  }

  Status DeletePartition(const PartitionName& partition) override {
    TRY(housekeeping_.DeletePartition(partition));
    housekeeping_.Wake();
    return {};
  }

  Result<std::vector<PartitionName>> Partitions() override {
    std::lock_guard lock(mutex_);
    std::vector<PartitionName> names;
    for (const auto& [name, partition] : state_.partitions) names.push_back(name);
    return names;
  }

  using RecordLog::Append;
  void Append(std::vector<Part> unit, OnUnitDurable done) override;

  Result<std::vector<StoredBatch>> Read(const PartitionName& partition, Offset from,
                                        ReadLimits limits) override {
    return reader_.Read(partition, from, limits);
  }

  Result<Bounds> BoundsOf(const PartitionName& partition) override {
    return reader_.BoundsOf(partition);
  }

  Result<Offset> OffsetWithin(const PartitionName& partition, int64_t bytes_max) override {
    return reader_.OffsetWithin(partition, bytes_max);
  }

  Result<Watch> OnPast(const PartitionName& partition, Offset from,
                       std::function<void()> wake) override;
  Status Trim(const PartitionName& partition, Offset before) override;
  void Stop() override;

 private:
  Result<std::shared_ptr<Partition>> FindWithMutexHeld(const PartitionName& name) const {
    auto known = state_.partitions.find(name);
    if (known == state_.partitions.end()) return Fail(NoSuchPartition(name));
    return known->second;
  }

  const bool encrypt_;
  const std::unique_ptr<FolderLock> folder_lock_;
  const std::unique_ptr<KeyRing> keys_;
  std::mutex mutex_;  // guards the state
  JournalState state_;
  TailCache cache_;
  JournalReader reader_;
  Housekeeping housekeeping_;
  JournalWriter writer_;
};

void Journal::Append(std::vector<Part> unit, OnUnitDurable done) {
  Status good = CheckUnit(unit);
  if (!good.ok()) return done(Fail(good.error()));
  JournalWriter::Unit taken;
  taken.pieces.resize(unit.size());
  for (size_t i = 0; i < unit.size(); ++i) {
    const Batch& batch = unit[i].batch;
    const bool sealed = encrypt_ || batch.seal;
    if (sealed && !keys_->can_seal()) {
      return done(Fail(Code::kNotOffered, "the log has no master key to encrypt with"));
    }
    const FrameKind kind = sealed ? FrameKind::kSealed : FrameKind::kPlain;
    const auto bytes = static_cast<size_t>(FrameBytes(batch, kind));
    auto& piece = taken.pieces[i];
    // Body and checksum are the caller's work: many callers share the cores, the writer is one.
    piece.frame = std::make_shared_for_overwrite<char[]>(bytes);
    PutBody(batch, kind, piece.frame.get());
    piece.head = {.bytes = static_cast<uint32_t>(bytes),
                  .body_crc = sealed ? 0 : BodyCrc({piece.frame.get(), bytes}),
                  .records = static_cast<uint32_t>(batch.records.size()),
                  .id_bytes = static_cast<uint8_t>(batch.id.size()),
                  .continued = i + 1 < unit.size(),
                  .sealed = sealed};
    taken.bytes += static_cast<int64_t>(bytes);
  }
  taken.done = std::move(done);
  Status queued = writer_.Take(unit, taken);
  if (!queued.ok()) taken.done(Fail(queued.error()));
}

Result<RecordLog::Watch> Journal::OnPast(const PartitionName& name, Offset from,
                                         std::function<void()> wake) {
  {
    std::lock_guard lock(mutex_);
    auto partition = TRY(FindWithMutexHeld(name));
    // There is nothing to read in a loss: not even when it is the last there is.
    const int64_t past = SkipLosses(*partition, from.value);
    if (partition->end <= past && !state_.stopping) {
      if (!partition->watchers) partition->watchers = std::make_shared<Watchers>();
      return partition->watchers->Add(past, std::move(wake));
    }
  }
  wake();
  return Watch();
}

Status Journal::Trim(const PartitionName& name, Offset before) {
  bool freed = false;
  {
    std::lock_guard lock(mutex_);
    auto partition = TRY(FindWithMutexHeld(name));
    partition->begin = std::max(partition->begin, std::min(before.value, partition->end));
    freed = DropRuns(*partition, partition->begin);
  }
  if (freed) housekeeping_.Wake();
  return {};
}

void Journal::Stop() {
  std::vector<std::shared_ptr<Watchers>> watchers;
  {
    std::lock_guard lock(mutex_);
    state_.stopping = true;
    for (const auto& [name, partition] : state_.partitions) {
      if (partition->watchers) watchers.push_back(partition->watchers);
    }
  }
  for (const auto& one : watchers) one->WakeAll();
  writer_.Stop();
  housekeeping_.Stop();
}

}  // namespace

Result<std::unique_ptr<RecordLog>> OpenJournal(const JournalOptions& options, Disk& disk,
                                               const Clock& clock, Metrics& metrics,
                                               Random& random) {
  if (options.folder.empty() || options.segment_bytes < kSegmentBytesMin ||
      options.segment_bytes > kSegmentBytesMax || options.pending_bytes_max <= 0) {
    return Fail(Code::kInvalid,
                fmt::format("the journal needs a folder, segments of {} to {} octets and "
                            "room for pending appends",
                            kSegmentBytesMin, kSegmentBytesMax));
  }
  if (options.encrypt && options.master_key.empty()) {
    return Fail(Code::kInvalid, "to encrypt every batch the journal needs a master key");
  }
  TRY(disk.MakeFolders(options.folder));
  Ground ground;
  ground.folder_lock = TRY(FolderLock::Take(options.folder, disk));
  ground.state = TRY(RecoverJournal(options.folder, disk));
  std::vector<uint64_t> segments;
  for (const auto& [sequence, segment] : ground.state.segments) segments.push_back(sequence);
  ground.keys = TRY(KeyRing::Open({.folder = options.folder,
                                   .master_key = options.master_key,
                                   .age_max = options.data_key_age_max},
                                  disk, random, segments, ground.state.next_sequence));
  return std::make_unique<Journal>(options, std::move(ground), disk, clock, metrics, random);
}

}  // namespace weft::log
