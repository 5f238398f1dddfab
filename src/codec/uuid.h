// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace weft::codec {

using UuidText = std::array<char, 36>;  // "7d9f0f2c-6f0b-4a8e-9a55-3f1f0c7f6d11"

// The text of a UUID's 128 bits, the high half first. The caller has put version and variant there
// (RFC 9562, section 4).
UuidText ToUuidText(uint64_t high, uint64_t low);

}  // namespace weft::codec
