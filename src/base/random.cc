// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace weft {
namespace {

class KernelRandom final : public Random {
 public:
  void Fill(void* to, size_t bytes) override {
    auto* at = static_cast<unsigned char*>(to);
    while (bytes > 0) {
      ssize_t got = getrandom(at, std::min<size_t>(bytes, 256), 0);
      CHECK(got > 0 || errno == EINTR);
      if (got > 0) {
        at += got;
        bytes -= static_cast<size_t>(got);
      }
    }
  }
};

}  // namespace

uint64_t Random::Next() {
  uint64_t value = 0;
  Fill(&value, sizeof value);
  return value;
}

std::string Random::NextBytes(size_t bytes) {
  std::string out(bytes, '\0');
  Fill(out.data(), bytes);
  return out;
}

std::string Random::NextUuid() {
  uint64_t high = Next(), low = Next();
  high = (high & 0xffffffffffff0fffULL) | 0x4000;
  low = (low & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffffffffffffULL);
}

std::string Random::NextText(size_t length, const char* alphabet) {
  const size_t symbols = std::strlen(alphabet);
  const uint64_t fair =
      UINT64_MAX - UINT64_MAX % symbols;  // beyond it the first ones were likelier
  std::string out;
  while (out.size() < length) {
    uint64_t value = Next();
    if (value < fair) out += alphabet[value % symbols];
  }
  return out;
}

Random& SystemRandom() {
  static KernelRandom random;
  return random;
}

}  // namespace weft
