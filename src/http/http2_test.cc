// SPDX-License-Identifier: Apache-2.0
// HTTP/2 as well-behaved clients speak it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "http/testing/http2_client.h"
#include "http/testing/test_server.h"

namespace weft::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Http2Test : public TestServer {
 protected:
  Http2Client::Options To(int32_t window = 0) const {
    Http2Client::Options to;
    to.port = port();
    to.window = window;
    return to;
  }
};

TEST_F(Http2Test, AnswersRequests) {
  StartEcho();
  Http2Client client(To());
  int32_t get = client.Send("GET", "/a?b=c"), post = client.Send("POST", "/p", "hello");
  EXPECT_EQ(client.Receive(get).status, 200);
  EXPECT_EQ(client.answer(get).body, "GET /a ");
  EXPECT_EQ(client.Receive(post).body, "POST /p hello");
  EXPECT_TRUE(client.answer(post).whole);
  EXPECT_EQ(client.answer(post).reset, std::nullopt);
  EXPECT_GE(client.server_setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), 256u);
}

TEST_F(Http2Test, HandlersSeeARequestAsThatOfAnyVersion) {
  Request seen;
  size_t capacity = 0;
  Start([&](Request request, Reply reply) {
    capacity = request.body.capacity();
    seen = std::move(request);
    reply.Send({});
  });
  Http2Client client(To());
  int32_t stream = client.Send("PUT", "/a%20b?c=d%2f", "body",
                               {{"x-amz-target", "T"},
                                {"cookie", "a=1"},
                                {"cookie", "b=2"},
                                {"te", "trailers"},
                                {"content-length", "4"}});
  EXPECT_EQ(client.Receive(stream).status, 200);
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.path, "/a%20b");
  EXPECT_EQ(seen.query, "c=d%2f");
  EXPECT_EQ(seen.body, "body");
  EXPECT_GE(capacity, seen.body.size() + 64);
  EXPECT_EQ(seen.Header("host"), "h");
  EXPECT_EQ(seen.Header("x-amz-target"), "T");
  EXPECT_EQ(seen.Header("cookie"), "a=1; b=2");
  EXPECT_EQ(seen.Header("content-length"), "4");
  EXPECT_EQ(seen.Header(":authority"), "");
  EXPECT_EQ(seen.id, client.answer(stream).headers.at("x-request-id"));
  EXPECT_THAT(seen.remote_address, HasSubstr("127.0.0.1:"));
  EXPECT_FALSE(seen.secure);
}

TEST_F(Http2Test, AHostHeaderServesWhereThereIsNoAuthority) {
  Start([](Request request, Reply reply) {
    reply.Send({200, {}, std::string(request.Header("host"))});
  });
  Http2Client client(To());
  int32_t stream = client.SendFields(
      {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "example:1"}});
  EXPECT_EQ(client.Receive(stream).body, "example:1");
}

TEST_F(Http2Test, AnswersCarryWhatThoseOfHttp1Do) {
  Start([](Request, Reply reply) {
    reply.Send({201,
                {{"Content-Type", "text/x"},
                 {"Connection", "close"},
                 {"Keep-Alive", "x"},
                 {"Transfer-Encoding", "chunked"},
                 {"X-Split", " a\r\nb: c "}},
                "12345"});
  });
  Http2Client client(To());
  const Http2Answer& answer = client.Receive(client.Send("GET", "/"));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.headers.at("content-type"), "text/x");
  EXPECT_EQ(answer.headers.at("content-length"), "5");
  EXPECT_EQ(answer.headers.at("server"), "weft");
  EXPECT_EQ(answer.headers.at("date").size(), 29u);
  EXPECT_EQ(answer.headers.at("x-request-id").size(), 36u);
  EXPECT_EQ(answer.headers.at("x-split"), "a  b: c");
  for (const char* name : {"connection", "keep-alive", "transfer-encoding"})
    EXPECT_EQ(answer.headers.count(name), 0u) << name;
}

TEST_F(Http2Test, HeadHasTheLengthAndNoBody) {
  Start([](Request request, Reply reply) {
    if (request.path == "/stream") {
      auto writer = reply.Stream({200, {{"content-length", "7"}}, ""});
      (void)writer->Write("content");
      (void)writer->Finish();
      return;
    }
    if (request.path == "/none") return reply.Send({204, {}, "unseen"});
    reply.Send({200, {}, "content"});
  });
  Http2Client client(To());
  for (const char* path : {"/whole", "/stream"}) {
    const Http2Answer& answer = client.Receive(client.Send("HEAD", path));
    EXPECT_EQ(answer.headers.at("content-length"), "7") << path;
    EXPECT_EQ(answer.body, "");
    EXPECT_TRUE(answer.whole);
  }
  const Http2Answer& none = client.Receive(client.Send("GET", "/none"));
  EXPECT_EQ(none.status, 204);
  EXPECT_EQ(none.body, "");
  EXPECT_EQ(none.headers.count("content-length"), 0u);
}

TEST_F(Http2Test, AThousandStreamsAtOnceAreAnsweredEach) {
  options.plan = [](const Request& request) { return BodyPlan{.quick = request.path == "/quick"}; };
  options.request_queue_max = 2000;
  StartEcho();
  Http2Client client(To());
  std::vector<int32_t> streams;
  for (int i = 0; i < 1000; ++i)
    streams.push_back(client.Send("POST", i % 2 ? "/quick" : "/slow", std::to_string(i)));
  for (int i = 0; i < 1000; ++i) {
    const Http2Answer& answer = client.Receive(streams[static_cast<size_t>(i)]);
    ASSERT_EQ(answer.body, fmt::format("POST {} {}", i % 2 ? "/quick" : "/slow", i));
  }
  EXPECT_THAT(metrics.Text(),
              HasSubstr("weft_http_requests_total{method=\"POST\",status=\"2xx\"} 1000"));
}

TEST_F(Http2Test, AnswersComeInAnyOrderFromAnyThread) {
  std::mutex mutex;
  std::vector<Reply> kept;
  options.plan = [](const Request&) { return BodyPlan{.quick = true}; };
  Start([&](Request request, Reply reply) {
    if (request.path == "/now") return reply.Send({200, {}, "now"});
    std::lock_guard lock(mutex);
    kept.push_back(std::move(reply));
  });
  Http2Client client(To());
  int32_t late = client.Send("GET", "/late"), never = client.Send("GET", "/never");
  EXPECT_EQ(client.Receive(client.Send("GET", "/now")).body, "now");
  EXPECT_FALSE(client.answer(late).closed);
  std::thread other([&] {
    std::lock_guard lock(mutex);
    kept[0].Send({200, {}, "late"});
    kept.clear();
  });
  EXPECT_EQ(client.Receive(late).body, "late");
  EXPECT_EQ(client.Receive(never).status, 500);
  other.join();
}

TEST_F(Http2Test, LargeBodiesPassBothWays) {
  StartEcho();
  Http2Client client(To());
  std::string body(20'000'000, 'x');
  for (size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  const Http2Answer& answer = client.Receive(client.Send("POST", "/", body));
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == "POST / " + body);
}

TEST_F(Http2Test, ManyBodiesAtOnceStayWithinTheBudgetAndAllArrive) {
  Start([](Request request, Reply reply) {
    reply.Send({200, {}, std::to_string(request.body.size())});
  });
  Http2Client client(To());
  std::vector<int32_t> streams;
  for (int i = 0; i < 30; ++i) {
    streams.push_back(client.Begin("POST", "/"));
    client.Write(streams.back(), std::string(4'000'000, 'x'));
  }
  // None is whole yet: far less than the 120 MB is taken.
  int64_t unsent = 0, before = -1;
  while (unsent != before) {
    before = unsent;
    client.For(milliseconds(200));
    unsent = 0;
    for (int32_t stream : streams) unsent += client.unsent(stream);
  }
  EXPECT_GT(unsent, 60'000'000);
  for (int32_t stream : streams) client.End(stream);
  for (int32_t stream : streams) EXPECT_EQ(client.Receive(stream).body, "4000000");
}

TEST_F(Http2Test, AClientThatAsksIsToldToGoOn) {
  StartEcho();
  Http2Client client(To());
  int32_t stream = client.Begin("POST", "/", {{"expect", "100-continue"}});
  EXPECT_TRUE(client.Until([&] { return client.answer(stream).status == 100; }));
  client.Write(stream, "body");
  client.End(stream);
  EXPECT_EQ(client.Receive(stream).body, "POST / body");
  EXPECT_THAT(client.answer(stream).interim, ElementsAre(100));
}

TEST_F(Http2Test, TrailersSayNothing) {
  Start([](Request request, Reply reply) {
    reply.Send({200, {}, fmt::format("{} {}", request.body, request.Header("x-late"))});
  });
  Http2Client client(To());
  int32_t stream = client.Begin("POST", "/");
  client.Write(stream, "body");
  client.Trail(stream, {{"x-late", "value"}});
  EXPECT_EQ(client.Receive(stream).body, "body ");
}

TEST_F(Http2Test, PingsAreAnswered) {
  StartEcho();
  Http2Client client(To());
  client.Ping();
  EXPECT_TRUE(client.Until([&] { return client.pings() == 1; }));
}

TEST_F(Http2Test, Http1IsStillSpokenOnTheSamePort) {
  StartEcho();
  Http2Client second(To());
  RawSocket first(port());
  first.Send("P");  // as PRI begins, and POST
  second.For(milliseconds(30));
  first.Send(
      "OST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\naGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(second.Receive(second.Send("GET", "/3")).body, "GET /3 ");
  EXPECT_EQ(first.Receive().body, "POST /1 a");
  EXPECT_EQ(first.Receive().body, "GET /2 ");
}

TEST_F(Http2Test, ConnectionsAreCounted) {
  StartEcho();
  {
    Http2Client client(To());
    EXPECT_EQ(client.Receive(client.Send("GET", "/")).status, 200);
    EXPECT_THAT(metrics.Text(), HasSubstr("weft_http_connections 1"));
  }
  for (int i = 0; i < 1000 && metrics.Text().find("weft_http_connections 0") == std::string::npos;
       ++i)
    std::this_thread::sleep_for(milliseconds(5));
  EXPECT_THAT(metrics.Text(), HasSubstr("weft_http_connections 0"));
}

TEST_F(Http2Test, AFullQueueAnswers503) {
  options.request_threads = 1;
  options.request_queue_max = 1;
  std::mutex gate;
  gate.lock();
  Start([&](Request, Reply reply) {
    std::lock_guard wait(gate);
    reply.Send({});
  });
  Http2Client client(To());
  std::vector<int32_t> streams;
  for (int i = 0; i < 5; ++i) {
    streams.push_back(client.Send("GET", "/"));
    client.For(milliseconds(30));
  }
  const Http2Answer& refused = client.Receive(streams[4]);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  gate.unlock();
  EXPECT_EQ(client.Receive(streams[0]).status, 200);
  EXPECT_EQ(client.Receive(streams[1]).status, 200);
}

TEST_F(Http2Test, StopFinishesTheStreamsItHas) {
  std::atomic<bool> begun = false;
  Start([&](Request, Reply reply) {
    auto writer = reply.Stream({});
    for (int i = 0; i < 10; ++i) {
      begun = true;
      std::this_thread::sleep_for(milliseconds(30));
      ASSERT_TRUE(writer->Write("piece").ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
  });
  Http2Client busy(To()), idle(To());
  int32_t stream = busy.Send("GET", "/");
  busy.Until([&] { return begun.load(); });
  idle.For(milliseconds(50));
  std::thread stopping([&] { server->Stop(seconds(10)); });
  EXPECT_TRUE(idle.Until([&] { return idle.closed(); }, milliseconds(3000)) || idle.closed());
  EXPECT_EQ(idle.goaway(), NGHTTP2_NO_ERROR);
  busy.Until([&] { return busy.goaway().has_value(); });
  EXPECT_EQ(busy.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_EQ(busy.Receive(stream).body.size(), 50u);
  EXPECT_TRUE(busy.answer(stream).whole);
  busy.For(milliseconds(3000));
  EXPECT_TRUE(busy.closed());
  stopping.join();
}

TEST_F(Http2Test, StopCutsOffWhatOutlastsItsGrace) {
  std::mutex mutex;
  std::vector<Reply> kept;
  Start([&](Request, Reply reply) {
    std::lock_guard lock(mutex);
    kept.push_back(std::move(reply));
  });
  Http2Client client(To());
  client.Send("GET", "/");
  client.For(milliseconds(100));
  auto begin = std::chrono::steady_clock::now();
  server->Stop(seconds(1));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  client.For(milliseconds(1000));
  EXPECT_TRUE(client.closed());
  server.reset();
  for (const Reply& reply : kept) reply.Send({});
}

TEST_F(Http2Test, ServesManyConnectionsAtOnce) {
  options.plan = [](const Request& request) { return BodyPlan{.quick = request.path == "/quick"}; };
  StartEcho();
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      Http2Client client(To());
      for (int round = 0; round < 20; ++round) {
        std::vector<int32_t> streams;
        for (int i = 0; i < 20; ++i)
          streams.push_back(
              client.Send("POST", i % 2 ? "/quick" : "/slow", std::string(1000, 'x')));
        for (int32_t stream : streams) right += client.Receive(stream).status == 200;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 8 * 20 * 20);
}

}  // namespace
}  // namespace weft::http
