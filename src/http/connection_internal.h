// SPDX-License-Identifier: Apache-2.0
// What a connection is made of, whatever it speaks.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "http/output_internal.h"
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

// What is the same of a connection in every version of HTTP: what it lives on, what it still has to
// write, and its end.
class LiveConnection : public Session,
                       public ReplyTarget,
                       public WireUser,
                       public std::enable_shared_from_this<LiveConnection> {
 public:
  void Cut() override { Close(true); }
  std::shared_ptr<Loop> loop() const override { return loop_; }
  void OnHandshake(WireEvent) override {}  // made before
  void OnWritten(WireEvent event, size_t bytes) override;

 protected:
  explicit LiveConnection(Connection connection);
  // Reads, answers and writes as far as it goes without waiting.
  virtual void Pump() = 0;
  // Nobody waits for the requests there are any more.
  virtual void DropRequests() = 0;
  void StartWrite();
  void Close(bool reset);

  Service& service_;
  const std::shared_ptr<Loop> loop_;
  const std::unique_ptr<Wire> wire_;
  ConnectionCount count_;
  const std::string remote_address_;
  Output out_;
  bool write_pending_ = false;
  bool closed_ = false;
  SteadyTime now_;
  SteadyTime write_deadline_ = SteadyTime::max();
};

// Makes the handshake and looks at what is agreed, or at the first bytes; then hands over to a
// session of HTTP/1.x or HTTP/2.
std::shared_ptr<Session> MakeOpening(Connection connection);

// `input` is what was read already.
std::shared_ptr<Session> MakeHttp1(Connection connection, std::string input);
std::shared_ptr<Session> MakeHttp2(Connection connection, std::string input);

}  // namespace weft::http
