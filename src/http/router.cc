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
  out.reserve(static_cast<size_t>(std::count(path.begin(), path.end(), '/')));
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

// The segments of a path, decoded into `decoded` where they have to be; false: an escape is broken.
bool Decode(std::vector<std::string_view>& segments, std::vector<std::string>& decoded) {
  decoded.reserve(segments.size());
  for (std::string_view& segment : segments) {
    if (segment.find('%') == std::string_view::npos) continue;
    auto text = codec::PercentDecode(segment);
    if (!text.ok()) return false;
    segment = decoded.emplace_back(std::move(*text));
  }
  return true;
}

}  // namespace

// Whether the decoded segments of a path are those of a pattern; a parameter is never empty.
bool Router::Fits(const Route& route, const std::vector<std::string_view>& path) {
  for (size_t i = 0; i < path.size(); ++i) {
    if (route.parameter[i] ? path[i].empty() : route.segments[i] != path[i]) return false;
  }
  return true;
}

// Of two patterns that fit, the one that is literal where they first differ.
bool Router::MoreLiteral(const Route& a, const Route& b) {
  for (size_t i = 0; i < a.segments.size(); ++i) {
    if (a.parameter[i] != b.parameter[i]) return b.parameter[i];
  }
  return false;
}

void Router::Add(std::string method, std::string pattern, Handler handler) {
  Route route{.method = std::move(method), .segments = {}, .parameter = {}, .handler = {}};
  route.handler = std::move(handler);
  for (std::string_view segment : Segments(pattern)) {
    route.parameter.push_back(IsParameter(segment));
    route.segments.emplace_back(segment);
  }
  const size_t count = route.segments.size();
  if (routes_.size() <= count) routes_.resize(count + 1);
  routes_[count].push_back(std::move(route));
}

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  Match match;
  if (!path.starts_with('/')) return match;
  std::vector<std::string_view> segments = Segments(path);
  std::vector<std::string> decoded;
  if (segments.size() >= routes_.size() || !Decode(segments, decoded)) return match;
  const Route* best = nullptr;
  for (const Route& route : routes_[segments.size()]) {
    if (!Fits(route, segments)) continue;
    if (std::find(match.allowed.begin(), match.allowed.end(), route.method) ==
        match.allowed.end()) {
      match.allowed.push_back(route.method);
    }
    if (route.method != method) continue;
    if (best == nullptr || MoreLiteral(route, *best)) best = &route;
  }
  if (best == nullptr) return match;
  match.handler = &best->handler;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (!best->parameter[i]) continue;
    const std::string& name = best->segments[i];
    match.parameters[name.substr(1, name.size() - 2)] = segments[i];
  }
  return match;
}

}  // namespace weft::http
