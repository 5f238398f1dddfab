// SPDX-License-Identifier: Apache-2.0
// Segment files: their names, headers and how one is scanned for good frames.
// docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "log/frame.h"

namespace weft::log {

constexpr int64_t kSegmentHeaderBytes = 64;

struct SegmentHeader {
  uint64_t sequence = 0;
  uint64_t salt = 0;
  int64_t made_us = 0;
  uint64_t previous = 0;
  int64_t previous_end = 0;
};

std::string SegmentPath(const std::string& folder, uint64_t sequence);
std::string IndexPath(const std::string& folder, uint64_t sequence);
// The number in "00000000000000000012.log" for the suffix ".log"; nothing for another kind of name.
std::optional<uint64_t> SequenceOf(const std::string& name, std::string_view suffix);

Bytes EncodeSegmentHeader(const SegmentHeader& header);
// kCorrupt when it is not one, kNotOffered when it is of a newer version.
Result<SegmentHeader> DecodeSegmentHeader(BytesView bytes);

// Within a segment, space that is given back begins and ends at a multiple of this.
constexpr int64_t kFreeBlockBytes = 4096;
// The blocks that lie whole between the positions.
struct FreeBlocks {
  int64_t from = 0;
  int64_t to = 0;  // not behind `from`: none
};
FreeBlocks BlocksWithin(int64_t from, int64_t to);

struct DamagedRange {
  int64_t from = 0;
  int64_t to = 0;
};

struct SegmentScan {
  std::vector<FrameHead> frames;  // in order of position
  std::vector<FrameHead> hollow;  // likewise: good heads of damaged bodies, before the end
  int64_t end = 0;
  int64_t proven = 0;  // a good frame says that everything before was durable when it was written
  std::vector<DamagedRange> damage;  // before the end; not what was freed
  bool torn = false;                 // something other than zeros lies behind the end
};

// Verifies every frame. Without `known_end` the end is found by the rules of recovery.
Result<SegmentScan> ScanSegment(const File& file, uint64_t salt, std::optional<int64_t> known_end);

Result<bool> OnlyZerosBehind(const File& file, int64_t position);

// The salt of a first frame that is good by it, for a segment whose header is damaged.
Result<std::optional<uint64_t>> SaltOfFirstFrame(const File& file);

}  // namespace weft::log
