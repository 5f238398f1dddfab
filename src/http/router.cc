// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <algorithm>

#include "base/check.h"
#include "codec/url.h"

namespace weft::http {
namespace {

std::vector<std::string_view> Segments(std::string_view path) {
  std::vector<std::string_view> out;
  CHECK(path.starts_with('/'));
  for (size_t at = 1; at <= path.size();) {
    size_t end = std::min(path.find('/', at), path.size());
    out.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

bool IsParameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// Whether the decoded segments of a path are those of a pattern; a parameter is never empty.
bool Fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (IsParameter(pattern[i]) ? path[i].empty() : pattern[i] != path[i]) return false;
  }
  return true;
}

// Of two patterns that fit, the one that is literal where they first differ.
bool MoreLiteral(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (IsParameter(a[i]) != IsParameter(b[i])) return IsParameter(b[i]);
  }
  return false;
}

}  // namespace

void Router::Add(std::string method, std::string pattern, Handler handler) {
  Route route{std::move(method), {}, std::move(handler)};
  for (std::string_view segment : Segments(pattern)) route.segments.emplace_back(segment);
  routes_.push_back(std::move(route));
}

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  Match match;
  if (!path.starts_with('/')) return match;
  std::vector<std::string> segments;
  for (std::string_view segment : Segments(path)) {
    auto decoded = codec::PercentDecode(segment);
    if (!decoded.ok()) return match;
    segments.push_back(std::move(*decoded));
  }
  const Route* best = nullptr;
  for (const Route& route : routes_) {
    if (!Fits(route.segments, segments)) continue;
    if (std::find(match.allowed.begin(), match.allowed.end(), route.method) ==
        match.allowed.end()) {
      match.allowed.push_back(route.method);
    }
    if (route.method != method) continue;
    if (best == nullptr || MoreLiteral(route.segments, best->segments)) best = &route;
  }
  if (best == nullptr) return match;
  match.handler = &best->handler;
  for (size_t i = 0; i < segments.size(); ++i) {
    const std::string& name = best->segments[i];
    if (IsParameter(name))
      match.parameters[name.substr(1, name.size() - 2)] = std::move(segments[i]);
  }
  return match;
}

}  // namespace weft::http
