// SPDX-License-Identifier: Apache-2.0
// The journal's file `partitions`: docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace weft::log {

struct PartitionTable {
  struct Partition {
    uint32_t number = 0;
    std::string name;
    int64_t begin = 0;
    int64_t end = 0;
    int64_t arrival_us = 0;
  };
  struct SegmentEnd {
    uint64_t sequence = 0;
    int64_t end = 0;
  };
  // Records that somebody decided to do without; in order and apart within a partition.
  struct Loss {
    uint32_t partition = 0;
    int64_t from = 0;
    int64_t to = 0;
  };
  uint32_t next_number = 1;
  std::vector<Partition> partitions = {};
  std::vector<SegmentEnd> segments = {};  // those that are complete
  uint64_t next_sequence = 1;
  std::vector<Loss> losses = {};
};

// Joins those that it touches.
void AddLoss(PartitionTable& table, PartitionTable::Loss loss);

Bytes EncodePartitionTable(const PartitionTable& table);
Result<PartitionTable> DecodePartitionTable(BytesView bytes);

}  // namespace weft::log
