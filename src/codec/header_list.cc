// SPDX-License-Identifier: Apache-2.0
#include "codec/header_list.h"

#include <algorithm>

namespace weft::codec {

bool EqualButForCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
    return x == y || ((x ^ y) == 32 && (x | 32) >= 'a' && (x | 32) <= 'z');
  });
}

std::string_view FindHeader(const HeaderList& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (EqualIgnoringCase(key, name)) return value;
  }
  return {};
}

}  // namespace weft::codec
