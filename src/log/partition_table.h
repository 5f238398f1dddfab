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
  uint32_t next_number = 1;
  std::vector<Partition> partitions = {};
  std::vector<SegmentEnd> segments = {};  // those that are complete
};

Bytes EncodePartitionTable(const PartitionTable& table);
Result<PartitionTable> DecodePartitionTable(BytesView bytes);

}  // namespace weft::log
