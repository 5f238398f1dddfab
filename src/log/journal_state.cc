// SPDX-License-Identifier: Apache-2.0
#include "log/journal_state.h"

#include <algorithm>
#include <limits>

namespace weft::log {

bool DropRuns(Partition& partition, int64_t before) {
  bool freed = false;
  auto keep = partition.runs.begin();
  for (; keep != partition.runs.end() && keep->end <= before; ++keep) {
    partition.bytes -= keep->bytes;
    keep->segment->kept_bytes -= keep->bytes;
    if (--keep->segment->runs == 0) freed = true;
  }
  partition.runs.erase(partition.runs.begin(), keep);
  return freed;
}

int64_t SkipLosses(const Partition& partition, int64_t from) {
  for (const Loss& loss : partition.losses) {
    if (loss.from <= from && from < loss.to) from = loss.to;
  }
  return from;
}

int64_t NextLoss(const Partition& partition, int64_t from) {
  for (const Loss& loss : partition.losses) {
    if (loss.from > from) return loss.from;
  }
  return std::numeric_limits<int64_t>::max();
}

PartitionTable TableOf(const JournalState& state) {
  PartitionTable table{.next_number = state.next_number, .next_sequence = state.next_sequence};
  for (const auto& [name, partition] : state.partitions) {
    table.partitions.push_back({.number = partition->number,
                                .name = name.text(),
                                .begin = partition->begin,
                                .end = partition->end,
                                .arrival_us = partition->arrival_us});
    for (const Loss& loss : partition->losses) {
      if (loss.to <= partition->begin) continue;
      table.losses.push_back({.partition = partition->number, .from = loss.from, .to = loss.to});
    }
  }
  for (const auto& [sequence, segment] : state.segments) {
    table.next_sequence = std::max(table.next_sequence, sequence + 1);
    if (segment->complete) table.segments.push_back({.sequence = sequence, .end = segment->end});
  }
  return table;
}

}  // namespace weft::log
