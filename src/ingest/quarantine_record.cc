// SPDX-License-Identifier: Apache-2.0
#include "ingest/quarantine_record.h"

#include <algorithm>
#include <cstdint>

#include "ingest/field_bytes.h"

namespace weft::ingest {
namespace {

constexpr char kVersion = 1;
constexpr size_t kErrorBytesMax = size_t{128} << 10;
constexpr size_t kReasonBytesMax = 4096;

FieldReader ReaderOf(BytesView bytes) { return {bytes, "a quarantined record"}; }

Result<std::vector<RecordError>> ReadErrors(FieldReader& reader) {
  std::vector<RecordError> errors;
  const auto count = TRY(reader.Number<uint32_t>());
  for (uint32_t i = 0; i < count; ++i) {
    RecordError error;
    error.index = TRY(reader.Number<int64_t>());
    error.field = TRY(reader.Text());
    error.reason = TRY(reader.Text());
    errors.push_back(std::move(error));
  }
  return errors;
}

}  // namespace

Bytes EncodeErrors(const RecordError* errors, size_t error_count) {
  Bytes listed;
  uint32_t count = 0;
  for (size_t i = 0; i < error_count; ++i) {
    const auto& error = errors[i];
    const auto reason = std::string_view(error.reason).substr(0, kReasonBytesMax);
    const auto field = std::string_view(error.field).substr(0, kReasonBytesMax);
    if (listed.size() + reason.size() + field.size() + 16 > kErrorBytesMax) break;
    PutNumber(listed, error.index);
    PutText(listed, field);
    PutText(listed, reason);
    ++count;
  }
  Bytes out;
  PutNumber(out, count);
  return out + listed;
}

Result<std::vector<RecordError>> DecodeErrors(BytesView bytes) {
  FieldReader reader = ReaderOf(bytes);
  return ReadErrors(reader);
}

Bytes EncodeQuarantineEntry(std::string_view object, codec::RecordFormat format, BytesView head,
                            BytesView original, const RecordError* errors, size_t error_count) {
  const Bytes listed = EncodeErrors(errors, error_count);
  Bytes out;
  out.reserve(32 + object.size() + head.size() + listed.size() + original.size());
  out.push_back(kVersion);
  out.push_back(static_cast<char>(format));
  PutText(out, object);
  PutText(out, head);
  out += listed;
  out += original;
  return out;
}

Result<QuarantineEntry> DecodeQuarantineEntry(BytesView bytes) {
  FieldReader reader = ReaderOf(bytes);
  const auto version = TRY(reader.Number<uint8_t>());
  if (version == 0) return Fail(Code::kCorrupt, "a quarantined record without a version");
  if (version > kVersion) {
    return Fail(Code::kNotOffered,
                fmt::format("a quarantined record of version {}: a newer Weft wrote it", version));
  }
  const auto format = TRY(reader.Number<uint8_t>());
  if (format > static_cast<uint8_t>(codec::RecordFormat::kCsv)) {
    return Fail(Code::kCorrupt,
                fmt::format("a quarantined record of the unknown format {}", format));
  }
  QuarantineEntry entry;
  entry.format = static_cast<codec::RecordFormat>(format);
  entry.object = TRY(reader.Text());
  entry.head = TRY(reader.Text());
  entry.errors = TRY(ReadErrors(reader));
  entry.original = Bytes(reader.rest());
  return entry;
}

}  // namespace weft::ingest
