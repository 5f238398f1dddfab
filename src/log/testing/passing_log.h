// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "log/record_log.h"

namespace weft::log {

// Passes every call on to another log: for tests that look at one call on its way, or change it.
class PassingLog : public RecordLog {
 public:
  explicit PassingLog(RecordLog& inner) : inner_(inner) {}
  Status CreatePartition(const PartitionName& partition) override {
    return inner_.CreatePartition(partition);
  }
  Status DeletePartition(const PartitionName& partition) override {
    return inner_.DeletePartition(partition);
  }
  Result<std::vector<PartitionName>> Partitions() override { return inner_.Partitions(); }
  using RecordLog::Append;
  void Append(std::vector<Part> unit, OnUnitDurable done) override {
    inner_.Append(std::move(unit), std::move(done));
  }
  Result<std::vector<StoredBatch>> Read(const PartitionName& partition, Offset from,
                                        ReadLimits limits) override {
    return inner_.Read(partition, from, limits);
  }
  Result<Bounds> BoundsOf(const PartitionName& partition) override {
    return inner_.BoundsOf(partition);
  }
  Result<Offset> OffsetWithin(const PartitionName& partition, int64_t bytes_max) override {
    return inner_.OffsetWithin(partition, bytes_max);
  }
  Result<Watch> OnPast(const PartitionName& partition, Offset from,
                       std::function<void()> wake) override {
    return inner_.OnPast(partition, from, std::move(wake));
  }
  Status Trim(const PartitionName& partition, Offset before) override {
    return inner_.Trim(partition, before);
  }
  void Stop() override { inner_.Stop(); }

 protected:
  RecordLog& inner_;
};

}  // namespace weft::log
