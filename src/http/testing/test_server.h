// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "http/server.h"
#include "http/testing/raw_socket.h"

namespace weft::http {

// A server on a free port that a test shapes before it starts it.
class TestServer : public testing::Test {
 protected:
  TestServer() {
    options.port = 0;
    options.request_threads = 4;
  }
  void Start(Handler handler) {
    auto opened = Server::Open(options, std::move(handler), SystemRandom(), metrics);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    server = std::move(*opened);
  }
  // Answers with the method, the path and the body.
  void StartEcho() {
    Start([](Request request, Reply reply) {
      reply.Send({200, {}, request.method + " " + request.path + " " + request.body});
    });
  }
  int port() const { return server->port(); }

  Server::Options options;
  Metrics metrics;
  std::unique_ptr<Server> server;
};

}  // namespace weft::http
