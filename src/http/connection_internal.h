// SPDX-License-Identifier: Apache-2.0
// What a connection is made of, whatever it speaks.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "http/service_internal.h"
#include "http/wire_internal.h"

namespace weft::http {

// One of the connections that the server counts, for as long as it lives.
class ConnectionCount {
 public:
  explicit ConnectionCount(RequestMetrics& metrics) : metrics_(&metrics) {
    metrics.CountConnection(1);
  }
  ConnectionCount(ConnectionCount&& other) noexcept
      : metrics_(std::exchange(other.metrics_, nullptr)) {}
  ConnectionCount& operator=(ConnectionCount&&) = delete;
  ~ConnectionCount() { Release(); }
  void Release() {
    if (metrics_ != nullptr) std::exchange(metrics_, nullptr)->CountConnection(-1);
  }

 private:
  RequestMetrics* metrics_;
};

// Handed from the session that finds out what a connection speaks to the one that speaks it.
struct Connection {
  Service& service;
  std::shared_ptr<Loop> loop;
  std::unique_ptr<Wire> wire;
  ConnectionCount count;
};

// Makes the handshake and looks at what is agreed, or at the first bytes; then hands over to a
// session of HTTP/1.x or HTTP/2.
std::shared_ptr<Session> MakeOpening(Connection connection);

// `input` is what was read already.
std::shared_ptr<Session> MakeHttp1(Connection connection, std::string input);
std::shared_ptr<Session> MakeHttp2(Connection connection, std::string input);

}  // namespace weft::http
