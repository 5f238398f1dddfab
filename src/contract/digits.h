// SPDX-License-Identifier: Apache-2.0
// Digits read eight at a time, as one word of memory.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace weft::contract {

static_assert(std::endian::native == std::endian::little);

inline uint64_t WordAt(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// The number of eight digits from 0 to 9, the first in the lowest octet.
inline int64_t EightDigits(uint64_t digits) {
  constexpr uint64_t kPairs = 0x000000ff000000ffU;
  digits = digits * 10 + (digits >> 8);
  digits = (digits & kPairs) * 0x000f424000000064U + (digits >> 16 & kPairs) * 0x0000271000000001U;
  return static_cast<int64_t>(digits >> 32);
}

}  // namespace weft::contract
