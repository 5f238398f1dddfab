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
// The instruction has an answer three cycles later and takes a word every cycle: three runs beside
// each other keep it busy. Each run's checksum is then moved past the runs behind it.
constexpr size_t kRunBytes = 512;

// What a checksum becomes by kRunBytes of zeros: the exclusive-or of what its four octets become.
struct PastRun {
  std::array<std::array<uint32_t, 256>, 4> of{};
  PastRun() {
    const std::array<char, kRunBytes> zeros{};
    std::array<uint32_t, 32> bits{};
    for (size_t bit = 0; bit < 32; ++bit) {
      bits[bit] = ByTable(zeros.data(), zeros.size(), uint32_t{1} << bit);
    }
    for (size_t octet = 0; octet < 4; ++octet) {
      for (size_t value = 0; value < 256; ++value) {
        for (size_t bit = 0; bit < 8; ++bit) {
          if ((value >> bit & 1) != 0) of[octet][value] ^= bits[8 * octet + bit];
        }
      }
    }
  }
  uint32_t operator()(uint32_t crc) const {
    return of[0][crc & 255] ^ of[1][crc >> 8 & 255] ^ of[2][crc >> 16 & 255] ^ of[3][crc >> 24];
  }
};

uint64_t WordAt(const char* at) {
  uint64_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

__attribute__((target("sse4.2"))) uint32_t ByInstruction(const char* at, size_t bytes,
                                                         uint32_t crc) {
  static const PastRun past_run;
  for (; bytes >= 3 * kRunBytes; bytes -= 3 * kRunBytes, at += 3 * kRunBytes) {
    uint64_t first = crc, second = 0, third = 0;
    for (size_t i = 0; i < kRunBytes; i += 8) {
      first = _mm_crc32_u64(first, WordAt(at + i));
      second = _mm_crc32_u64(second, WordAt(at + kRunBytes + i));
      third = _mm_crc32_u64(third, WordAt(at + 2 * kRunBytes + i));
    }
    crc = past_run(past_run(static_cast<uint32_t>(first)) ^ static_cast<uint32_t>(second)) ^
          static_cast<uint32_t>(third);
  }
  uint64_t wide = crc;
  for (; bytes >= 8; bytes -= 8, at += 8) {
    wide = _mm_crc32_u64(wide, WordAt(at));
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
