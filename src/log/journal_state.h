// SPDX-License-Identifier: Apache-2.0
// What the journal knows in memory of its partitions and segments. Everything here is guarded by
// the journal's mutex, unless its line says otherwise.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/disk.h"
#include "log/partition_table.h"
#include "log/record_log.h"
#include "log/segment_index.h"
#include "log/watchers.h"

namespace weft::log {

struct Segment {
  uint64_t sequence = 0;       // constant
  uint64_t salt = 0;           // constant
  std::shared_ptr<File> file;  // while it is written, and a little longer; then each read opens it
  int64_t end = 0;             // everything before is durable
  int runs = 0;                // of partitions that have records here still kept
  int64_t kept_bytes = 0;      // of these runs
  int64_t freed_at = -1;       // kept_bytes when the space between them was freed last
  bool complete = false;       // never written again
  bool indexed = false;        // its index file is durable
};

// The batches of one partition in one segment.
struct Run {
  std::shared_ptr<Segment> segment;
  int64_t base = 0;  // the first offset
  int64_t end = 0;
  int64_t arrival_us = 0;                                 // of the last batch
  int64_t bytes = 0;                                      // of the batches' frames
  std::shared_ptr<std::vector<IndexEntry>> entries = {};  // until the index file has them
  SectionPlace section = {};                              // then
};

// Records given up by somebody who was told that they are damaged.
struct Loss {
  int64_t from = 0;
  int64_t to = 0;
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
  std::shared_ptr<Watchers> watchers;  // once somebody waited
  std::vector<Run> runs;               // in order of offset
  std::vector<Loss> losses;            // in order and apart
  int64_t bytes = 0;                   // of all runs
  // What of the first run lies before `freed_before`; looked up when somebody asks.
  int64_t freed_bytes = 0;
  int64_t freed_before = 0;

  Bounds bounds() const { return {.begin = {begin}, .end = {end}}; }
};

struct JournalState {
  std::map<PartitionName, std::shared_ptr<Partition>> partitions;
  std::map<uint64_t, std::shared_ptr<Segment>> segments;
  uint32_t next_number = 1;
  uint64_t next_sequence = 1;  // of segments
  bool stopping = false;       // appends are refused
  // The segment that the next one follows.
  uint64_t previous = 0;
  int64_t previous_end = 0;
};

// Forgets the runs, or the part of them, that lie before the partition's begin. True when a segment
// has no records left because of it.
bool DropRuns(Partition& partition, int64_t before);

// The first offset from `from` on that is not in an accepted loss; and where the next one begins.
int64_t SkipLosses(const Partition& partition, int64_t from);
int64_t NextLoss(const Partition& partition, int64_t from);

PartitionTable TableOf(const JournalState& state);

}  // namespace weft::log
