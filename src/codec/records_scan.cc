// SPDX-License-Identifier: Apache-2.0
// Finds the end of a JSON value without parsing it, 64 bytes at a time. For each block, bit masks
// tell where the quotes, backslashes and brackets are. A quote that an odd run of backslashes
// precedes is no quote; the running exclusive-or over the others' bits is one inside strings;
// brackets outside them change the depth.
#include <algorithm>
#include <bit>
#include <cstring>

#include "codec/records_internal.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weft::codec {
namespace {

constexpr size_t kBlockBytes = 64;

// Everything below becomes part of its caller, so that it is made of the instructions that the
// caller may use.
#define WEFT_INLINE inline __attribute__((always_inline))

struct Masks {
  uint64_t quotes = 0, backslashes = 0, opens = 0, closes = 0;
};

#if defined(__SSE2__)
WEFT_INLINE Masks Classify(const char* at) {
  Masks masks;
  for (int i = 0; i < 4; ++i) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
    auto equal = [&](__m128i these, char c) {
      auto bits = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(these, _mm_set1_epi8(c))));
      return uint64_t{bits} << (16 * i);
    };
    // '[' and '{' differ in one bit, and so do their partners.
    __m128i brackets = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    masks.quotes |= equal(bytes, '"');
    masks.backslashes |= equal(bytes, '\\');
    masks.opens |= equal(brackets, '{');
    masks.closes |= equal(brackets, '}');
  }
  return masks;
}
#else
WEFT_INLINE Masks Classify(const char* at) {
  Masks masks;
  for (size_t i = 0; i < kBlockBytes; ++i) {
    uint64_t bit = uint64_t{1} << i;
    char bracket = static_cast<char>(at[i] | 0x20);
    if (at[i] == '"') masks.quotes |= bit;
    if (at[i] == '\\') masks.backslashes |= bit;
    if (bracket == '{') masks.opens |= bit;
    if (bracket == '}') masks.closes |= bit;
  }
  return masks;
}
#endif

// The characters that a backslash escapes; `carry` tells whether the next block's first is one.
WEFT_INLINE uint64_t Escaped(uint64_t backslashes, bool& carry) {
  uint64_t escaped = 0;
  if (carry) {
    escaped = 1;
    backslashes &= ~uint64_t{1};
    carry = false;
  }
  while (backslashes != 0) {
    int at = std::countr_zero(backslashes);
    if (at == 63) {
      carry = true;
      break;
    }
    uint64_t next = uint64_t{2} << at;
    escaped |= next;
    backslashes &= ~(next | next >> 1);
  }
  return escaped;
}

WEFT_INLINE uint64_t PrefixXor(uint64_t bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

// The depth after the block is known at once; only where it could have touched zero are bits
// walked.
struct Scanner {
  int64_t depth = 0;
  bool escape_carry = false;
  uint64_t in_string = 0;  // all ones inside a string

  // The index just past the bracket that brings the depth to zero, or -1.
  WEFT_INLINE int Feed(const char* block) {
    Masks masks = Classify(block);
    uint64_t quotes = masks.quotes;
    if (masks.backslashes != 0 || escape_carry) quotes &= ~Escaped(masks.backslashes, escape_carry);
    uint64_t inside = PrefixXor(quotes) ^ in_string;
    in_string = inside >> 63 != 0 ? ~uint64_t{0} : 0;
    uint64_t opens = masks.opens & ~inside, closes = masks.closes & ~inside;
    int down = std::popcount(closes);
    if (depth > down) {
      depth += std::popcount(opens) - down;
      return -1;
    }
    for (uint64_t both = opens | closes; both != 0; both &= both - 1) {
      uint64_t lowest = both & (~both + 1);
      depth += (opens & lowest) != 0 ? 1 : -1;
      if (depth == 0) return std::countr_zero(lowest) + 1;
    }
    return -1;
  }
};

WEFT_INLINE size_t Scan(std::string_view body, size_t at) {
  Scanner scanner;
  for (; at + kBlockBytes <= body.size(); at += kBlockBytes) {
    int end = scanner.Feed(body.data() + at);
    if (end >= 0) return at + static_cast<size_t>(end);
  }
  char last[kBlockBytes] = {};
  if (at < body.size()) std::memcpy(last, body.data() + at, body.size() - at);
  int end = scanner.Feed(last);
  return end >= 0 ? at + static_cast<size_t>(end) : std::string_view::npos;
}

#if defined(__x86_64__)
// Counting bits is one instruction since 2008, and a call for processors before.
__attribute__((target("popcnt"))) size_t ScanCounting(std::string_view body, size_t at) {
  return Scan(body, at);
}
#endif

}  // namespace

size_t EndOfContainer(std::string_view body, size_t at) {
#if defined(__x86_64__)
  static const bool counts = __builtin_cpu_supports("popcnt") != 0;
  if (counts) return ScanCounting(body, at);
#endif
  return Scan(body, at);
}

size_t EndOfString(std::string_view body, size_t at) {
  for (++at; at < body.size(); ++at) {
    if (body[at] == '"') return at + 1;
    if (body[at] == '\\') ++at;
  }
  return std::string_view::npos;
}

}  // namespace weft::codec
