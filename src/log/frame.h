// SPDX-License-Identifier: Apache-2.0
// One batch as it lies in a segment: docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "log/record_log.h"

namespace weft::log {

constexpr int64_t kFrameHeadBytes = 56;

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
};

// Of the frame that would hold the batch.
int64_t FrameBytes(const Batch& batch);
uint32_t BodyCrc(const Batch& batch);

// Writes the frame to `to`, which has room for head.bytes.
void EncodeFrame(const FrameHead& head, uint64_t salt, const Batch& batch, char* to);

// The head at the start of `bytes`, or nothing when there is no good one for that place.
std::optional<FrameHead> DecodeFrameHead(BytesView bytes, uint64_t salt, int64_t position);
bool BodyIsGood(const FrameHead& head, BytesView frame);

// The batch in a whole frame with a good head; the result's views point into it. False when the
// sizes in it do not add up.
bool ParseBatch(const FrameHead& head, BytesView frame, StoredBatch& out);

}  // namespace weft::log
