// SPDX-License-Identifier: Apache-2.0
// The index beside a full segment: where the batches of each partition lie.
// docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"

namespace weft::log {

// A batch within its segment.
struct IndexEntry {
  uint32_t position = 0;
  uint32_t bytes = 0;
  uint32_t delta = 0;  // its first offset less that of the run
  uint32_t records = 0;
};

// Where a run's entries lie in the index file.
struct SectionPlace {
  int64_t position = 0;
  uint32_t count = 0;
  uint32_t crc = 0;
};

struct IndexDirectoryEntry {
  uint32_t partition = 0;
  int64_t base = 0;  // the first offset
  int64_t end = 0;
  int64_t arrival_us = 0;  // of the last batch
  int64_t bytes = 0;       // of the batches' frames; -1: only the section tells
  SectionPlace section = {};
};

struct IndexDirectory {
  uint64_t sequence = 0;
  uint64_t salt = 0;
  int64_t end = 0;  // of the segment
  std::vector<IndexDirectoryEntry> runs = {};
};

// Builds the file and fills in the places of the sections; entries[i] are those of runs[i].
Bytes EncodeIndex(IndexDirectory& directory,
                  const std::vector<const std::vector<IndexEntry>*>& entries);
// kCorrupt, kNotOffered, or what the disk says.
Result<IndexDirectory> ReadIndexDirectory(const File& file);
Result<std::vector<IndexEntry>> ReadIndexSection(const File& file, const SectionPlace& place);

}  // namespace weft::log
