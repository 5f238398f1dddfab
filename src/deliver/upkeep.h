// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "deliver/delivery.h"
#include "deliver/epoch.h"

namespace weft::deliver {

// Which of a table's files should become fewer: those of one partition and spec. A file is
// rewritten only together with as many bytes again, so that each row is copied a logarithmic number
// of times. Empty: nothing to do.
std::vector<iceberg::DataFile> ChooseMerge(const std::vector<iceberg::DataFile>& files,
                                           const UpkeepSettings& settings);

// What upkeep remembers of one table between its rounds. Under the table's lock.
struct UpkeepMemory {
  struct Doomed {
    microseconds due;  // Clock::Elapsed
    std::string location;
  };
  std::deque<Doomed> doomed;  // unreachable since a commit of ours; queries may still read them
  std::optional<microseconds> orphans_sought;
};

struct UpkeepCounters {
  Counter& merged_files;
  Counter& expired_objects;
  Counter& orphans;
};

// One round of a table; the caller has its lock. All parts are tried; the first failure is
// returned.
Status KeepTable(const UpkeepSettings& settings, const Delivery::Dependencies& on,
                 const UpkeepCounters& counters, int64_t table_id, bool orphans_now,
                 UpkeepMemory& memory);

}  // namespace weft::deliver
