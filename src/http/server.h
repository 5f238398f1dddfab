// SPDX-License-Identifier: Apache-2.0
// A server of HTTP/1.1 and HTTP/2 on one port: TLS or in the clear, keep-alive, streamed bodies
// both ways, Expect: 100-continue, limits on everything a client can send or withhold. RFC 9110 and
// 9112 (pipelining, chunked bodies), and RFC 9113: agreed on by ALPN over TLS, by prior knowledge
// in the clear. Handlers do not see which one carried a request: its authority is the header
// "host".
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "http/message.h"

namespace weft::http {

// Runs on a request thread. May block, may answer later from any thread; must not throw. What it is
// given is its own, to keep or to move from.
using Handler = std::function<void(Request&&, Reply&&)>;

// What to do with a body, decided when the head has come: `request` has everything but the body.
struct BodyPlan {
  int64_t bytes_max = int64_t{64} << 20;  // past it: 413
  const char* too_long_hint = "";         // ends that answer's message; a literal
  bool stream = false;                    // the handler runs at once and reads the body itself
  // The handler never blocks (but may answer later): it runs on the connection's own thread, which
  // saves two hops between threads. Not together with `stream`.
  bool quick = false;
  const Handler* handler = nullptr;  // instead of the server's, and as long as the server there
};

struct Server {
  struct Options {
    std::string host = "127.0.0.1";
    int port = 4566;  // 0: any free one
    std::string certificate_file{},
        key_file{};  // PEM; both or neither. With them every connection is TLS
    int io_threads = 2;
    int request_threads = 8;          // run handlers
    int request_queue_max = 1024;     // more waiting requests are answered 503 with Retry-After
    int connections_max = 10'000;     // more are refused with 503 and closed
    int header_bytes_max = 64 << 10;  // of a request's head; past it: 431
    seconds header_time_max{
        15};  // from the first byte of a head, or the handshake, to its end: 408, close
    seconds body_time_max{60};  // without one more byte of body read or written: close
    seconds idle_time_max{75};  // between requests of a connection
    std::function<BodyPlan(const Request&)> plan{};  // none: the defaults of BodyPlan
  };
  // Listens from now on. kUnavailable when the address is taken or forbidden; kInvalid for bad TLS
  // files.
  static Result<std::unique_ptr<Server>> Open(Options options, Handler handler, Random& random,
                                              Metrics& metrics);
  virtual ~Server() = default;  // as Stop(0)
  virtual int port() const = 0;
  // Takes no more connections, answers the requests that it has (closing each connection after; one
  // of HTTP/2 is told at once to begin no more),
  // then returns; at latest after `grace`, when what is left is cut off.
  virtual void Stop(seconds grace) = 0;
};

}  // namespace weft::http
