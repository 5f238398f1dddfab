// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/disk.h"
#include "base/metrics.h"
#include "log/record_log.h"

namespace weft::log {

// The embedded record log: segment files under one folder, shared by all partitions, so that one
// fsync makes the appends of all of them durable. Format: docs/formats/journal.md.
struct JournalOptions {
  std::string folder;
  int64_t segment_bytes = int64_t{64} << 20;
  int64_t pending_bytes_max = int64_t{128} << 20;  // accepted but not durable; past it kThrottled
  int64_t free_bytes_min = int64_t{64}
                           << 20;  // less free space than this: appends get kUnavailable
};

// Recovers what a crash left. kUnavailable when another process has the folder; kNotOffered when a
// newer Weft wrote it; kCorrupt only when nothing can be read safely (a damaged segment is set
// aside and reported).
Result<std::unique_ptr<RecordLog>> OpenJournal(const JournalOptions& options, Disk& disk,
                                               const Clock& clock, Metrics& metrics);

}  // namespace weft::log
