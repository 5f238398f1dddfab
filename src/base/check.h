// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft {
[[noreturn]] void CheckFailed(const char* expression, const char* file, int line);
}  // namespace weft

// Ends the process where only a defect can lead; `what` is a literal that says which.
#define UNREACHABLE(what) ::weft::CheckFailed(what, __FILE__, __LINE__)

// Ends the process when something that only a defect can make false is false. Kept in release
// builds: a store that goes on after a broken invariant writes the damage down.
#define CHECK(condition)                                                   \
  do {                                                                     \
    if (!(condition)) ::weft::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)
