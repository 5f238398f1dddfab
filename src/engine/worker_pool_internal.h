// SPDX-License-Identifier: Apache-2.0
// The worker processes: started with the first statement, kept, and replaced when they die.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/duckdb_engine.h"
#include "engine/worker_messages_internal.h"

namespace weft::engine {

// What a worker already has of the things that statements share, by number. One thread at a time.
class SentThings {
 public:
  // The thing's number, and whether it is new.
  std::pair<int64_t, bool> Number(const std::shared_ptr<const void>& thing);
  // Numbers of things that are no more; the worker may drop them.
  std::vector<int64_t> Forgotten();

 private:
  std::map<std::weak_ptr<const void>, int64_t, std::owner_less<>> numbers_;
  int64_t last_ = 0;
};

struct WorkerProcess {
  pid_t process = 0;
  std::unique_ptr<Socket> socket;
  SentThings sent;

  ~WorkerProcess();  // kills it
  // Tells the worker what is no more, that it gives the memory back. kUnavailable when it is gone.
  Status Forget();
  // "status 1", "signal 11", or "still running": for the log.
  std::string HowItEnded() const;
};

class WorkerPool {
 public:
  explicit WorkerPool(const DuckDbOptions& options) : options_(options) {}
  ~WorkerPool() { Stop(); }

  // Waits for a free place until the deadline (of Clock::Elapsed): kUnavailable past it, when too
  // many wait, and once the pool stops.
  Result<std::unique_ptr<WorkerProcess>> Take(const Clock& clock, microseconds deadline);
  // Gives the place back. A worker that is not `healthy` is killed; nullptr: it never started.
  void Give(std::unique_ptr<WorkerProcess> worker, bool healthy);
  void Stop();
  bool stopping();

 private:
  Result<std::unique_ptr<WorkerProcess>> Start();
  // While workers wait, they are told now and then what is no more: else they would keep delivered
  // records in memory until their next statement, and that one would wait for their end.
  void ForgetNowAndThen();

  const DuckDbOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int busy_ = 0;
  int waiting_ = 0;
  bool stopping_ = false;
  std::vector<std::unique_ptr<WorkerProcess>> idle_;
  std::set<pid_t> running_;
  std::thread forgetter_;
};

}  // namespace weft::engine
