// SPDX-License-Identifier: Apache-2.0
// Linked in, it replaces operator new with one that counts.
#pragma once

#include <cstdint>

namespace weft::bench {

int64_t AllocationsOfThisThread();
int64_t AllocationsOfAll();

}  // namespace weft::bench
