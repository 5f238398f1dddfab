// SPDX-License-Identifier: Apache-2.0
// HTTP/2: bodies that are not held whole, either way, and streams that do not hinder each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "http/testing/http2_client.h"
#include "http/testing/test_server.h"

namespace weft::http {
namespace {

class Http2StreamTest : public TestServer {
 protected:
  Http2StreamTest() {
    options.plan = [](const Request& request) {
      return BodyPlan{.bytes_max = 50'000'000,
                      .stream = request.path.starts_with("/in"),
                      .quick = request.path.starts_with("/quick")};
    };
  }
  Http2Client::Options To(int32_t window = 0) const {
    Http2Client::Options to;
    to.port = port();
    to.window = window;
    return to;
  }
  void StartCounting() {
    Start([this](Request request, Reply reply) {
      if (!request.stream) return reply.Send({200, {}, "whole"});
      while (hold && request.path == "/in/held") std::this_thread::sleep_for(milliseconds(2));
      int64_t bytes = 0;
      for (;;) {
        auto piece = request.stream->Read();
        if (!piece.ok()) {
          failure = piece.error().code();
          failed = true;
          return reply.Send({400, {}, piece.error().message()});
        }
        if (piece->empty()) break;
        bytes += static_cast<int64_t>(piece->size());
      }
      reply.Send({200, {}, std::to_string(bytes)});
    });
  }
  std::atomic<bool> hold = false, failed = false;
  std::atomic<Code> failure = Code::kInternal;
};

TEST_F(Http2StreamTest, AStalledBodyStallsNoOther) {
  hold = true;
  StartCounting();
  Http2Client client(To());
  int32_t held = client.Begin("POST", "/in/held");
  client.Write(held, std::string(40'000'000, 'x'));
  client.End(held);
  client.For(milliseconds(300));
  EXPECT_GT(client.unsent(held), 39'000'000);  // what its window and the handler's buffer take
  int32_t other = client.Send("POST", "/in/free", std::string(5'000'000, 'x'));
  EXPECT_EQ(client.Receive(other).body, "5000000");
  EXPECT_EQ(client.Receive(client.Send("POST", "/", std::string(5'000'000, 'x'))).body, "whole");
  EXPECT_FALSE(client.answer(held).closed);
  hold = false;
  EXPECT_EQ(client.Receive(held).body, "40000000");
}

TEST_F(Http2StreamTest, AStalledReceiverStallsNoOtherAnswer) {
  std::atomic<int64_t> written = 0;
  Start([&](Request request, Reply reply) {
    if (request.path != "/large") return reply.Send({200, {}, "small"});
    auto writer = reply.Stream({});
    for (int i = 0; i < 300; ++i) {
      if (!writer->Write(Bytes(100'000, 'x')).ok()) return;
      written += 100'000;
    }
    (void)writer->Finish();
  });
  Http2Client::Options to = To(65'535);
  to.gives_window_back = false;
  Http2Client client(to);
  int32_t large = client.Send("GET", "/large");
  client.For(milliseconds(200));
  EXPECT_LT(written, 2'000'000);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.Receive(client.Send("GET", "/")).body, "small");
  EXPECT_EQ(client.answer(large).body.size(), 65'535u);
  client.GiveWindow(large, 100'000'000);
  EXPECT_EQ(client.Receive(large).body.size(), 30'000'000u);
  EXPECT_TRUE(client.answer(large).whole);
}

TEST_F(Http2StreamTest, TinyAndZeroWindowsAreKept) {
  Start([](Request, Reply reply) { reply.Send({200, {}, Bytes(1000, 'x')}); });
  Http2Client::Options to = To(1);
  Http2Client tiny(to);
  EXPECT_EQ(tiny.Receive(tiny.Send("GET", "/")).body.size(), 1000u);
  to.gives_window_back = false;
  Http2Client zero(to);
  int32_t stream = zero.Send("GET", "/");
  zero.For(milliseconds(100));
  EXPECT_EQ(zero.answer(stream).status, 200);
  EXPECT_EQ(zero.answer(stream).body.size(), 1u);
  zero.GiveWindow(stream, 998);
  zero.For(milliseconds(100));
  EXPECT_EQ(zero.answer(stream).body.size(), 999u);
  zero.GiveWindow(stream, 1);
  EXPECT_EQ(zero.Receive(stream).body.size(), 1000u);
}

TEST_F(Http2StreamTest, ASenderThatStallsFailsTheReader) {
  options.body_time_max = seconds(1);
  StartCounting();
  Http2Client client(To());
  int32_t stream = client.Begin("POST", "/in"), whole = client.Begin("POST", "/");
  client.Write(stream, "hello");
  client.Write(whole, "hello");
  EXPECT_EQ(client.Receive(stream).status, 400);
  EXPECT_EQ(failure, Code::kUnavailable);
  EXPECT_EQ(client.Receive(whole).status, 408);
  EXPECT_EQ(client.Receive(client.Send("GET", "/")).status, 200);  // the connection goes on
}

TEST_F(Http2StreamTest, AReaderLearnsOfALimitAndOfAReset) {
  StartCounting();
  Http2Client client(To());
  int32_t longer = client.Send("POST", "/in", std::string(50'000'001, 'x'));
  EXPECT_EQ(client.Receive(longer).status, 400);
  EXPECT_EQ(failure, Code::kInvalid);
  failed = false;
  int32_t reset = client.Begin("POST", "/in");
  client.Write(reset, "hello");
  client.For(milliseconds(50));
  client.Reset(reset);
  client.Until([&] { return failed.load(); });
  EXPECT_EQ(failure, Code::kUnavailable);
}

TEST_F(Http2StreamTest, AnAnswerBeforeTheBodysEndEndsTheStreamOnly) {
  Start([](Request, Reply reply) { reply.Send({403, {}, "no"}); });
  Http2Client client(To());
  int32_t stream = client.Begin("POST", "/in");
  client.Write(stream, std::string(1'000'000, 'x'));
  const Http2Answer& answer = client.Receive(stream);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "no");
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.reset, NGHTTP2_NO_ERROR);
  EXPECT_EQ(client.Receive(client.Send("POST", "/", "x")).status, 403);
}

TEST_F(Http2StreamTest, AnswersAreSentAsTheyAreWritten) {
  std::atomic<bool> go = false;
  Start([&](Request, Reply reply) {
    auto writer = reply.Stream({200, {{"content-type", "application/x-ndjson"}}, ""});
    EXPECT_TRUE(writer->Write("first\n").ok());
    while (!go) std::this_thread::yield();
    EXPECT_TRUE(writer->Write("second\n").ok());
    EXPECT_TRUE(writer->Finish().ok());
  });
  Http2Client client(To());
  int32_t stream = client.Send("GET", "/");
  EXPECT_TRUE(client.Until([&] { return client.answer(stream).body == "first\n"; }));
  go = true;
  EXPECT_EQ(client.Receive(stream).body, "first\nsecond\n");
  EXPECT_EQ(client.answer(stream).headers.count("content-length"), 0u);
}

TEST_F(Http2StreamTest, AnAbortedOrDroppedAnswerIsReset) {
  Start([](Request request, Reply reply) {
    Response head;
    if (request.path == "/short") head.headers.emplace_back("content-length", "100");
    if (request.path == "/long") head.headers.emplace_back("content-length", "2");
    auto writer = reply.Stream(std::move(head));
    (void)writer->Write("part");
    if (request.path == "/abort") writer->Abort();
    if (request.path == "/short" || request.path == "/long") (void)writer->Finish();
  });
  Http2Client client(To());
  for (const char* path : {"/abort", "/drop", "/short", "/long"}) {
    const Http2Answer& answer = client.Receive(client.Send("GET", path));
    EXPECT_FALSE(answer.whole) << path;
    EXPECT_EQ(answer.reset, NGHTTP2_INTERNAL_ERROR) << path;
  }
}

TEST_F(Http2StreamTest, AWriterLearnsOfAResetAGoneClientAndAStalledOne) {
  options.body_time_max = seconds(1);
  std::atomic<int> outcome = 0;
  Start([&](Request, Reply reply) {
    auto writer = reply.Stream({});
    for (int i = 0; i < 10'000; ++i) {
      Status status = writer->Write(Bytes(100'000, 'x'));
      if (status.ok()) continue;
      outcome = status.error().code() == Code::kUnavailable ? 1 : 2;
      return;
    }
    outcome = 3;
  });
  {
    Http2Client client(To(1000));
    int32_t stream = client.Send("GET", "/");
    client.Until([&] { return client.answer(stream).status == 200; });
    client.Reset(stream);
    client.Until([&] { return outcome != 0; });
    EXPECT_EQ(outcome, 1);
    outcome = 0;
    stream = client.Send("GET", "/");
    client.Until([&] { return client.answer(stream).status == 200; });
  }
  while (outcome == 0) std::this_thread::yield();
  EXPECT_EQ(outcome, 1);
  outcome = 0;
  Http2Client::Options to = To(1000);
  to.gives_window_back = false;
  Http2Client stalled(to);
  int32_t stream = stalled.Send("GET", "/");
  EXPECT_EQ(stalled.Receive(stream).reset, NGHTTP2_CANCEL);
  while (outcome == 0) std::this_thread::yield();
  EXPECT_EQ(outcome, 1);
}

// Writes while there is room, and goes on when woken.
struct Feed : std::enable_shared_from_this<Feed> {
  std::unique_ptr<BodyWriter> writer;
  int left = 0;
  std::atomic<int> waits = 0, outcome = 0;
  void Run() {
    Bytes piece(700'000, 'x');
    while (left > 0) {
      if (!writer->HasRoom([self = shared_from_this()] { self->Run(); })) {
        ++waits;
        return;
      }
      if (!writer->Write(piece).ok()) {
        outcome = 2;
        return;
      }
      --left;
    }
    outcome = writer->Finish().ok() ? 1 : 3;
  }
};

TEST_F(Http2StreamTest, ManyHandlersWithoutThreadsFeedTheirStreams) {
  options.io_threads = 1;
  std::mutex mutex;
  std::vector<std::shared_ptr<Feed>> feeds;
  Start([&](Request, Reply reply) {
    auto feed = std::make_shared<Feed>();
    {
      std::lock_guard lock(mutex);
      feeds.push_back(feed);
    }
    feed->left = 10;
    feed->writer = reply.Stream({});
    feed->Run();
  });
  Http2Client client(To(1'000'000));
  std::vector<int32_t> streams;
  for (int i = 0; i < 10; ++i) streams.push_back(client.Send("GET", i % 2 ? "/quick" : "/"));
  for (int32_t stream : streams) EXPECT_EQ(client.Receive(stream).body.size(), 7'000'000u);
  int waits = 0;
  for (auto& feed : feeds) waits += feed->waits;
  EXPECT_GT(waits, 0);
  feeds.clear();
  int32_t given_up = client.Send("GET", "/quick");
  client.Until([&] { return client.answer(given_up).status == 200; });
  client.Reset(given_up);
  client.For(milliseconds(50));
  ASSERT_EQ(feeds.size(), 1u);
  for (int i = 0; i < 1000 && feeds[0]->outcome == 0; ++i) client.For(milliseconds(5));
  EXPECT_NE(feeds[0]->outcome, 0);
}

}  // namespace
}  // namespace weft::http
