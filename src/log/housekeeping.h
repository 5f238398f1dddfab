// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/disk.h"
#include "log/journal_state.h"
#include "log/partition_table.h"

namespace weft::log {

// The journal's side files: the partition table, the indexes of complete segments, and the removal
// of segments in which nothing is kept, or of the parts of them. But for the table these are its
// own thread's work. Safe from any
// thread; `mutex` guards `state`.
class Housekeeping {
 public:
  Housekeeping(std::string folder, Disk& disk, std::mutex& mutex, JournalState& state);
  ~Housekeeping() { Stop(); }

  // Fine when it is there already. Durable on return.
  Status CreatePartition(const PartitionName& name);
  Status DeletePartition(const PartitionName& name);
  // There is something to do: a segment is complete or free.
  void Wake();
  // Does what is left to do, and notes what was trimmed.
  void Stop();

 private:
  void KeepTidy();
  // Writes what indexes are missing, removes what segments are free and frees the space in those of
  // which little is kept; tries again another time what fails.
  void Tidy();
  std::vector<std::shared_ptr<Segment>> Complete(bool (*which)(const Segment&));
  Status WriteTable();
  Status WriteIndex(const std::shared_ptr<Segment>& segment);
  // Frees what lies between the batches that are still kept.
  Status FreeSpace(const std::shared_ptr<Segment>& segment);
  Status RemoveSegments(const std::vector<std::shared_ptr<Segment>>& segments);
  Status Store(const PartitionTable& table);

  const std::string folder_;
  Disk& disk_;
  std::mutex& state_mutex_;
  JournalState& state_;
  // Held by whoever replaces the table, from looking at the state until the file is durable; taken
  // before the state's mutex.
  std::mutex table_mutex_;
  std::mutex wake_mutex_;  // guards what follows
  std::condition_variable wake_;
  bool untidy_ = true;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace weft::log
