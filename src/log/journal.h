// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "base/metrics.h"
#include "base/random.h"
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
  // Wraps the keys of encrypted batches: 32 octets. Without one nothing can be encrypted, and a
  // folder that has encrypted batches cannot be opened.
  Bytes master_key = {};
  bool encrypt = false;  // every batch, not only those that ask for it
  milliseconds data_key_age_max{std::chrono::hours(24 * 30)};  // then a new one is made
};

// Recovers what a crash left. kInvalid when an option cannot be or the master key is not that of
// the folder; kUnavailable when another process has the folder; kNotOffered when a
// newer Weft wrote it; kCorrupt only when nothing can be read safely (a damaged segment is set
// aside and reported).
Result<std::unique_ptr<RecordLog>> OpenJournal(const JournalOptions& options, Disk& disk,
                                               const Clock& clock, Metrics& metrics,
                                               Random& random = SystemRandom());

}  // namespace weft::log
