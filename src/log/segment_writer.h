// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "log/journal_state.h"

namespace weft::log {

// Makes groups of frames durable at the end of the journal, and makes segments as they are needed.
// This is where a failed write or sync is kept from ever becoming a false yes, or a no that comes
// back as a yes. For the writer's thread alone.
class SegmentWriter {
 public:
  struct Options {
    std::string folder;
    int64_t segment_bytes = 0;
    // The segment that the first new one follows; 0 when there is none.
    uint64_t next_sequence = 1;
    uint64_t previous = 0;
    int64_t previous_end = 0;
  };
  SegmentWriter(Options options, Disk& disk, const Clock& clock, Random& random,
                Histogram& sync_seconds);

  // Makes sure that there is a segment with room, and returns it: the last one again, or a new one,
  // which follows the last for good. After a failure nothing was written.
  Result<std::shared_ptr<Segment>> Prepare();
  // The segment of the next group, empty when there is none at present.
  std::shared_ptr<Segment> current() const { return current_; }
  // Where the next group will lie.
  int64_t position() const { return position_; }

  // Writes the group, frames one behind the other, and makes it durable. kUnavailable: it is not
  // there and will not be after a restart; kInternal: that is open.
  Status Write(std::span<const BytesView> group);

 private:
  Status MakeSegment();
  Status TimedSync(File& file);
  void Abandon();

  Options options_;
  Disk& disk_;
  const Clock& clock_;
  Random& random_;
  Histogram& sync_seconds_;
  std::shared_ptr<Segment> current_;  // empty: the next Prepare makes one
  int64_t position_ = 0;
  int64_t written_to_ = 0;   // zeros lie between the position and this
  int64_t reserved_to_ = 0;  // the file system has space for what is before this
};

}  // namespace weft::log
