// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace weft {

// Where random bytes come from; a constructor takes it, so that a run can be replayed from a seed.
// Safe to call from any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(void* to, size_t bytes) = 0;

  uint64_t Next();
  std::string NextBytes(size_t bytes);
  // A version 4 UUID in lower case: "7d9f0f2c-6f0b-4a8e-9a55-3f1f0c7f6d11".
  std::string NextUuid();
  // `length` characters of `alphabet`, each as likely as the next.
  std::string NextText(size_t length, const char* alphabet);
};

// SplitMix64, for ids that need to differ and not to be secret: scattered, the numbers of a run
// with this step from any beginning look drawn, and no two of them are alike.
constexpr uint64_t kScatterStep = 0x9e3779b97f4a7c15;
constexpr uint64_t Scatter(uint64_t z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

// The kernel's generator: fit for keys and secrets.
Random& SystemRandom();

}  // namespace weft
