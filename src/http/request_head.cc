// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "http/request_head_internal.h"

namespace weft::http {
namespace {

constexpr std::array<bool, 256> kNotInTarget = [] {
  std::array<bool, 256> set{};
  for (size_t c = 0; c <= 0x20; ++c) set[c] = true;
  set[0x7f] = set['#'] = true;
  return set;
}();

}  // namespace

bool IsToken(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return LowerOfToken(c) != 0; });
}

Refusal Malformed(std::string message) { return {400, std::move(message)}; }
Refusal TooManyHeaders() { return {431, fmt::format("more than {} headers", kHeadersMax)}; }

std::optional<Refusal> TakeMethod(std::string_view method, Request& request) {
  if (!IsToken(method) || method.size() > 32) return Malformed("the method is not a token");
  request.method = method;
  return std::nullopt;
}

std::optional<Refusal> TakeTarget(std::string_view target, Request& request) {
  if (std::any_of(target.begin(), target.end(),
                  [](char c) { return kNotInTarget[static_cast<unsigned char>(c)]; })) {
    return Malformed("the request target has a character that may not be in it");
  }
  size_t mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  if (mark < target.size()) request.query = target.substr(mark + 1);
  bool asterisk = request.path == "*" && request.method == "OPTIONS";
  if (request.path.starts_with('/') || asterisk) return std::nullopt;
  return Malformed("the request target must begin with a slash");
}

std::optional<Refusal> ReadLength(std::string_view content_length, int64_t& length) {
  std::string_view text = content_length;
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return Malformed("Content-Length is not a number");
  }
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  if (text.size() > 18) return Refusal{413, "the body is longer than anything taken here"};
  length = 0;
  for (char c : text) length = length * 10 + (c - '0');
  return std::nullopt;
}

std::optional<Refusal> CheckExpect(std::string_view expect) {
  if (EqualIgnoringCase(expect, "100-continue")) return std::nullopt;
  return Refusal{417, "no expectation but 100-continue can be met"};
}

}  // namespace weft::http
