// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "log/record_log.h"

namespace weft::log {

enum class LogCall {
  kCreatePartition,
  kDeletePartition,
  kPartitions,
  kAppend,
  kRead,
  kBoundsOf,
  kOffsetWithin,
  kOnPast,
  kTrim
};

// Passes every call on to another log, but for those that it was told to fail. Safe from any
// thread.
class FailingLog final : public RecordLog {
 public:
  explicit FailingLog(RecordLog& inner) : inner_(inner) {}

  // The n-th call of that function from now on (1: the next) fails with `error`, without reaching
  // the log; once, or ever after.
  enum class Then { kRecover, kKeepFailing };
  void FailCall(LogCall call, int n, Error error, Then then = Then::kRecover);
  int Calls(LogCall call) const;  // so far

  Status CreatePartition(const PartitionName& partition) override;
  Status DeletePartition(const PartitionName& partition) override;
  Result<std::vector<PartitionName>> Partitions() override;
  using RecordLog::Append;
  void Append(std::vector<Part> unit, OnUnitDurable done) override;
  Result<std::vector<StoredBatch>> Read(const PartitionName& partition, Offset from,
                                        ReadLimits limits) override;
  Result<Bounds> BoundsOf(const PartitionName& partition) override;
  Result<Offset> OffsetWithin(const PartitionName& partition, int64_t bytes_max) override;
  Result<Watch> OnPast(const PartitionName& partition, Offset from,
                       std::function<void()> wake) override;
  Status Trim(const PartitionName& partition, Offset before) override;
  void Stop() override { inner_.Stop(); }

 private:
  struct Plan {
    int at = 0;
    Error error;
    Then then;
  };
  Status Check(LogCall call);

  RecordLog& inner_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<LogCall, int> calls_;
  std::map<LogCall, Plan> plans_;
};

}  // namespace weft::log
