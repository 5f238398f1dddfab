// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/disk.h"
#include "log/frame_seal.h"
#include "log/journal_state.h"
#include "log/key_ring.h"
#include "log/record_log.h"
#include "log/section_cache.h"
#include "log/tail_cache.h"

namespace weft::log {

// Where the batches of a run whose entries are not in memory lie: from the index, or from the
// segment when the index is damaged.
Result<std::vector<IndexEntry>> ReadRunEntries(const std::string& folder, Disk& disk,
                                               uint32_t partition, const Run& run);

// Finds batches by their offsets and reads them, from memory when they were just written, else from
// the segment files, with their checksums verified. Safe from any thread; `mutex` guards `state`.
class JournalReader {
 public:
  JournalReader(std::string folder, Disk& disk, std::mutex& mutex, const JournalState& state,
                const TailCache& cache, const KeyRing& keys);

  Result<std::vector<StoredBatch>> Read(const PartitionName& name, Offset from, ReadLimits limits);
  Result<Bounds> BoundsOf(const PartitionName& name);
  Result<Offset> OffsetWithin(const PartitionName& name, int64_t bytes_max);

 private:
  // Batches of one partition in one segment, in order.
  struct Selection {
    std::shared_ptr<Partition> partition;
    Run run;  // without entries when they lie in the index file
    std::vector<IndexEntry> entries;
    int64_t next() const { return run.base + entries.back().delta + entries.back().records; }
  };
  Result<Selection> Select(const PartitionName& name, int64_t from, int64_t bytes_max);
  struct Wanted {
    int64_t from = 0;
    int64_t before = 0;  // an accepted loss, or the end
    int64_t bytes_max = 0;
  };
  Status SelectFrom(const std::vector<IndexEntry>& all, Wanted wanted, Selection& selection);
  Result<std::shared_ptr<Partition>> FindWithMutexHeld(const PartitionName& name) const;
  Result<SectionCache::Section> Section(const Partition& partition, const Run& run);
  Status ReadBatches(const Selection& selection, std::vector<StoredBatch>& out);
  Result<std::shared_ptr<File>> OpenSegment(const Selection& selection);
  // Whether what ends with that record is still kept; if not, no wonder that it cannot be read.
  Status CheckStillKept(const Partition& partition, int64_t last) const;
  // For each entry its frame in memory, or nothing.
  std::vector<FrameBytesOwner> FindCached(const Selection& selection) const;
  Status TakeCached(const Selection& selection, const IndexEntry& entry,
                    const FrameBytesOwner& cached, FrameOpener& opener,
                    std::vector<StoredBatch>& out);
  Status ReadStretch(const File& file, const Selection& selection, size_t first, size_t past,
                     std::vector<StoredBatch>& out);
  Error Damaged(const Selection& selection, int64_t position, int64_t from, int64_t next);

  const std::string folder_;
  Disk& disk_;
  std::mutex& state_mutex_;
  const JournalState& state_;
  const TailCache& cache_;
  const KeyRing& keys_;
  SectionCache sections_;
  std::mutex reported_mutex_;  // guards what follows
  std::set<std::pair<uint64_t, int64_t>> reported_;
};

}  // namespace weft::log
