// SPDX-License-Identifier: Apache-2.0
// What the journal knows in memory of its partitions and segments. Everything here is guarded by
// the journal's mutex, unless its line says otherwise.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/disk.h"
#include "log/partition_table.h"
#include "log/record_log.h"
#include "log/segment_index.h"

namespace weft::log {

struct Segment {
  uint64_t sequence = 0;       // constant
  uint64_t salt = 0;           // constant
  std::shared_ptr<File> file;  // while it is written, and a little longer; then each read opens it
  int64_t end = 0;             // everything before is durable
  int runs = 0;                // of partitions that have records here still kept
  bool complete = false;       // never written again
  bool indexed = false;        // its index file is durable
};

// The batches of one partition in one segment.
struct Run {
  std::shared_ptr<Segment> segment;
  int64_t base = 0;  // the first offset
  int64_t end = 0;
  int64_t arrival_us = 0;                                 // of the last batch
  std::shared_ptr<std::vector<IndexEntry>> entries = {};  // until the index file has them
  SectionPlace section = {};                              // then
};

struct Partition {
  uint32_t number = 0;  // constant
  PartitionName name;   // constant
  int64_t begin = 0;
  int64_t end = 0;
  int64_t arrival_us = 0;   // of the last batch
  int64_t assigned = 0;     // the writer's own: one past the last offset it gave out
  int64_t assigned_us = 0;  // the writer's own: the last arrival it gave out
  std::atomic<bool> deleted{false};
  int waiters = 0;
  std::condition_variable changed;
  std::vector<Run> runs;  // in order of offset

  Bounds bounds() const { return {.begin = {begin}, .end = {end}}; }
};

struct JournalState {
  std::map<PartitionName, std::shared_ptr<Partition>> partitions;
  std::map<uint64_t, std::shared_ptr<Segment>> segments;
  uint32_t next_number = 1;
  uint64_t next_sequence = 1;
  // The segment that the next one follows.
  uint64_t previous = 0;
  int64_t previous_end = 0;
};

// Forgets the runs, or the part of them, that lie before the partition's begin. True when a segment
// has no records left because of it.
bool DropRuns(Partition& partition, int64_t before);

PartitionTable TableOf(const JournalState& state);

}  // namespace weft::log
