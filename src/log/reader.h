// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/disk.h"
#include "log/journal_state.h"
#include "log/record_log.h"
#include "log/section_cache.h"
#include "log/tail_cache.h"

namespace weft::log {

// Finds batches by their offsets and reads them, from memory when they were just written, else from
// the segment files, with their checksums verified. Safe from any thread; `mutex` guards `state`
// and `cache`.
class JournalReader {
 public:
  JournalReader(std::string folder, Disk& disk, std::mutex& mutex, const JournalState& state,
                const TailCache& cache);

  Result<std::vector<StoredBatch>> Read(const PartitionName& name, Offset from, ReadLimits limits);

 private:
  // Batches of one partition in one segment, in order.
  struct Selection {
    std::shared_ptr<Partition> partition;
    Run run;  // without entries when they lie in the index file
    std::vector<IndexEntry> entries;
    int64_t next() const { return run.base + entries.back().delta + entries.back().records; }
  };
  Result<Selection> Select(const PartitionName& name, int64_t from, int64_t bytes_max);
  Status SelectFrom(const std::vector<IndexEntry>& all, int64_t from, int64_t bytes_max,
                    Selection& selection);
  Result<SectionCache::Section> Section(const Selection& selection);
  Status ReadBatches(const Selection& selection, std::vector<StoredBatch>& out);
  void TakeCached(const std::vector<TailCache::Found>& found, const Selection& selection,
                  std::vector<StoredBatch>& out);
  Status ReadStretch(const File& file, const Selection& selection, size_t first, size_t past,
                     std::vector<StoredBatch>& out);
  Error Damaged(const Selection& selection, int64_t position, int64_t from, int64_t next);

  const std::string folder_;
  Disk& disk_;
  std::mutex& state_mutex_;
  const JournalState& state_;
  const TailCache& cache_;
  SectionCache sections_;
  std::mutex reported_mutex_;  // guards what follows
  std::set<std::pair<uint64_t, int64_t>> reported_;
};

}  // namespace weft::log
