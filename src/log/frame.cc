// SPDX-License-Identifier: Apache-2.0
#include "log/frame.h"

#include <cstring>

#include "codec/hash.h"
#include "log/wire.h"

namespace weft::log {
namespace {

constexpr size_t kSizesBytes = 8;  // of a record's key and value

uint64_t PackSizes(const Record& record) {
  return static_cast<uint64_t>(record.key.size()) | static_cast<uint64_t>(record.value.size())
                                                        << 32;
}

uint32_t HeadCrc(const char* head) {
  uint32_t crc = codec::Crc32c({head, 8});
  return codec::Crc32c({head + 12, static_cast<size_t>(kFrameHeadBytes) - 12}, crc);
}

char* PutBytes(char* to, BytesView bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace

int64_t FrameBytes(const Batch& batch) {
  size_t bytes = static_cast<size_t>(kFrameHeadBytes) + batch.id.size();
  for (const Record& record : batch.records) {
    bytes += kSizesBytes + record.key.size() + record.value.size();
  }
  return static_cast<int64_t>(bytes);
}

uint32_t BodyCrc(const Batch& batch) {
  uint32_t crc = codec::Crc32c(batch.id);
  for (const Record& record : batch.records) {
    uint64_t sizes = PackSizes(record);
    crc = codec::Crc32c({reinterpret_cast<const char*>(&sizes), sizeof sizes}, crc);
  }
  for (const Record& record : batch.records) {
    crc = codec::Crc32c(record.value, codec::Crc32c(record.key, crc));
  }
  return crc;
}

void EncodeFrame(const FrameHead& head, uint64_t salt, const Batch& batch, char* to) {
  PutNumber<uint64_t>(to, salt);
  PutNumber<uint32_t>(to + 12, head.bytes);
  PutNumber<uint32_t>(to + 16, head.body_crc);
  PutNumber<uint32_t>(to + 20, head.partition);
  PutNumber<int64_t>(to + 24, head.first);
  PutNumber<int64_t>(to + 32, head.arrival_us);
  PutNumber<uint32_t>(to + 40, head.records);
  PutNumber<uint32_t>(to + 44, head.position);
  PutNumber<uint32_t>(to + 48, head.group_start);
  PutNumber<uint32_t>(to + 52, head.id_bytes);
  PutNumber<uint32_t>(to + 8, HeadCrc(to));
  char* at = PutBytes(to + kFrameHeadBytes, batch.id);
  for (const Record& record : batch.records) {
    PutNumber<uint64_t>(at, PackSizes(record));
    at += kSizesBytes;
  }
  for (const Record& record : batch.records) at = PutBytes(PutBytes(at, record.key), record.value);
}

std::optional<FrameHead> DecodeFrameHead(BytesView bytes, uint64_t salt, int64_t position) {
  if (bytes.size() < static_cast<size_t>(kFrameHeadBytes)) return std::nullopt;
  const char* from = bytes.data();
  if (GetNumber<uint64_t>(from) != salt || GetNumber<uint32_t>(from + 8) != HeadCrc(from)) {
    return std::nullopt;
  }
  FrameHead head{.bytes = GetNumber<uint32_t>(from + 12),
                 .body_crc = GetNumber<uint32_t>(from + 16),
                 .partition = GetNumber<uint32_t>(from + 20),
                 .first = GetNumber<int64_t>(from + 24),
                 .arrival_us = GetNumber<int64_t>(from + 32),
                 .records = GetNumber<uint32_t>(from + 40),
                 .position = GetNumber<uint32_t>(from + 44),
                 .group_start = GetNumber<uint32_t>(from + 48),
                 .id_bytes = GetNumber<uint8_t>(from + 52)};
  bool plausible = head.position == position && head.bytes >= kFrameHeadBytes && head.records > 0 &&
                   head.first >= 0 && head.group_start <= head.position;
  if (!plausible) return std::nullopt;
  return head;
}

bool BodyIsGood(const FrameHead& head, BytesView frame) {
  return frame.size() == head.bytes &&
         codec::Crc32c(frame.substr(kFrameHeadBytes)) == head.body_crc;
}

bool ParseBatch(const FrameHead& head, BytesView frame, StoredBatch& out) {
  Cursor cursor(frame.substr(kFrameHeadBytes));
  out.first = {head.first};
  out.arrival = Timestamp(microseconds(head.arrival_us));
  out.id = std::string(cursor.TakeBytes(head.id_bytes));
  if (head.records > cursor.rest().size() / kSizesBytes) return false;
  Cursor sizes(cursor.TakeBytes(head.records * kSizesBytes));
  out.records.clear();
  out.records.reserve(head.records);
  for (uint32_t i = 0; i < head.records; ++i) {
    auto key_bytes = sizes.Take<uint32_t>();
    auto value_bytes = sizes.Take<uint32_t>();
    BytesView key = cursor.TakeBytes(key_bytes);
    out.records.push_back({.key = key, .value = cursor.TakeBytes(value_bytes)});
  }
  return cursor.ok() && cursor.rest().empty();
}

}  // namespace weft::log
