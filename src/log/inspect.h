// SPDX-License-Identifier: Apache-2.0
// What an administrator may ask of a journal whose server is stopped. All take the folder's lock:
// kUnavailable when a server has it; kNotFound when there is no such folder; kCorrupt when the
// partition table is damaged. None needs the master key; but for AcceptLoss they change nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "log/record_log.h"

namespace weft::log {

// Records that cannot be read any more: offsets from `from` to before `to`.
struct LostRecords {
  PartitionName partition;
  Offset from;
  Offset to;
  bool accepted = false;  // by AcceptLoss: reading goes on behind them
};

// Octets from `from` to before `to` that are not what was written.
struct DamagedOctets {
  std::string file;
  int64_t from = 0;
  int64_t to = 0;
};

struct Verification {
  int64_t segments = 0;
  int64_t frames = 0;  // good ones; also of what is trimmed and not yet removed
  int64_t sealed_frames = 0;
  int64_t records = 0;  // in good frames
  int64_t bytes = 0;    // of good frames
  std::vector<DamagedOctets> damaged = {};
  std::vector<LostRecords> lost = {};
  std::vector<std::string> damaged_indexes = {};  // lose nothing: the segments have it all
  std::vector<std::string> unreadable = {};       // segments of which nothing could be read
  // A write that was never acknowledged lies behind this octet of that file: no damage, the next
  // start cuts it off.
  struct Torn {
    std::string file;
    int64_t position = 0;
  };
  std::optional<Torn> torn = {};
  // Whether a reader can meet damage.
  bool good() const;
};

// Reads all of the journal and checks every checksum. Tells `progress`, when given, how many octets
// of how many are read.
using Progress = std::function<void(int64_t read, int64_t all)>;
Result<Verification> VerifyJournal(const std::string& folder, Disk& disk,
                                   const Progress& progress = {});

struct PartitionSummary {
  PartitionName name;
  Bounds bounds;
  int segments = 0;  // that hold records of it
  std::vector<LostRecords> accepted = {};
};
// In order of name.
Result<std::vector<PartitionSummary>> InspectJournal(const std::string& folder, Disk& disk);

struct FrameSummary {
  std::string file;
  int64_t position = 0;
  int64_t bytes = 0;
  Offset first;
  int64_t records = 0;
  Timestamp arrival;
  bool sealed = false;
  bool continued = false;  // the unit goes on in another partition
  std::string id = {};     // empty when sealed
  bool damaged = false;    // then only file, position, bytes, first and records are known
};
// The frames of a partition from the one on that holds `from` or follows it, at most `frames_max`.
// kNotFound when there is no such partition.
Result<std::vector<FrameSummary>> InspectFrames(const std::string& folder, Disk& disk,
                                                const PartitionName& partition, Offset from,
                                                int64_t frames_max);

// Gives up the damaged records from `from` to before `to`: from now on reading goes on behind them.
// Durable on return; cannot be taken back. kInvalid when one of them can be read or is not kept;
// kNotFound when there is no such partition.
Status AcceptLoss(const std::string& folder, Disk& disk, const PartitionName& partition,
                  Offset from, Offset to);

}  // namespace weft::log
