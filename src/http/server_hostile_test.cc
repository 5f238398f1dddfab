// SPDX-License-Identifier: Apache-2.0
// What clients do that are broken or mean it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "http/testing/test_server.h"

namespace weft::http {
namespace {

class HostileTest : public TestServer {
 protected:
  // Sends it, and expects a refusal with our body, and the connection's end.
  void ExpectRefused(const std::string& bytes, int status) {
    SCOPED_TRACE(bytes.substr(0, 200));
    RawSocket client(port());
    client.Send(bytes);
    RawAnswer answer = client.Receive();
    EXPECT_EQ(answer.status, status) << answer.body;
    auto body = nlohmann::json::parse(answer.body, nullptr, false);
    ASSERT_TRUE(body.is_object()) << answer.body;
    EXPECT_EQ(body["request_id"], answer.headers["x-request-id"]);
    EXPECT_NE(body["message"], "");
    EXPECT_NE(body["code"], "");
    EXPECT_EQ(answer.headers["connection"], "close");
    EXPECT_TRUE(client.ClosedWithin(milliseconds(4000)));
    EXPECT_EQ(client.unread(), "");
  }
};

TEST_F(HostileTest, RefusesMalformedHeads) {
  StartEcho();
  for (const char* head : {"GET\r\n\r\n",
                           "GET /\r\n\r\n",
                           "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
                           "GET / http/1.1\r\nHost: h\r\n\r\n",
                           "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
                           "G(T / HTTP/1.1\r\nHost: h\r\n\r\n",
                           "GET x HTTP/1.1\r\nHost: h\r\n\r\n",
                           "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n",
                           "GET /#a HTTP/1.1\r\nHost: h\r\n\r\n",
                           "GET / HTTP/1.1\r\n\r\n",
                           "GET / HTTP/1.1\r\nHost: h\r\nHost: g\r\n\r\n",
                           "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
                           "GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
                           "GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
                           "GET / HTTP/1.1\r\nHost: h\r\n: nameless\r\n\r\n",
                           "GET / HTTP/1.1\nHost: h\n\n",
                           "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
                           "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
                           "GET / HTTP/1.1\r\n Host: h\r\n\r\n",
                           "GET http://a@b/ HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    ExpectRefused(head, 400);
  }
  ExpectRefused(std::string("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 35), 400);
  ExpectRefused("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505);
  ExpectRefused(std::string("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10), 400);
}

TEST_F(HostileTest, RefusesBodiesOfTwoLengths) {
  StartEcho();
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  ExpectRefused(post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
  ExpectRefused(post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400);
  ExpectRefused(post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400);
  ExpectRefused(post + "Content-Length: 5, 6\r\n\r\nhello!", 400);
  for (const char* length : {"-1", "+5", "0x5", "5 5", "", "five", "1e3"}) {
    ExpectRefused(post + "Content-Length: " + length + "\r\n\r\nhello", 400);
  }
  ExpectRefused(post + "Content-Length: 99999999999999999999999\r\n\r\n", 413);
  ExpectRefused(post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                400);
  ExpectRefused(post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501);
  ExpectRefused(post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501);
  ExpectRefused("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
}

TEST_F(HostileTest, RefusesBadChunks) {
  StartEcho();
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& body :
       {std::string("x\r\n"), std::string("\r\n"), std::string("-1\r\n"),
        std::string("0x5\r\nhello\r\n0\r\n\r\n"), std::string("5\nhello\r\n0\r\n\r\n"),
        std::string("5\r\nhelloX\r\n0\r\n\r\n"), std::string("5\r\nhello0\r\n\r\n"),
        std::string("ffffffffffffffff\r\n"), std::string("5 5\r\nhello\r\n"),
        "5;" + std::string(2000, 'e') + "\r\nhello\r\n", std::string("0\r\nno colon\r\n\r\n"),
        std::string("0\r\nA: b\n\r\n"), "0\r\n" + std::string(2000, 'h')}) {
    ExpectRefused(post + body, 400);
  }
}

TEST_F(HostileTest, NoRequestHidesInABody) {
  StartEcho();
  RawSocket client(port());
  client.Send(
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 36\r\n\r\nGET /hidden HTTP/1.1\r\nHost: "
      "h\r\nX: y\r\n\r\n"
      "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_EQ(client.Receive().status, 400);  // "\r\n" and the rest are no request line of ours
  EXPECT_TRUE(client.ClosedWithin(milliseconds(4000)));
}

TEST_F(HostileTest, RefusesHeadsPastTheLimit) {
  options.header_bytes_max = 1000;
  StartEcho();
  ExpectRefused("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(1000, 'x') + "\r\n\r\n", 431);
  ExpectRefused("GET /" + std::string(5000, 'x'), 431);
  RawSocket client(port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(900, 'x') + "\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 200);
}

TEST_F(HostileTest, RefusesTooManyHeaders) {
  StartEcho();
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 300; ++i) head += "a:b\r\n";
  ExpectRefused(head + "\r\n", 431);
}

TEST_F(HostileTest, RefusesALongBodyBeforeReadingIt) {
  options.plan = [](const Request&) { return BodyPlan{.bytes_max = 1000}; };
  StartEcho();
  ExpectRefused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", 413);
  ExpectRefused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                    std::string(1001, 'x'),
                413);
  // A client that sends on all the same still reads the answer.
  ExpectRefused(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n" + std::string(500'000, 'x'),
      413);
  RawSocket client(port());
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" +
              std::string(1000, 'x'));
  EXPECT_EQ(client.Receive().status, 200);
}

TEST_F(HostileTest, RefusesUnknownExpectations) {
  StartEcho();
  ExpectRefused("POST / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\nContent-Length: 5\r\n\r\n", 417);
}

TEST_F(HostileTest, ASlowHeadIsAnswered408) {
  options.header_time_max = seconds(1);
  StartEcho();
  RawSocket client(port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n");
  auto begin = std::chrono::steady_clock::now();
  std::thread dripping([&] {
    for (int i = 0; i < 20 && client.Send("X: y\r\n"); ++i)
      std::this_thread::sleep_for(milliseconds(100));
  });
  RawAnswer answer = client.Receive();
  EXPECT_EQ(answer.status, 408);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(3));
  EXPECT_TRUE(client.ClosedWithin(milliseconds(4000)));
  dripping.join();
}

TEST_F(HostileTest, AStalledBodyIsAnswered408) {
  options.body_time_max = seconds(1);
  StartEcho();
  ExpectRefused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel", 408);
  ExpectRefused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\nhel", 408);
}

TEST_F(HostileTest, ABodyCutOffIsRefused) {
  StartEcho();
  for (const char* length : {"5", "50000"}) {
    RawSocket client(port());
    client.Send(fmt::format("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\nhel", length));
    client.EndSending();
    EXPECT_EQ(client.Receive().status, 400);
  }
}

TEST_F(HostileTest, IdleConnectionsAreClosedSilently) {
  options.idle_time_max = seconds(1);
  StartEcho();
  RawSocket fresh(port()), used(port());
  used.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(used.Receive().status, 200);
  EXPECT_EQ(fresh.ReceiveAll(milliseconds(3000)), "");
  EXPECT_TRUE(fresh.ClosedWithin(milliseconds(100)));
  EXPECT_TRUE(used.ClosedWithin(milliseconds(2000)));
}

TEST_F(HostileTest, AClientThatDoesNotReadIsCutOff) {
  options.body_time_max = seconds(1);
  Start([](Request, Reply reply) { reply.Send({200, {}, Bytes(30'000'000, 'x')}); });
  RawSocket client(port(), 4096);
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(1600));
  EXPECT_LT(client.ReceiveAll().size(), 30'000'000u);
}

TEST_F(HostileTest, AClientThatOnlySendsIsHeldBack) {
  std::atomic<int> handled = 0;
  options.plan = [](const Request&) { return BodyPlan{.quick = true}; };
  Start([&](Request, Reply reply) {
    ++handled;
    reply.Send({200, {}, Bytes(100'000, 'x')});
  });
  RawSocket client(port(), 4096);
  std::string all;
  for (int i = 0; i < 2000; ++i) all += "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  client.Send(all);
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(handled, 500);
}

TEST_F(HostileTest, ConnectionsPastTheLimitAreRefused) {
  options.connections_max = 2;
  StartEcho();
  auto first = std::make_unique<RawSocket>(port());
  RawSocket second(port());
  first->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  second.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(first->Receive().status, 200);
  EXPECT_EQ(second.Receive().status, 200);
  RawSocket third(port());
  RawAnswer refused = third.Receive();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(nlohmann::json::parse(refused.body)["request_id"], refused.headers["x-request-id"]);
  EXPECT_TRUE(third.ClosedWithin(milliseconds(3000)));
  first.reset();
  std::this_thread::sleep_for(milliseconds(100));
  RawSocket fourth(port());
  fourth.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(fourth.Receive().status, 200);
}

TEST_F(HostileTest, OutlivesAWantOfDescriptors) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the undefined behaviour sanitizer itself needs descriptors";
#endif
  StartEcho();
  RawSocket early(port());
  early.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(early.Receive().status, 200);
  RawSocket waiting(port());
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  std::vector<std::unique_ptr<RawSocket>> more;
  rlimit none = before;
  none.rlim_cur = 3;
  // Connections wait in the kernel's queue while the process may open nothing more.
  int raw = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(raw, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  rusage begin{}, end{};
  getrusage(RUSAGE_SELF, &begin);
  std::this_thread::sleep_for(milliseconds(400));
  getrusage(RUSAGE_SELF, &end);
  auto spent = [](const rusage& use) {
    return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1'000'000 + use.ru_utime.tv_usec +
           use.ru_stime.tv_usec;
  };
  EXPECT_LT(spent(end) - spent(begin), 200'000);  // it does not spin
  early.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(early.Receive().status, 200);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  ASSERT_EQ(send(raw, get.data(), get.size(), MSG_NOSIGNAL), static_cast<ssize_t>(get.size()));
  char answer[16] = {};
  EXPECT_EQ(recv(raw, answer, 12, MSG_WAITALL), 12);
  EXPECT_STREQ(answer, "HTTP/1.1 200");
  close(raw);
}

}  // namespace
}  // namespace weft::http
