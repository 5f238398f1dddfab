// SPDX-License-Identifier: Apache-2.0
#include "ingest/quarantine_record.h"

#include <algorithm>
#include <cstdint>

namespace weft::ingest {
namespace {

constexpr char kVersion = 1;
constexpr size_t kErrorBytesMax = size_t{128} << 10;
constexpr size_t kReasonBytesMax = 4096;

template <class T>
void PutNumber(Bytes& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xff));
}

void PutText(Bytes& out, BytesView text) {
  PutNumber(out, static_cast<uint32_t>(text.size()));
  out += text;
}

class Reader {
 public:
  explicit Reader(BytesView bytes) : rest_(bytes) {}
  template <class T>
  Result<T> Number() {
    if (rest_.size() < sizeof(T)) return Short();
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i)
      value |= static_cast<uint64_t>(static_cast<uint8_t>(rest_[i])) << (8 * i);
    rest_.remove_prefix(sizeof(T));
    return static_cast<T>(value);
  }
  Result<std::string> Text() {
    const auto size = TRY(Number<uint32_t>());
    if (rest_.size() < size) return Short();
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  BytesView rest() const { return rest_; }

 private:
  static tl::unexpected<Error> Short() {
    return Fail(Code::kCorrupt, "a quarantined record ends too early");
  }
  BytesView rest_;
};

Result<std::vector<RecordError>> ReadErrors(Reader& reader) {
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
  Reader reader(bytes);
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
  Reader reader(bytes);
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
