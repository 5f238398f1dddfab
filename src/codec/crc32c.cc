// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstring>

#include "codec/hash.h"
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace weft::codec {
namespace {

constexpr std::array<uint32_t, 256> kTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82f63b78u : 0);
    table[i] = value;
  }
  return table;
}();

uint32_t ByTable(const char* at, size_t bytes, uint32_t crc) {
  for (; bytes > 0; --bytes, ++at) {
    crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(*at)) & 255];
  }
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t ByInstruction(const char* at, size_t bytes,
                                                         uint32_t crc) {
  uint64_t wide = crc;
  for (; bytes >= 8; bytes -= 8, at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<uint32_t>(wide);
  for (; bytes > 0; --bytes, ++at) crc = _mm_crc32_u8(crc, static_cast<unsigned char>(*at));
  return crc;
}
#endif

}  // namespace

uint32_t Crc32c(BytesView bytes, uint32_t seed) {
#if defined(__x86_64__)
  static const bool fast = __builtin_cpu_supports("sse4.2") != 0;
  if (fast) return ~ByInstruction(bytes.data(), bytes.size(), ~seed);
#endif
  return ~ByTable(bytes.data(), bytes.size(), ~seed);
}

}  // namespace weft::codec
