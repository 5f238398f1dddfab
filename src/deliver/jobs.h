// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "deliver/delivery.h"
#include "deliver/upkeep.h"

namespace weft::deliver {

// What delivery knows of one table while the process lives.
struct Job {
  // The one lock of the table: held from loading its version to the commit.
  std::mutex table;
  UpkeepMemory upkeep;  // under `table`

  std::mutex mutex;  // of what follows
  bool busy = false;
  int failures = 0;
  microseconds not_before{0};  // Clock::Elapsed
  Timestamp last_commit;
  std::string last_error;

  // Of the thread that schedules, alone.
  std::string followed;  // the metadata that the tail was last told of
  catalog::Positions waited_at;
  std::optional<Timestamp> waiting_since;  // arrival of the first record behind `waited_at`
};

// The jobs of all tables; one is made when it is first asked for. Table ids are never used again.
class Jobs {
 public:
  Job& Of(int64_t table_id) {
    std::lock_guard lock(mutex_);
    std::unique_ptr<Job>& job = jobs_[table_id];
    if (job == nullptr) job = std::make_unique<Job>();
    return *job;
  }

 private:
  std::mutex mutex_;
  std::map<int64_t, std::unique_ptr<Job>> jobs_;
};

}  // namespace weft::deliver
