// SPDX-License-Identifier: Apache-2.0
#include "tail/record_key.h"

#include <cstdint>

namespace weft::tail {
namespace {
constexpr char kVersion = 1;
constexpr size_t kHead = 5;
}  // namespace

Bytes EncodeRecordKey(const RecordKey& key) {
  Bytes bytes;
  bytes.reserve(kHead + key.object.size());
  bytes.push_back(kVersion);
  const auto version = static_cast<uint32_t>(key.contract_version);
  for (int shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<char>(version >> shift & 0xff));
  }
  bytes += key.object;
  return bytes;
}

Result<RecordKey> DecodeRecordKey(BytesView bytes) {
  if (bytes.size() <= kHead || bytes[0] != kVersion) {
    return Fail(Code::kCorrupt, fmt::format("record key of {} octets is damaged", bytes.size()));
  }
  uint32_t version = 0;
  for (size_t i = 0; i < 4; ++i) {
    version |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[1 + i])) << (8 * i);
  }
  if (version == 0 || version > INT32_MAX) {
    return Fail(Code::kCorrupt, "record key names no contract version");
  }
  return RecordKey{.contract_version = static_cast<int>(version),
                   .object = std::string(bytes.substr(kHead))};
}

}  // namespace weft::tail
