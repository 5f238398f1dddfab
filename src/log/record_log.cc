// SPDX-License-Identifier: Apache-2.0
#include "log/record_log.h"

#include "base/signal.h"

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
  auto past = std::make_shared<Signal>();
  const Watch watch = TRY(OnPast(partition, from, [past] { past->Set(); }));
  past->WaitFor(wait_max);
  return BoundsOf(partition);
}

}  // namespace weft::log
