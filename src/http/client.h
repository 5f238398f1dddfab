// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"

namespace weft::http {

// Sends requests and keeps connections for the next one. For one thread at a time.
class Client {
 public:
  struct Options {
    std::string endpoint{};  // "http://127.0.0.1:4566", without a path
    std::string ca_file{};   // PEM: trusted besides the machine's own
    seconds connect_time_max{10};
    seconds stall_time_max{60};  // without a byte either way
  };
  static Result<std::unique_ptr<Client>> Open(Options options);
  virtual ~Client() = default;

  // `request` needs method, path, query, headers, body. kUnavailable when there is no answer; an
  // answer of any status is a Response. With `on_body` the body goes there piece by piece instead
  // (return a failure to end the transfer: it is passed on); without it the body is kept whole.
  using OnBody = std::function<Status(const Response& head, BytesView piece)>;
  virtual Result<Response> Send(const Request& request, const OnBody& on_body = nullptr) = 0;
};

}  // namespace weft::http
