// SPDX-License-Identifier: Apache-2.0
// What a well-behaved client relies on.
#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "http/testing/test_server.h"

namespace weft::http {
namespace {

using testing::HasSubstr;

class ServerTest : public TestServer {};

TEST_F(ServerTest, AnswersWithDateServerAndRequestId) {
  std::string seen;
  Start([&](Request request, Reply reply) {
    seen = request.id;
    reply.Send({201, {{"x-thing", "a\r\nx-evil: b"}, {"Date", "never"}}, "made"});
  });
  RawSocket client(port());
  client.Send("GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n");
  RawAnswer answer = client.Receive();
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "made");
  EXPECT_EQ(answer.headers["x-request-id"], seen);
  EXPECT_EQ(seen.size(), 36u);
  EXPECT_THAT(answer.headers["date"], HasSubstr("GMT"));
  EXPECT_EQ(answer.headers["server"], "weft");
  EXPECT_EQ(answer.headers.count("x-evil"), 0u);
}

TEST_F(ServerTest, GivesTheRequestAsItCame) {
  Request seen;
  Start([&](Request request, Reply reply) {
    seen = std::move(request);
    reply.Send({});
  });
  RawSocket client(port());
  client.Send(
      "PUT /a%20b//c?x=%31&y HTTP/1.1\r\nHOST: h:1\r\nX-Two:  \t padded \r\nx-two: "
      "second\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.path, "/a%20b//c");
  EXPECT_EQ(seen.query, "x=%31&y");
  EXPECT_EQ(seen.body, "hello");
  EXPECT_EQ(seen.Header("X-TWO"), "padded");
  EXPECT_EQ(seen.headers[2].second, "second");
  EXPECT_EQ(seen.Header("host"), "h:1");
  EXPECT_FALSE(seen.secure);
  EXPECT_THAT(seen.remote_address, HasSubstr("127.0.0.1:"));
}

TEST_F(ServerTest, BodiesHaveRoomBehindThemForParsers) {
  std::atomic<int> roomy = 0;
  Start([&](Request request, Reply reply) {
    if (request.body.capacity() >= request.body.size() + 64) ++roomy;
    reply.Send({});
  });
  RawSocket client(port());
  for (size_t size : {size_t{0}, size_t{1}, size_t{15}, size_t{64}, size_t{100'000}}) {
    client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) +
                "\r\n\r\n" + std::string(size, 'x'));
    EXPECT_EQ(client.Receive().status, 200);
  }
  client.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_EQ(roomy, 6);
}

TEST_F(ServerTest, KeepsTheConnection) {
  StartEcho();
  RawSocket client(port());
  for (int i = 0; i < 50; ++i) {
    client.Send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.Receive().body, "GET /" + std::to_string(i) + " ");
  }
  client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Close\r\n\r\n");
  EXPECT_EQ(client.Receive().headers["connection"], "close");
  EXPECT_TRUE(client.ClosedWithin(milliseconds(3000)));
}

TEST_F(ServerTest, AnswersPipelinedRequestsInTheirOrder) {
  // The later a request, the sooner its answer is ready.
  Start([](Request request, Reply reply) {
    int number = std::stoi(request.path.substr(1));
    std::this_thread::sleep_for(milliseconds(number < 4 ? 40 - 10 * number : 0));
    reply.Send({200, {}, request.path});
  });
  RawSocket client(port());
  std::string all;
  for (int i = 0; i < 200; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  client.Send(all);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(client.Receive().body, "/" + std::to_string(i));
}

TEST_F(ServerTest, AnswersQuickHandlersInTheirOrderToo) {
  options.plan = [](const Request& request) {
    return BodyPlan{.quick = request.path.size() % 2 == 0};
  };
  StartEcho();
  RawSocket client(port());
  std::string all;
  for (int i = 0; i < 500; ++i) {
    all += "POST /" + std::string(static_cast<size_t>(i % 7), 'p') +
           " HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  }
  client.Send(all);
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(client.Receive().body,
              "POST /" + std::string(static_cast<size_t>(i % 7), 'p') + " abc");
  }
}

TEST_F(ServerTest, AHandlerMayAnswerLaterFromAnotherThread) {
  std::mutex mutex;
  std::vector<Reply> waiting;
  options.plan = [](const Request&) { return BodyPlan{.quick = true}; };
  Start([&](Request, Reply reply) {
    std::lock_guard lock(mutex);
    waiting.push_back(std::move(reply));
  });
  std::vector<std::unique_ptr<RawSocket>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<RawSocket>(port()));
    clients.back()->Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  }
  for (;;) {
    std::lock_guard lock(mutex);
    if (waiting.size() == 64) break;
  }
  std::thread([&] {
    for (const Reply& reply : waiting) reply.Send({200, {}, "durable"});
    waiting[0].Send({500, {}, "the second answer does not count"});
    waiting.clear();
  }).join();
  for (auto& client : clients) EXPECT_EQ(client->Receive().body, "durable");
}

TEST_F(ServerTest, AnUnansweredRequestIsAnswered500) {
  Start([](Request, Reply) {});
  RawSocket client(port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  RawAnswer answer = client.Receive();
  EXPECT_EQ(answer.status, 500);
  auto body = nlohmann::json::parse(answer.body);
  EXPECT_EQ(body["request_id"], answer.headers["x-request-id"]);
  EXPECT_EQ(body["code"], "internal");
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 500);
}

TEST_F(ServerTest, TakesChunkedBodies) {
  StartEcho();
  RawSocket client(port());
  std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n";
  std::string body = "5;name=value\r\nhello\r\n1 \r\n \r\n0005\r\nworld\r\n0\r\nTrailer: x\r\n\r\n";
  client.Send(head + body + head + body);
  EXPECT_EQ(client.Receive().body, "POST / hello world");
  EXPECT_EQ(client.Receive().body, "POST / hello world");
  for (char c : head + body) ASSERT_TRUE(client.Send(std::string_view(&c, 1)));
  EXPECT_EQ(client.Receive().body, "POST / hello world");
}

TEST_F(ServerTest, TakesLargeBodiesInAnyPieces) {
  Start([](Request request, Reply reply) { reply.Send({200, {}, std::move(request.body)}); });
  std::string body = SystemRandom().NextBytes(5'000'000);
  RawSocket client(port());
  std::thread sender([&] {
    client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n" + body);
    client.Send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0, size = 1; at < body.size(); at += size, size = size * 3 % 100'003) {
      std::string_view piece = std::string_view(body).substr(at, size);
      client.Send(fmt::format("{:x}\r\n", piece.size()));
      client.Send(piece);
      client.Send("\r\n");
      size = piece.size();
    }
    client.Send("0\r\n\r\n");
  });
  EXPECT_TRUE(client.Receive().body == body);
  EXPECT_TRUE(client.Receive().body == body);
  sender.join();
}

TEST_F(ServerTest, KeepsBodiesOfKnownLengthApartWhereverTheyAreCut) {
  Start([](Request request, Reply reply) { reply.Send({200, {}, std::move(request.body)}); });
  const std::string body = SystemRandom().NextBytes(40'000);
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40000\r\n\r\n";
  const std::string two = head + body + head + body;
  const size_t end = head.size() + body.size();
  RawSocket client(port());
  // Around the head, what is read with it, the end of the first and the beginning of the second.
  for (size_t cut : {head.size(), head.size() + 1, size_t{8'192}, size_t{8'193}, size_t{20'000},
                     end - 1, end, end + 1, end + 20, end + 20'000}) {
    client.Send(std::string_view(two).substr(0, cut));
    std::this_thread::sleep_for(milliseconds(5));
    client.Send(std::string_view(two).substr(cut));
    EXPECT_TRUE(client.Receive().body == body) << cut;
    EXPECT_TRUE(client.Receive().body == body) << cut;
  }
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  Start([](Request request, Reply reply) {
    if (request.path == "/stream") {
      auto writer = reply.Stream({});
      (void)writer->Write("ignored");
      (void)writer->Finish();
    } else {
      reply.Send({200, {}, "twelve bytes"});
    }
  });
  RawSocket client(port());
  client.Send(
      "HEAD / HTTP/1.1\r\nHost: h\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: h\r\n\r\nGET / "
      "HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.Receive(true).headers["content-length"], "12");
  EXPECT_EQ(client.Receive(true).headers["transfer-encoding"], "chunked");
  EXPECT_EQ(client.Receive().body, "twelve bytes");
}

TEST_F(ServerTest, Status204HasNeitherBodyNorLength) {
  Start([](Request, Reply reply) { reply.Send({204, {}, "dropped"}); });
  RawSocket client(port());
  client.Send("DELETE / HTTP/1.1\r\nHost: h\r\n\r\nDELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
  RawAnswer answer = client.Receive();
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.count("content-length"), 0u);
  EXPECT_EQ(client.Receive().status, 204);
}

TEST_F(ServerTest, Http10ClosesUnlessAsked) {
  StartEcho();
  RawSocket client(port());
  client.Send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  RawAnswer answer = client.Receive();
  EXPECT_EQ(answer.body, "GET /a ");
  EXPECT_EQ(answer.headers["connection"], "keep-alive");
  client.Send("GET /b HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.Receive().body, "GET /b ");
  EXPECT_TRUE(client.ClosedWithin(milliseconds(3000)));
}

TEST_F(ServerTest, AbsoluteTargetsNameTheHost) {
  Start([](Request request, Reply reply) {
    reply.Send({200, {}, request.path + " " + std::string(request.Header("host"))});
  });
  RawSocket client(port());
  client.Send(
      "GET http://other:1/p?q HTTP/1.1\r\nHost: h\r\n\r\nGET http://other HTTP/1.1\r\nHost: "
      "h\r\n\r\n");
  EXPECT_EQ(client.Receive().body, "/p other:1");
  EXPECT_EQ(client.Receive().body, "/ other");
}

TEST_F(ServerTest, Sends100OnlyWhenTheBodyIsWanted) {
  options.plan = [](const Request&) { return BodyPlan{.bytes_max = 10}; };
  StartEcho();
  RawSocket client(port());
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 100);
  client.Send("hello");
  EXPECT_EQ(client.Receive().body, "POST / hello");
  client.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.Receive().body, "POST / hello");
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 413);
  EXPECT_TRUE(client.ClosedWithin(milliseconds(4000)));
}

TEST_F(ServerTest, Sends100ForALargeBody) {
  Start([](Request request, Reply reply) { reply.Send({200, {}, std::move(request.body)}); });
  const std::string body(50'000, 'b');
  RawSocket client(port());
  client.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 50000\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 100);
  client.Send(body);
  EXPECT_TRUE(client.Receive().body == body);
}

TEST_F(ServerTest, AClientMayStopSendingAndStillReadItsAnswers) {
  Start([](Request request, Reply reply) {
    std::this_thread::sleep_for(milliseconds(50));
    reply.Send({200, {}, request.path});
  });
  RawSocket client(port());
  client.Send("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  client.EndSending();
  EXPECT_EQ(client.Receive().body, "/a");
  EXPECT_EQ(client.Receive().body, "/b");
  EXPECT_TRUE(client.ClosedWithin(milliseconds(3000)));
}

TEST_F(ServerTest, ServesManyClientsAtOnce) {
  std::atomic<int> count = 0;
  options.plan = [](const Request& request) { return BodyPlan{.quick = request.path == "/quick"}; };
  Start([&](Request request, Reply reply) {
    ++count;
    reply.Send({200, {}, std::move(request.body)});
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      RawSocket client(port());
      for (int i = 0; i < 200; ++i) {
        std::string body = fmt::format("{} {}", t, i);
        client.Send(fmt::format("POST {} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{}",
                                i % 2 ? "/quick" : "/slow", body.size(), body));
        ASSERT_EQ(client.Receive().body, body);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count, 3200);
  EXPECT_THAT(metrics.Text(),
              HasSubstr("weft_http_requests_total{method=\"POST\",status=\"2xx\"} 3200"));
  EXPECT_THAT(metrics.Text(), HasSubstr("weft_http_request_seconds_count 3200"));
}

TEST_F(ServerTest, AFullQueueAnswers503AndTellsWhenToComeBack) {
  options.request_threads = 1;
  options.request_queue_max = 1;
  std::mutex gate;
  gate.lock();
  Start([&](Request, Reply reply) {
    std::lock_guard wait(gate);
    reply.Send({});
  });
  std::vector<std::unique_ptr<RawSocket>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<RawSocket>(port()));
    clients.back()->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    std::this_thread::sleep_for(milliseconds(30));
  }
  RawAnswer refused = clients[4]->Receive();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers["retry-after"], "1");
  EXPECT_EQ(nlohmann::json::parse(refused.body)["request_id"], refused.headers["x-request-id"]);
  gate.unlock();
  EXPECT_EQ(clients[0]->Receive().status, 200);
  EXPECT_EQ(clients[1]->Receive().status, 200);
  clients[4]->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(clients[4]->Receive().status, 200);
}

TEST_F(ServerTest, StopAnswersWhatItHasAndTakesNoMore) {
  std::atomic<bool> begun = false;
  Start([&](Request, Reply reply) {
    begun = true;
    std::this_thread::sleep_for(milliseconds(300));
    reply.Send({200, {}, "late"});
  });
  RawSocket busy(port()), idle(port());
  busy.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  while (!begun) std::this_thread::yield();
  int at = port();
  std::thread stopping([&] { server->Stop(seconds(10)); });
  EXPECT_TRUE(idle.ClosedWithin(milliseconds(3000)));
  RawAnswer answer = busy.Receive();
  EXPECT_EQ(answer.body, "late");
  EXPECT_EQ(answer.headers["connection"], "close");
  EXPECT_TRUE(busy.ClosedWithin(milliseconds(3000)));
  stopping.join();
  RawSocket late(at);
  EXPECT_FALSE(late.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n") && late.Receive().status != 0);
}

TEST_F(ServerTest, StopCutsOffWhatOutlastsItsGrace) {
  std::mutex mutex;
  std::vector<Reply> kept;
  Start([&](Request, Reply reply) {
    std::lock_guard lock(mutex);
    kept.push_back(std::move(reply));
  });
  RawSocket client(port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(100));
  auto begin = std::chrono::steady_clock::now();
  server->Stop(seconds(1));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_TRUE(client.ClosedWithin(milliseconds(1000)));
  server.reset();
  for (const Reply& reply : kept)
    reply.Send({});  // an answer that comes after all is over is harmless
}

TEST_F(ServerTest, SaysWhyItCannotListen) {
  StartEcho();
  Server::Options taken = options;
  taken.port = port();
  auto second = Server::Open(
      taken, [](Request, Reply) {}, SystemRandom(), metrics);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  taken.port = 0;
  taken.certificate_file = "/nowhere.pem";
  EXPECT_EQ(Server::Open(
                taken, [](Request, Reply) {}, SystemRandom(), metrics)
                .error()
                .code(),
            Code::kInvalid);
  taken.key_file = "/nowhere.pem";
  EXPECT_EQ(Server::Open(
                taken, [](Request, Reply) {}, SystemRandom(), metrics)
                .error()
                .code(),
            Code::kInvalid);
}

}  // namespace
}  // namespace weft::http
