// SPDX-License-Identifier: Apache-2.0
// One batch as it lies in a segment: docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "log/record_log.h"

namespace weft::log {

constexpr int64_t kFrameHeadBytes = 56;
// What a sealed body has before and in all around the plain one.
constexpr int64_t kSealHeadBytes = 12;
constexpr int64_t kSealBytes = kSealHeadBytes + 16;

struct FrameHead {
  uint32_t bytes = 0;  // of the whole frame
  uint32_t body_crc = 0;
  uint32_t partition = 0;
  int64_t first = 0;
  int64_t arrival_us = 0;
  uint32_t records = 0;
  uint32_t position = 0;
  uint32_t group_start = 0;
  uint8_t id_bytes = 0;
  bool continued = false;  // the next frame belongs to the same unit
  bool sealed = false;     // the body is encrypted: frame_seal.h
};

enum class FrameKind { kPlain, kSealed };

// Of the frame that would hold the batch.
int64_t FrameBytes(const Batch& batch, FrameKind kind = FrameKind::kPlain);
// Of the body in a whole frame.
uint32_t BodyCrc(BytesView frame);

// A frame is made in steps, by whoever knows what: its body, not encrypted, at its place; its head
// with zeros for both checksums; then these. `frame` has room for all of it.
void PutBody(const Batch& batch, FrameKind kind, char* frame);
void PutHead(const FrameHead& head, uint64_t salt, char* frame);
void PutChecksums(char* frame, uint32_t body_crc);
void ClearChecksums(char* frame);

// The head at the start of `bytes`, or nothing when there is no good one for that place.
std::optional<FrameHead> DecodeFrameHead(BytesView bytes, uint64_t salt, int64_t position);
bool BodyIsGood(const FrameHead& head, BytesView frame);

// The batch in a whole frame with a good head, opened if it was sealed; the result's views point
// into it. False when the sizes in it do not add up.
bool ParseBatch(const FrameHead& head, BytesView frame, StoredBatch& out);

}  // namespace weft::log
