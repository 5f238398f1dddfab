// SPDX-License-Identifier: Apache-2.0
// Numbers and texts as the formats of this module have them: little-endian; a text is its size (4
// octets) and then its octets.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace weft::ingest {

template <class T>
void PutNumber(Bytes& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xff));
}

inline void PutText(Bytes& out, BytesView text) {
  PutNumber(out, static_cast<uint32_t>(text.size()));
  out += text;
}

// Takes them back, in order; kCorrupt at the end of the bytes.
class FieldReader {
 public:
  FieldReader(BytesView bytes, std::string_view what) : rest_(bytes), what_(what) {}

  template <class T>
  Result<T> Number() {
    const BytesView octets = TRY(Take(sizeof(T)));
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i)
      value |= static_cast<uint64_t>(static_cast<uint8_t>(octets[i])) << (8 * i);
    return static_cast<T>(value);
  }
  Result<std::string> Text() {
    const auto size = TRY(Number<uint32_t>());
    const BytesView octets = TRY(Take(size));
    return std::string(octets);
  }
  Result<BytesView> Take(size_t size) {
    if (rest_.size() < size) return Fail(Code::kCorrupt, fmt::format("{} ends too early", what_));
    const BytesView octets = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return octets;
  }
  BytesView rest() const { return rest_; }

 private:
  BytesView rest_;
  std::string_view what_;
};

}  // namespace weft::ingest
