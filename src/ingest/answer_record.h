// SPDX-License-Identifier: Apache-2.0
// The answer to a request with an idempotency key, as it lies in the log. Format:
// docs/formats/answers.md.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "ingest/ingest.h"

namespace weft::ingest {

struct KeyHash {
  uint64_t high = 0, low = 0;
  friend bool operator==(const KeyHash&, const KeyHash&) = default;
};
using BodyHash = std::array<char, 32>;

// `stream` is the StreamInfo::number of the product's stream: a product made anew knows no keys of
// the one before.
KeyHash KeyHashOf(const Submission& submission, int64_t stream);
BodyHash BodyHashOf(const Submission& submission);

struct AnswerRecord {
  KeyHash key;
  BodyHash body{};
  Outcome outcome;  // but for its id, which the batch has
};

// Drops those of the outcome's errors for which there is no room.
Bytes EncodeAnswer(const KeyHash& key, const BodyHash& body, Outcome& outcome);
Result<KeyHash> DecodeAnswerKey(BytesView bytes);  // kCorrupt, kNotOffered for a newer version
Result<AnswerRecord> DecodeAnswer(BytesView bytes);

}  // namespace weft::ingest
