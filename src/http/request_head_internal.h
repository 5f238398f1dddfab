// SPDX-License-Identifier: Apache-2.0
// What is the same of a request's head in every version of HTTP.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/answer_internal.h"

namespace weft::http {

inline constexpr size_t kHeadersMax = 256;

inline constexpr std::array<char, 256> kLowerOfToken = [] {
  std::array<char, 256> lower{};
  for (char c : std::string_view("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~")) {
    lower[static_cast<unsigned char>(c)] = c;
    if (c >= 'a' && c <= 'z') lower[static_cast<unsigned char>(c - 32)] = c;
  }
  return lower;
}();
// A character of a token in lower case; 0 for one that may not be in a token.
inline char LowerOfToken(char c) { return kLowerOfToken[static_cast<unsigned char>(c)]; }
bool IsToken(std::string_view text);
Refusal Malformed(std::string message);  // 400
Refusal TooManyHeaders();                // 431

// Each takes its part into the request, or says what is wrong with it.
std::optional<Refusal> TakeMethod(std::string_view method, Request& request);
// "/path?query", or "*".
std::optional<Refusal> TakeTarget(std::string_view target, Request& request);
std::optional<Refusal> ReadLength(std::string_view content_length, int64_t& length);
// `expect` is the value of that header: only 100-continue can be met.
std::optional<Refusal> CheckExpect(std::string_view expect);

}  // namespace weft::http
