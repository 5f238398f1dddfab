// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "codec/url.h"

namespace weft::http {
namespace {

constexpr size_t kSegmentsMax = 16;

bool IsParameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

// A path's segments, decoded where they have to be.
class Router::Path {
 public:
  // False when it is none that a pattern could have: too long, or with a broken escape.
  bool Read(std::string_view path) {
    if (!path.starts_with('/')) return false;
    const bool escaped = path.find('%') != std::string_view::npos;
    for (size_t at = 1; at <= path.size();) {
      if (size_ == kSegmentsMax) return false;
      const size_t end = std::min(path.find('/', at), path.size());
      segments_[size_++] = path.substr(at, end - at);
      at = end + 1;
    }
    return !escaped || Decode();
  }
  size_t size() const { return size_; }
  std::string_view operator[](size_t i) const { return segments_[i]; }

 private:
  bool Decode() {
    decoded_.reserve(size_);
    for (size_t i = 0; i < size_; ++i) {
      auto text = codec::PercentDecode(segments_[i]);
      if (!text.ok()) return false;
      segments_[i] = decoded_.emplace_back(std::move(*text));
    }
    return true;
  }

  std::array<std::string_view, kSegmentsMax> segments_;
  size_t size_ = 0;
  std::vector<std::string> decoded_;
};

const std::string& Router::Parameters::at(std::string_view name) const {
  auto found = std::find_if(values_.begin(), values_.end(),
                            [&](const auto& value) { return value.first == name; });
  CHECK(found != values_.end());
  return found->second;
}

// Whether the segments of a path are those of a pattern; a parameter is never empty. From the last
// one, in which patterns differ most.
bool Router::Fits(const Route& route, const Path& path) {
  for (size_t i = path.size(); i-- > 0;) {
    const Segment& wanted = route.segments[i];
    if (wanted.parameter ? path[i].empty() : wanted.text != path[i]) return false;
  }
  return true;
}

// Of two patterns that fit, the one that is literal where they first differ.
bool Router::MoreLiteral(const Route& a, const Route& b) {
  for (size_t i = 0; i < a.segments.size(); ++i) {
    if (a.segments[i].parameter != b.segments[i].parameter) return b.segments[i].parameter;
  }
  return false;
}

void Router::Add(std::string method, std::string_view pattern, Handler handler) {
  Path path;
  CHECK(path.Read(pattern));
  Route route{.method = std::move(method), .segments = {}, .handler = std::move(handler)};
  for (size_t i = 0; i < path.size(); ++i) {
    std::string_view text = path[i];
    const bool parameter = IsParameter(text);
    if (parameter) text = text.substr(1, text.size() - 2);
    route.segments.push_back({std::string(text), parameter});
  }
  if (routes_.size() <= path.size()) routes_.resize(path.size() + 1);
  routes_[path.size()].push_back(std::move(route));
}

Router::Match Router::Find(std::string_view method, std::string_view text) const {
  Match match;
  Path path;
  if (!path.Read(text) || path.size() >= routes_.size()) return match;
  const std::vector<Route>& routes = routes_[path.size()];
  const Route* best = nullptr;
  for (const Route& route : routes) {
    if (route.method != method || !Fits(route, path)) continue;
    if (best == nullptr || MoreLiteral(route, *best)) best = &route;
  }
  if (best != nullptr) {
    match.handler = &best->handler;
    for (size_t i = 0; i < path.size(); ++i) {
      const Segment& segment = best->segments[i];
      if (segment.parameter) match.parameters.values_.emplace_back(segment.text, path[i]);
    }
    return match;
  }
  for (const Route& route : routes) {
    const bool known =
        std::find(match.allowed.begin(), match.allowed.end(), route.method) != match.allowed.end();
    if (!known && Fits(route, path)) match.allowed.push_back(route.method);
  }
  return match;
}

}  // namespace weft::http
