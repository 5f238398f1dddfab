// SPDX-License-Identifier: Apache-2.0
// The layout of a chunk in memory, docs/formats/columns.md.
#pragma once

#include <cstdint>
#include <memory>

#include "iceberg/columns.h"

namespace weft::iceberg {

constexpr char kChunkMagic[8] = {'W', 'E', 'F', 'T', 'C', 'O', 'L', '1'};
constexpr uint64_t kChunkAlignment = 64;

struct ChunkHeader {
  char magic[8];
  uint64_t bytes = 0;  // of the whole memory
  int64_t rows = 0;
  uint64_t schema_bytes = 0;  // of JSON, right behind the header
  uint64_t nodes = 0;         // at the next multiple of 64
};

// One column or part of one; parents before children, children in the schema's order.
struct ChunkNode {
  int64_t length = 0;
  int64_t null_count = 0;
  uint64_t validity = 0;  // where the buffer begins; 0: there is none
  uint64_t offsets = 0;
  uint64_t values = 0;
  uint64_t values_bytes = 0;
};

constexpr uint64_t Aligned(uint64_t at) {
  return (at + kChunkAlignment - 1) / kChunkAlignment * kChunkAlignment;
}
constexpr uint64_t NodesAt(uint64_t schema_bytes) {
  return Aligned(sizeof(ChunkHeader) + schema_bytes);
}

// Octets of a value of fixed width; 0 for bits, for what has offsets and for what has only
// children.
size_t ValueWidth(const Type& type);
bool HasOffsets(const Type& type);
uint64_t CountNodes(const std::vector<Field>& fields);

// Takes the descriptor of memory that Seal has just written.
Result<std::shared_ptr<const ColumnChunk>> OpenOwnChunk(int descriptor,
                                                        std::shared_ptr<const Schema> schema);

}  // namespace weft::iceberg
