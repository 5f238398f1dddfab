// SPDX-License-Identifier: Apache-2.0
#include "codec/uuid.h"

#include "codec/hash.h"

namespace weft::codec {

UuidText ToUuidText(uint64_t high, uint64_t low) {
  std::array<char, 16> octets;
  for (size_t i = 0; i < 8; ++i) {
    octets[i] = static_cast<char>(high >> (56 - 8 * i));
    octets[8 + i] = static_cast<char>(low >> (56 - 8 * i));
  }
  UuidText text;
  text.fill('-');
  size_t from = 0, at = 0;
  for (const size_t group : {4, 2, 2, 2, 6}) {
    HexEncodeTo({octets.data() + from, group}, text.data() + at);
    from += group;
    at += 2 * group + 1;
  }
  return text;
}

}  // namespace weft::codec
