// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/disk.h"
#include "log/journal_state.h"
#include "log/partition_table.h"

namespace weft::log {

// The journal's side files: the partition table, the indexes of complete segments, and the removal
// of segments in which nothing is kept. Safe from any thread; `mutex` guards `state`.
class Housekeeping {
 public:
  Housekeeping(std::string folder, Disk& disk, std::mutex& mutex, JournalState& state);

  // Fine when it is there already. Durable on return.
  Status CreatePartition(const PartitionName& name);
  Status DeletePartition(const PartitionName& name);
  // Writes what indexes are missing and removes what segments are free; tries again another time
  // what fails.
  void Tidy();
  Status WriteTable();

 private:
  Status WriteIndex(const std::shared_ptr<Segment>& segment);
  Status RemoveSegments(const std::vector<std::shared_ptr<Segment>>& segments);
  Status Store(const PartitionTable& table);

  const std::string folder_;
  Disk& disk_;
  std::mutex& state_mutex_;
  JournalState& state_;
  // Held by whoever replaces the table, from looking at the state until the file is durable; taken
  // before the state's mutex.
  std::mutex table_mutex_;
};

}  // namespace weft::log
