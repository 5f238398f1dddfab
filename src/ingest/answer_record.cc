// SPDX-License-Identifier: Apache-2.0
#include "ingest/answer_record.h"

#include <algorithm>

#include "codec/hash.h"
#include "ingest/field_bytes.h"

namespace weft::ingest {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kErrorBytesMax = size_t{4} << 20;

Result<KeyHash> ReadKey(FieldReader& reader) {
  const auto version = TRY(reader.Number<uint8_t>());
  if (version == 0) return Fail(Code::kCorrupt, "an answer without a version");
  if (version > kVersion) {
    return Fail(Code::kNotOffered,
                fmt::format("an answer of version {}: a newer Weft wrote it", version));
  }
  KeyHash key;
  key.high = TRY(reader.Number<uint64_t>());
  key.low = TRY(reader.Number<uint64_t>());
  return key;
}

FieldReader ReaderOf(BytesView bytes) { return {bytes, "the answer to a request"}; }

}  // namespace

KeyHash KeyHashOf(const Submission& submission, int64_t stream) {
  Bytes text = submission.intake->product.text();
  text += '\0';
  text += std::to_string(stream);
  text += '\0';
  text += submission.idempotency_key;
  const Bytes hash = codec::Sha256(text);
  KeyHash key;
  FieldReader reader(hash, "a hash");
  key.high = *reader.Number<uint64_t>();
  key.low = *reader.Number<uint64_t>();
  return key;
}

BodyHash BodyHashOf(const Submission& submission) {
  // The records' own hash first: they are not copied.
  Bytes text(1, static_cast<char>(submission.format));
  text += submission.object;
  text += '\0';
  text += codec::Sha256(submission.records);
  const Bytes hash = codec::Sha256(text);
  BodyHash body{};
  std::copy_n(hash.begin(), body.size(), body.begin());
  return body;
}

Bytes EncodeAnswer(const KeyHash& key, const BodyHash& body, Outcome& outcome) {
  Bytes listed;
  size_t count = 0;
  for (const RecordError& error : outcome.errors) {
    if (listed.size() + error.field.size() + error.reason.size() + 16 > kErrorBytesMax) break;
    PutNumber(listed, error.index);
    PutText(listed, error.field);
    PutText(listed, error.reason);
    ++count;
  }
  outcome.errors.resize(count);
  Bytes out;
  out.reserve(80 + listed.size());
  PutNumber(out, kVersion);
  PutNumber(out, key.high);
  PutNumber(out, key.low);
  out.append(body.data(), body.size());
  PutNumber(out, outcome.accepted);
  PutNumber(out, outcome.quarantined);
  PutNumber(out, outcome.errors_total);
  PutNumber(out, static_cast<uint32_t>(count));
  out += listed;
  return out;
}

Result<KeyHash> DecodeAnswerKey(BytesView bytes) {
  FieldReader reader = ReaderOf(bytes);
  return ReadKey(reader);
}

Result<AnswerRecord> DecodeAnswer(BytesView bytes) {
  FieldReader reader = ReaderOf(bytes);
  AnswerRecord answer;
  answer.key = TRY(ReadKey(reader));
  const BytesView body = TRY(reader.Take(answer.body.size()));
  std::copy_n(body.begin(), answer.body.size(), answer.body.begin());
  Outcome& outcome = answer.outcome;
  outcome.accepted = TRY(reader.Number<int64_t>());
  outcome.quarantined = TRY(reader.Number<int64_t>());
  outcome.errors_total = TRY(reader.Number<int64_t>());
  const auto count = TRY(reader.Number<uint32_t>());
  for (uint32_t i = 0; i < count; ++i) {
    RecordError error;
    error.index = TRY(reader.Number<int64_t>());
    error.field = TRY(reader.Text());
    error.reason = TRY(reader.Text());
    outcome.errors.push_back(std::move(error));
  }
  return answer;
}

}  // namespace weft::ingest
