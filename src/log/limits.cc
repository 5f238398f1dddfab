// SPDX-License-Identifier: Apache-2.0
#include "log/limits.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::log {
namespace {

int64_t BytesOf(const Batch& batch) {
  int64_t bytes = 0;
  for (const Record& record : batch.records) {
    bytes += static_cast<int64_t>(record.key.size() + record.value.size() + 8);
  }
  return bytes;
}

}  // namespace

Status CheckPartitionName(const PartitionName& partition) {
  const std::string& text = partition.text();
  if (text.empty() || text.size() > kPartitionNameBytesMax) {
    return Fail(Code::kInvalid,
                fmt::format("a partition's name has 1 to {} characters, this one {}",
                            kPartitionNameBytesMax, text.size()));
  }
  for (char c : text) {
    bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                c == '-' || c == '_' || c == '.' || c == '/';
    if (!good) {
      return Fail(Code::kInvalid, "a partition's name is made of A-Z a-z 0-9 - _ . and /");
    }
  }
  return {};
}

Status CheckBatch(const Batch& batch) {
  if (batch.records.empty()) return Fail(Code::kInvalid, "the batch is empty");
  if (batch.id.size() > kBatchIdBytesMax) {
    return Fail(Code::kInvalid, fmt::format("a batch's id has at most {} octets, this one {}",
                                            kBatchIdBytesMax, batch.id.size()));
  }
  for (const Record& record : batch.records) {
    if (record.key.size() > kKeyBytesMax) {
      return Fail(Code::kInvalid, fmt::format("a record's key has at most {} octets, this one {}",
                                              kKeyBytesMax, record.key.size()));
    }
    if (record.value.size() > kValueBytesMax) {
      return Fail(Code::kInvalid, fmt::format("a record has at most {} octets, this one {}",
                                              kValueBytesMax, record.value.size()));
    }
  }
  const int64_t bytes = BytesOf(batch);
  if (bytes > kBatchBytesMax) {
    return Fail(Code::kInvalid,
                fmt::format("a batch has at most {} octets, this one {}", kBatchBytesMax, bytes));
  }
  return {};
}

Status CheckUnit(const std::vector<Part>& unit) {
  if (unit.size() == 1) return CheckBatch(unit.front().batch);
  if (unit.empty()) return Fail(Code::kInvalid, "nothing is to be appended");
  if (unit.size() > kUnitPartsMax) {
    return Fail(Code::kInvalid, fmt::format("a unit goes to at most {} partitions, this one to {}",
                                            kUnitPartsMax, unit.size()));
  }
  int64_t bytes = 0;
  std::vector<const PartitionName*> names;
  for (const Part& part : unit) {
    TRY(CheckBatch(part.batch));
    bytes += BytesOf(part.batch);
    names.push_back(&part.partition);
  }
  if (bytes > kUnitBytesMax) {
    return Fail(Code::kInvalid,
                fmt::format("a unit has at most {} octets, this one {}", kUnitBytesMax, bytes));
  }
  std::sort(names.begin(), names.end(), [](const auto* a, const auto* b) { return *a < *b; });
  auto twice = std::adjacent_find(names.begin(), names.end(),
                                  [](const auto* a, const auto* b) { return *a == *b; });
  if (twice != names.end()) {
    return Fail(Code::kInvalid,
                fmt::format("a unit has partition {} more than once", (*twice)->text()));
  }
  return {};
}

Error NoSuchPartition(const PartitionName& partition) {
  return Error(Code::kNotFound, fmt::format("no such partition: {}", partition.text()));
}

Status CheckReadFrom(const PartitionName& partition, Offset from, Bounds bounds) {
  if (from < bounds.begin) {
    return Fail(Code::kNotFound, fmt::format("offset {} of {} is no longer kept: the first is {}",
                                             from.value, partition.text(), bounds.begin.value));
  }
  if (from > bounds.end) {
    return Fail(Code::kInvalid, fmt::format("offset {} of {} lies past the end, {}", from.value,
                                            partition.text(), bounds.end.value));
  }
  return {};
}

}  // namespace weft::log
