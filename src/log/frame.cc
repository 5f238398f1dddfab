// SPDX-License-Identifier: Apache-2.0
#include "log/frame.h"

#include <cstring>

#include "codec/hash.h"
#include "log/wire.h"

namespace weft::log {
namespace {

constexpr size_t kSizesBytes = 8;  // of a record's key and value
constexpr uint8_t kContinued = 1, kSealed = 2;

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

int64_t FrameBytes(const Batch& batch, FrameKind kind) {
  size_t bytes = static_cast<size_t>(kFrameHeadBytes) + batch.id.size();
  for (const Record& record : batch.records) {
    bytes += kSizesBytes + record.key.size() + record.value.size();
  }
  return static_cast<int64_t>(bytes) + (kind == FrameKind::kSealed ? kSealBytes : 0);
}

uint32_t BodyCrc(BytesView frame) { return codec::Crc32c(frame.substr(kFrameHeadBytes)); }

void PutBody(const Batch& batch, FrameKind kind, char* frame) {
  char* at = frame + kFrameHeadBytes + (kind == FrameKind::kSealed ? kSealHeadBytes : 0);
  at = PutBytes(at, batch.id);
  for (const Record& record : batch.records) {
    PutNumber<uint64_t>(at, PackSizes(record));
    at += kSizesBytes;
  }
  for (const Record& record : batch.records) at = PutBytes(PutBytes(at, record.key), record.value);
}

void PutHead(const FrameHead& head, uint64_t salt, char* frame) {
  PutNumber<uint64_t>(frame, salt);
  ClearChecksums(frame);
  PutNumber<uint32_t>(frame + 12, head.bytes);
  PutNumber<uint32_t>(frame + 20, head.partition);
  PutNumber<int64_t>(frame + 24, head.first);
  PutNumber<int64_t>(frame + 32, head.arrival_us);
  PutNumber<uint32_t>(frame + 40, head.records);
  PutNumber<uint32_t>(frame + 44, head.position);
  PutNumber<uint32_t>(frame + 48, head.group_start);
  PutNumber<uint8_t>(frame + 52, head.id_bytes);
  const int flags = (head.continued ? kContinued : 0) | (head.sealed ? kSealed : 0);
  PutNumber<uint8_t>(frame + 53, static_cast<uint8_t>(flags));
  PutNumber<uint16_t>(frame + 54, 0);
}

void PutChecksums(char* frame, uint32_t body_crc) {
  PutNumber<uint32_t>(frame + 16, body_crc);
  PutNumber<uint32_t>(frame + 8, HeadCrc(frame));
}

void ClearChecksums(char* frame) {
  PutNumber<uint32_t>(frame + 8, 0);
  PutNumber<uint32_t>(frame + 16, 0);
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
  const auto flags = GetNumber<uint8_t>(from + 53);
  head.continued = (flags & kContinued) != 0;
  head.sealed = (flags & kSealed) != 0;
  bool plausible = head.position == position && head.bytes >= kFrameHeadBytes && head.records > 0 &&
                   head.first >= 0 && head.group_start <= head.position &&
                   (flags & ~(kContinued | kSealed)) == 0 &&
                   (!head.sealed || head.bytes >= kFrameHeadBytes + kSealBytes);
  if (!plausible) return std::nullopt;
  return head;
}

bool BodyIsGood(const FrameHead& head, BytesView frame) {
  return frame.size() == head.bytes && BodyCrc(frame) == head.body_crc;
}

bool ParseBatch(const FrameHead& head, BytesView frame, StoredBatch& out) {
  BytesView body = frame.substr(kFrameHeadBytes);
  if (head.sealed) body = body.substr(kSealHeadBytes, body.size() - kSealBytes);
  Cursor cursor(body);
  out.first = {head.first};
  out.arrival = Timestamp(microseconds(head.arrival_us));
  out.id = std::string(cursor.TakeBytes(head.id_bytes));
  out.sealed = head.sealed;
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
