// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "http/message.h"

namespace weft::http {

// Finds the handler of a request by method and path. Patterns:
// "/api/v1/products/{product}/records"; a parameter is one path segment, given to the handler
// percent-decoded. All are added before the first is looked for.
class Router {
 public:
  // What a path has in the places of its pattern's parameters; as long as the router.
  class Parameters {
   public:
    const std::string& at(std::string_view name) const;  // of one that the pattern has

   private:
    friend class Router;
    std::vector<std::pair<std::string_view, std::string>> values_;
  };
  using Handler = std::function<void(Parameters&&, Request&&, Reply&&)>;
  // A pattern has at most 16 segments.
  void Add(std::string method, std::string_view pattern, Handler handler);

  struct Match {
    const Handler* handler = nullptr;  // none: see the rest
    Parameters parameters;
    std::vector<std::string> allowed;  // the methods that this path does have; empty: no such path
  };
  Match Find(std::string_view method, std::string_view path) const;

 private:
  struct Segment {
    std::string text;  // of a parameter its name
    bool parameter = false;
  };
  struct Route {
    std::string method;
    std::vector<Segment> segments;
    Handler handler;
  };
  class Path;
  static bool Fits(const Route& route, const Path& path);
  static bool MoreLiteral(const Route& a, const Route& b);
  std::vector<std::vector<Route>> routes_;  // by their number of segments
};

}  // namespace weft::http
