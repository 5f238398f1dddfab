// SPDX-License-Identifier: Apache-2.0
#include "log/journal_state.h"

namespace weft::log {

bool DropRuns(Partition& partition, int64_t before) {
  bool freed = false;
  auto keep = partition.runs.begin();
  for (; keep != partition.runs.end() && keep->end <= before; ++keep) {
    if (--keep->segment->runs == 0) freed = true;
  }
  partition.runs.erase(partition.runs.begin(), keep);
  return freed;
}

PartitionTable TableOf(const JournalState& state) {
  PartitionTable table{.next_number = state.next_number};
  for (const auto& [name, partition] : state.partitions) {
    table.partitions.push_back({.number = partition->number,
                                .name = name.text(),
                                .begin = partition->begin,
                                .end = partition->end,
                                .arrival_us = partition->arrival_us});
  }
  for (const auto& [sequence, segment] : state.segments) {
    if (segment->complete) table.segments.push_back({.sequence = sequence, .end = segment->end});
  }
  return table;
}

}  // namespace weft::log
