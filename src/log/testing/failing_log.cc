// SPDX-License-Identifier: Apache-2.0
#include "log/testing/failing_log.h"

namespace weft::log {

void FailingLog::FailCall(LogCall call, int n, Error error, Then then) {
  std::lock_guard lock(mutex_);
  plans_.insert_or_assign(call,
                          Plan{.at = calls_[call] + n, .error = std::move(error), .then = then});
}

int FailingLog::Calls(LogCall call) const {
  std::lock_guard lock(mutex_);
  auto counted = calls_.find(call);
  return counted == calls_.end() ? 0 : counted->second;
}

Status FailingLog::Check(LogCall call) {
  std::lock_guard lock(mutex_);
  const int number = ++calls_[call];
  auto plan = plans_.find(call);
  if (plan == plans_.end() || number < plan->second.at) return {};
  if (number > plan->second.at && plan->second.then == Then::kRecover) return {};
  return Fail(plan->second.error);
}

Status FailingLog::CreatePartition(const PartitionName& partition) {
  TRY(Check(LogCall::kCreatePartition));
  return inner_.CreatePartition(partition);
}

Status FailingLog::DeletePartition(const PartitionName& partition) {
  TRY(Check(LogCall::kDeletePartition));
  return inner_.DeletePartition(partition);
}

Result<std::vector<PartitionName>> FailingLog::Partitions() {
  TRY(Check(LogCall::kPartitions));
  return inner_.Partitions();
}

void FailingLog::Append(std::vector<Part> unit, OnUnitDurable done) {
  Status checked = Check(LogCall::kAppend);
  if (!checked.ok()) return done(Fail(checked.error()));
  inner_.Append(std::move(unit), std::move(done));
}

Result<std::vector<StoredBatch>> FailingLog::Read(const PartitionName& partition, Offset from,
                                                  ReadLimits limits) {
  TRY(Check(LogCall::kRead));
  return inner_.Read(partition, from, limits);
}

Result<Bounds> FailingLog::BoundsOf(const PartitionName& partition) {
  TRY(Check(LogCall::kBoundsOf));
  return inner_.BoundsOf(partition);
}

Result<Offset> FailingLog::OffsetWithin(const PartitionName& partition, int64_t bytes_max) {
  TRY(Check(LogCall::kOffsetWithin));
  return inner_.OffsetWithin(partition, bytes_max);
}

Result<RecordLog::Watch> FailingLog::OnPast(const PartitionName& partition, Offset from,
                                            std::function<void()> wake) {
  TRY(Check(LogCall::kOnPast));
  return inner_.OnPast(partition, from, std::move(wake));
}

Status FailingLog::Trim(const PartitionName& partition, Offset before) {
  TRY(Check(LogCall::kTrim));
  return inner_.Trim(partition, before);
}

}  // namespace weft::log
