// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/engine.h"
#include "engine/mesh_scan_internal.h"

namespace weft::engine {

// The rows of one partition.
struct PartitionRows {
  std::vector<iceberg::SingleValue> partition;
  std::vector<TailPiece> pieces;
};

// Parts the rows by the spec, partitions in the order of their first rows, rows in their own order.
Result<std::vector<PartitionRows>> PartRows(const WriteRequest& request);

}  // namespace weft::engine
