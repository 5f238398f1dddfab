// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "http/message.h"

namespace weft::http {

// Finds the handler of a request by method and path. Patterns:
// "/api/v1/products/{product}/records"; a parameter is one path segment, given to the handler
// percent-decoded.
class Router {
 public:
  using Parameters = std::map<std::string, std::string>;
  using Handler = std::function<void(Parameters, Request, Reply)>;
  void Add(std::string method, std::string pattern, Handler handler);

  struct Match {
    const Handler* handler = nullptr;  // none: see the rest
    Parameters parameters;
    std::vector<std::string> allowed;  // the methods that this path does have; empty: no such path
  };
  Match Find(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    std::vector<bool> parameter;  // which of them are one
    Handler handler;
  };
  static bool Fits(const Route& route, const std::vector<std::string_view>& path);
  static bool MoreLiteral(const Route& a, const Route& b);
  std::vector<std::vector<Route>> routes_;  // by their number of segments
};

}  // namespace weft::http
