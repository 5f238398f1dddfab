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

// The kernel's generator: fit for keys and secrets.
Random& SystemRandom();

}  // namespace weft
