// SPDX-License-Identifier: Apache-2.0
#include "log/record_log.h"

#include <condition_variable>
#include <mutex>

namespace weft::log {

void RecordLog::Append(const PartitionName& partition, Batch batch, OnDurable done) {
  std::vector<Part> unit;
  unit.push_back({.partition = partition, .batch = std::move(batch)});
  Append(std::move(unit), [done = std::move(done)](Result<std::vector<Appended>> appended) {
    if (!appended.ok()) return done(Fail(appended.error()));
    done(appended->front());
  });
}

Result<Bounds> RecordLog::WaitPast(const PartitionName& partition, Offset from,
                                   milliseconds wait_max) {
  // Shared with a call of `wake` that may outlast the handle.
  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    bool woken = false;
  };
  auto waiting = std::make_shared<Waiting>();
  const Watch watch = TRY(OnPast(partition, from, [waiting] {
    std::lock_guard lock(waiting->mutex);
    waiting->woken = true;
    waiting->changed.notify_all();
  }));
  {
    std::unique_lock lock(waiting->mutex);
    waiting->changed.wait_for(lock, wait_max, [&] { return waiting->woken; });
  }
  return BoundsOf(partition);
}

}  // namespace weft::log
