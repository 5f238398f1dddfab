// SPDX-License-Identifier: Apache-2.0
#include "govern/pattern.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::govern {
namespace {

constexpr int kArnParts = 6;  // arn:partition:service:region:account:resource

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Cuts off the part before the next colon.
std::string_view TakePart(std::string_view& text) {
  const size_t colon = std::min(text.find(':'), text.size());
  std::string_view part = text.substr(0, colon);
  text.remove_prefix(std::min(colon + 1, text.size()));
  return part;
}

}  // namespace

bool MatchesText(std::string_view pattern, std::string_view text, bool ignore_case) {
  size_t p = 0, t = 0, star = std::string_view::npos, retry = 0;
  while (t < text.size()) {
    const bool fits = p < pattern.size() && pattern[p] != '*' &&
                      (pattern[p] == '?' || pattern[p] == text[t] ||
                       (ignore_case && Lower(pattern[p]) == Lower(text[t])));
    if (fits) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (star != std::string_view::npos) {
      // The last star takes one character more: earlier ones need not be tried again.
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool MatchesAction(std::string_view pattern, std::string_view action) {
  return MatchesText(pattern, action, true);
}

bool MatchesResource(std::string_view pattern, std::string_view resource) {
  if (pattern == "*") return true;
  const auto colons = std::count(pattern.begin(), pattern.end(), ':');
  const int parts = static_cast<int>(std::min<std::ptrdiff_t>(colons + 1, kArnParts));
  for (int i = 1; i < parts; ++i) {
    if (resource.find(':') == std::string_view::npos) return false;
    if (!MatchesText(TakePart(pattern), TakePart(resource), false)) return false;
  }
  return MatchesText(pattern, resource, false);
}

Status CheckActionPattern(std::string_view pattern) {
  const size_t colon = pattern.find(':');
  const bool good = pattern == "*" ||
                    (colon != std::string_view::npos && colon > 0 && colon + 1 < pattern.size() &&
                     pattern.find(':', colon + 1) == std::string_view::npos);
  if (good) return {};
  return Fail(Code::kInvalid, fmt::format("not an action (SERVICE:ACTION or *): '{}'", pattern));
}

Status CheckResourcePattern(std::string_view pattern) {
  // Fewer parts than an ARN has are fine where the last says that anything may follow.
  const bool whole = std::count(pattern.begin(), pattern.end(), ':') >= kArnParts - 1;
  if (pattern == "*" || (pattern.starts_with("arn:") && (whole || pattern.ends_with('*'))))
    return {};
  return Fail(Code::kInvalid, fmt::format("not a resource (an ARN or *): '{}'", pattern));
}

}  // namespace weft::govern
