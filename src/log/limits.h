// SPDX-License-Identifier: Apache-2.0
// What every back end of the record log takes and refuses.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "log/record_log.h"

namespace weft::log {

constexpr size_t kPartitionNameBytesMax = 200;
constexpr size_t kBatchIdBytesMax = 255;
constexpr size_t kKeyBytesMax = size_t{64} << 10;
constexpr size_t kValueBytesMax = size_t{10} << 20;
constexpr int64_t kBatchBytesMax = int64_t{128} << 20;  // keys, values and 8 octets a record
constexpr int64_t kUnitBytesMax = kBatchBytesMax;       // of all batches together
constexpr size_t kUnitPartsMax = 1000;

Status CheckPartitionName(const PartitionName& partition);
Status CheckBatch(const Batch& batch);
// Its batches, what they come to together, and that no partition is named twice.
Status CheckUnit(const std::vector<Part>& unit);

Error NoSuchPartition(const PartitionName& partition);
// Where `from` may lie: kNotFound before the begin, kInvalid past the end.
Status CheckReadFrom(const PartitionName& partition, Offset from, Bounds bounds);

}  // namespace weft::log
