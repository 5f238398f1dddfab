// SPDX-License-Identifier: Apache-2.0
#include "log/partition_table.h"

#include <algorithm>
#include <tuple>

#include "codec/hash.h"
#include "log/wire.h"

namespace weft::log {
namespace {
constexpr std::string_view kMagic = "WEFTTAB1";
constexpr uint32_t kVersion = 2;
constexpr size_t kCrcBytes = 4;
}  // namespace

void AddLoss(PartitionTable& table, PartitionTable::Loss loss) {
  auto& losses = table.losses;
  std::erase_if(losses, [&](const PartitionTable::Loss& other) {
    if (other.partition != loss.partition || other.to < loss.from || other.from > loss.to) {
      return false;
    }
    loss.from = std::min(loss.from, other.from);
    loss.to = std::max(loss.to, other.to);
    return true;
  });
  auto behind = std::find_if(losses.begin(), losses.end(), [&](const auto& other) {
    return std::tie(other.partition, other.from) > std::tie(loss.partition, loss.from);
  });
  losses.insert(behind, loss);
}

Bytes EncodePartitionTable(const PartitionTable& table) {
  Bytes out(kMagic);
  AppendNumber<uint32_t>(out, kVersion);
  AppendNumber<uint32_t>(out, table.next_number);
  AppendNumber<uint32_t>(out, static_cast<uint32_t>(table.partitions.size()));
  for (const auto& partition : table.partitions) {
    AppendNumber<uint32_t>(out, partition.number);
    AppendNumber<uint16_t>(out, static_cast<uint16_t>(partition.name.size()));
    out += partition.name;
    AppendNumber<int64_t>(out, partition.begin);
    AppendNumber<int64_t>(out, partition.end);
    AppendNumber<int64_t>(out, partition.arrival_us);
  }
  AppendNumber<uint32_t>(out, static_cast<uint32_t>(table.segments.size()));
  for (const auto& segment : table.segments) {
    AppendNumber<uint64_t>(out, segment.sequence);
    AppendNumber<int64_t>(out, segment.end);
  }
  AppendNumber<uint64_t>(out, table.next_sequence);
  AppendNumber<uint32_t>(out, static_cast<uint32_t>(table.losses.size()));
  for (const auto& loss : table.losses) {
    AppendNumber<uint32_t>(out, loss.partition);
    AppendNumber<int64_t>(out, loss.from);
    AppendNumber<int64_t>(out, loss.to);
  }
  AppendNumber<uint32_t>(out, codec::Crc32c(out));
  return out;
}

Result<PartitionTable> DecodePartitionTable(BytesView bytes) {
  auto damaged = [] { return Fail(Code::kCorrupt, "the partition table is damaged"); };
  if (bytes.size() < kMagic.size() + 16 || !bytes.starts_with(kMagic)) return damaged();
  BytesView checked = bytes.substr(0, bytes.size() - kCrcBytes);
  bool good = GetNumber<uint32_t>(bytes.data() + checked.size()) == codec::Crc32c(checked);
  Cursor cursor(checked.substr(kMagic.size()));
  auto version = cursor.Take<uint32_t>();
  if (good && version > kVersion) {
    return Fail(Code::kNotOffered,
                fmt::format("a newer Weft wrote this journal: format version {}, known is {}",
                            version, kVersion));
  }
  if (!good || version == 0) return damaged();
  PartitionTable table;
  table.next_number = cursor.Take<uint32_t>();
  for (auto count = cursor.Take<uint32_t>(); count > 0 && cursor.ok(); --count) {
    PartitionTable::Partition partition;
    partition.number = cursor.Take<uint32_t>();
    auto name_bytes = cursor.Take<uint16_t>();
    partition.name = std::string(cursor.TakeBytes(name_bytes));
    partition.begin = cursor.Take<int64_t>();
    partition.end = cursor.Take<int64_t>();
    partition.arrival_us = cursor.Take<int64_t>();
    table.partitions.push_back(std::move(partition));
  }
  for (auto count = cursor.Take<uint32_t>(); count > 0 && cursor.ok(); --count) {
    auto sequence = cursor.Take<uint64_t>();
    table.segments.push_back({.sequence = sequence, .end = cursor.Take<int64_t>()});
  }
  if (version > 1) {
    table.next_sequence = cursor.Take<uint64_t>();
    for (auto count = cursor.Take<uint32_t>(); count > 0 && cursor.ok(); --count) {
      PartitionTable::Loss loss;
      loss.partition = cursor.Take<uint32_t>();
      loss.from = cursor.Take<int64_t>();
      loss.to = cursor.Take<int64_t>();
      table.losses.push_back(loss);
    }
  }
  if (!cursor.ok() || !cursor.rest().empty()) return damaged();
  return table;
}

}  // namespace weft::log
