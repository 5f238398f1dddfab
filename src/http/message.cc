// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <algorithm>

namespace weft::http {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view FindHeader(const HeaderList& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    // Most are asked for as they are kept.
    if (key.size() == name.size() && (key == name || EqualIgnoringCase(key, name))) return value;
  }
  return {};
}

}  // namespace weft::http
