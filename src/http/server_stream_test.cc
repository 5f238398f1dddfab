// SPDX-License-Identifier: Apache-2.0
// Bodies that are not held whole, either way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "http/testing/test_server.h"

namespace weft::http {
namespace {

using testing::HasSubstr;

class StreamTest : public TestServer {
 protected:
  StreamTest() {
    options.plan = [](const Request& request) {
      return BodyPlan{.bytes_max = 50'000'000, .stream = request.path.starts_with("/in")};
    };
  }
  // Reads the body to its end and answers with its length, or with why that failed.
  void StartCounting() {
    Start([this](Request request, Reply reply) {
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
  std::atomic<bool> failed = false;
  std::atomic<Code> failure = Code::kInternal;
};

TEST_F(StreamTest, HandlersReadABodyAsItArrives) {
  std::atomic<int> pieces = 0;
  Start([&](Request request, Reply reply) {
    std::string all;
    for (;;) {
      auto piece = request.stream->Read();
      if (!piece.ok() || piece->empty()) break;
      ++pieces;
      all += *piece;
    }
    reply.Send({200, {}, all});
  });
  RawSocket client(port());
  client.Send("POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
  while (pieces == 0) std::this_thread::yield();
  client.Send("world");
  EXPECT_EQ(client.Receive().body, "helloworld");
  client.Send(
      "POST /in HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_EQ(client.Receive().body, "abc");
  client.Send("POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client.Receive().body, "");
}

TEST_F(StreamTest, ABodyOfAnySizePassesThroughABoundedBuffer) {
  StartCounting();
  RawSocket client(port());
  client.Send("POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 40000000\r\n\r\n");
  std::string piece(1'000'000, 'x');
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(client.Send(piece));
  EXPECT_EQ(client.Receive().body, "40000000");
  client.Send("POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(client.Receive().body, "1");
}

TEST_F(StreamTest, ASlowReaderHoldsTheSenderBack) {
  std::atomic<bool> go = false;
  Start([&](Request request, Reply reply) {
    while (!go) std::this_thread::sleep_for(milliseconds(5));
    int64_t bytes = 0;
    for (;;) {
      auto piece = request.stream->Read();
      if (!piece.ok() || piece->empty()) break;
      bytes += static_cast<int64_t>(piece->size());
    }
    reply.Send({200, {}, std::to_string(bytes)});
  });
  RawSocket client(port());
  client.Send("POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 40000000\r\n\r\n");
  std::atomic<int64_t> sent = 0;
  std::thread sender([&] {
    std::string piece(100'000, 'x');
    for (int i = 0; i < 400 && client.Send(piece); ++i) sent += 100'000;
  });
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(sent, 30'000'000);
  go = true;
  sender.join();
  EXPECT_EQ(client.Receive().body, "40000000");
}

TEST_F(StreamTest, TheReaderLearnsOfALimitABrokenChunkAndAGoneClient) {
  StartCounting();
  {
    RawSocket client(port());
    client.Send("POST /in HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX");
    RawAnswer answer = client.Receive();
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(failure, Code::kInvalid);
    EXPECT_TRUE(client.ClosedWithin(milliseconds(4000)));
  }
  {
    RawSocket client(port());
    client.Send("POST /in HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3000000\r\n");
    std::string piece(1'000'000, 'x');
    for (int i = 0; i < 52 && client.Send(piece); ++i) continue;
    EXPECT_THAT(client.Receive().body, HasSubstr("longer than 50000000"));
  }
  failed = false;
  {
    RawSocket client(port());
    client.Send("POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
  }
  while (!failed) std::this_thread::yield();
  EXPECT_EQ(failure, Code::kUnavailable);
}

TEST_F(StreamTest, AStalledSenderFailsTheReader) {
  options.body_time_max = seconds(1);
  StartCounting();
  RawSocket client(port());
  client.Send("POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
  EXPECT_EQ(client.Receive().status, 400);
  EXPECT_EQ(failure, Code::kUnavailable);
}

TEST_F(StreamTest, AnAnswerBeforeTheBodysEndClosesTheConnection) {
  Start([](Request, Reply reply) { reply.Send({403, {}, "no"}); });
  RawSocket client(port());
  client.Send("POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" +
              std::string(1000, 'x'));
  RawAnswer answer = client.Receive();
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.headers["connection"], "close");
  EXPECT_TRUE(client.ClosedWithin(milliseconds(4000)));
}

TEST_F(StreamTest, AnswersAreSentAsTheyAreWritten) {
  std::atomic<bool> go = false;
  Start([&](Request, Reply reply) {
    auto writer = reply.Stream({200, {{"content-type", "application/x-ndjson"}}, ""});
    EXPECT_TRUE(writer->Write("first\n").ok());
    while (!go) std::this_thread::yield();
    EXPECT_TRUE(writer->Write("").ok());
    EXPECT_TRUE(writer->Write("second\n").ok());
    EXPECT_TRUE(writer->Finish().ok());
    EXPECT_FALSE(writer->Write("late").ok());
  });
  RawSocket client(port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  std::string got;
  while (got.find("first") == std::string::npos) got += client.ReceiveAll(milliseconds(50));
  go = true;
  while (got.find("\r\n0\r\n\r\n") == std::string::npos) got += client.ReceiveAll(milliseconds(50));
  EXPECT_THAT(got, HasSubstr("6\r\nfirst\n\r\n"));
  EXPECT_THAT(got, HasSubstr("7\r\nsecond\n\r\n0\r\n\r\n"));
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.Receive().body, "first\nsecond\n");
}

TEST_F(StreamTest, LargeAnswersPassThroughABoundedBuffer) {
  std::atomic<int64_t> written = 0;
  Start([&](Request request, Reply reply) {
    Response head;
    if (request.path == "/length") head.headers.emplace_back("Content-Length", "30000000");
    auto writer = reply.Stream(std::move(head));
    Bytes piece(100'000, 'x');
    for (int i = 0; i < 300; ++i) {
      if (!writer->Write(piece).ok()) return;
      written += 100'000;
    }
    (void)writer->Finish();
  });
  RawSocket client(port(), 65536);
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_LT(written, 20'000'000);
  EXPECT_EQ(client.Receive().body.size(), 30'000'000u);
  client.Send("GET /length HTTP/1.1\r\nHost: h\r\n\r\n");
  RawAnswer answer = client.Receive();
  EXPECT_EQ(answer.headers["content-length"], "30000000");
  EXPECT_EQ(answer.headers.count("transfer-encoding"), 0u);
  EXPECT_EQ(answer.body.size(), 30'000'000u);
}

TEST_F(StreamTest, AnAbortedOrDroppedAnswerIsNeverTakenForWhole) {
  Start([](Request request, Reply reply) {
    Response head;
    if (request.path == "/short") head.headers.emplace_back("content-length", "100");
    auto writer = reply.Stream(std::move(head));
    (void)writer->Write("part");
    if (request.path == "/abort") writer->Abort();
    if (request.path == "/short") (void)writer->Finish();
  });
  for (const char* path : {"/abort", "/drop", "/short"}) {
    RawSocket client(port());
    client.Send(std::string("GET ") + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.Receive().status, 0) << path;
  }
}

TEST_F(StreamTest, AWriterLearnsThatItsClientWentAway) {
  std::atomic<int> outcome = 0;
  options.body_time_max = seconds(1);
  Start([&](Request, Reply reply) {
    auto writer = reply.Stream({});
    Bytes piece(100'000, 'x');
    for (int i = 0; i < 1000; ++i) {
      Status status = writer->Write(piece);
      if (status.ok()) continue;
      outcome = status.error().code() == Code::kUnavailable ? 1 : 2;
      return;
    }
    outcome = 3;
  });
  {
    RawSocket gone(port());
    gone.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    std::this_thread::sleep_for(milliseconds(50));
  }
  while (outcome == 0) std::this_thread::yield();
  EXPECT_EQ(outcome, 1);
  outcome = 0;
  RawSocket stalled(port(), 4096);
  stalled.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  while (outcome == 0) std::this_thread::yield();
  EXPECT_EQ(outcome, 1);
}

// What a handler without a thread of its own does: writes while there is room, and goes on when
// woken.
struct Feed : std::enable_shared_from_this<Feed> {
  std::unique_ptr<BodyWriter> writer;
  int left = 0;
  std::atomic<int> waits = 0;
  std::atomic<int> outcome = 0;
  void Run() {
    Bytes piece(700'000, 'x');  // more than the buffer takes
    while (left > 0) {
      if (!writer->HasRoom([self = shared_from_this()] { self->Run(); })) {
        ++waits;
        return;
      }
      Status written = writer->Write(piece);
      if (!written.ok()) {
        outcome = written.error().code() == Code::kUnavailable ? 2 : 3;
        return;
      }
      --left;
    }
    outcome = writer->Finish().ok() ? 1 : 4;
  }
};

TEST_F(StreamTest, AHandlerWithoutAThreadWritesWhenThereIsRoom) {
  options.body_time_max = seconds(2);
  options.plan = [](const Request&) { return BodyPlan{.quick = true}; };
  auto feed = std::make_shared<Feed>();
  Start([&](Request, Reply reply) {
    feed->writer = reply.Stream({});
    feed->left = 100;
    feed->Run();
  });
  RawSocket client(port(), 65536);
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(feed->outcome, 0);
  EXPECT_EQ(client.Receive().body.size(), 70'000'000u);
  while (feed->outcome == 0) std::this_thread::yield();
  EXPECT_EQ(feed->outcome, 1);
  EXPECT_GT(feed->waits, 0);
}

TEST_F(StreamTest, AWaitingWriterIsWokenWhenItsClientGoes) {
  auto feed = std::make_shared<Feed>();
  Start([&](Request, Reply reply) {
    feed->writer = reply.Stream({});
    feed->left = 1000;
    feed->Run();
  });
  {
    RawSocket client(port(), 4096);
    client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    while (feed->waits == 0) std::this_thread::yield();
    EXPECT_EQ(feed->outcome, 0);
  }
  while (feed->outcome == 0) std::this_thread::yield();
  EXPECT_EQ(feed->outcome, 2);
}

TEST_F(StreamTest, Http10GetsItsStreamUntilTheEnd) {
  Start([](Request, Reply reply) {
    auto writer = reply.Stream({});
    (void)writer->Write("until the end");
    (void)writer->Finish();
  });
  RawSocket client(port());
  client.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  RawAnswer answer = client.Receive();
  EXPECT_EQ(answer.headers.count("transfer-encoding"), 0u);
  EXPECT_EQ(answer.headers["connection"], "close");
  EXPECT_EQ(answer.body, "until the end");
}

TEST_F(StreamTest, QuickHandlersMayStreamWithoutWaiting) {
  options.plan = [](const Request&) { return BodyPlan{.quick = true}; };
  Start([](Request, Reply reply) {
    auto writer = reply.Stream({});
    for (int i = 0; i < 10; ++i) (void)writer->Write(Bytes(100'000, 'q'));
    (void)writer->Finish();
  });
  RawSocket client(port());
  for (int i = 0; i < 3; ++i) {
    client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.Receive().body.size(), 1'000'000u);
  }
}

TEST_F(StreamTest, StreamsAndPipelinedRequestsKeepTheirOrder) {
  Start([](Request request, Reply reply) {
    if (request.path != "/slow") return reply.Send({200, {}, request.path});
    auto writer = reply.Stream({});
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(milliseconds(10));
      (void)writer->Write("s");
    }
    (void)writer->Finish();
  });
  RawSocket client(port());
  for (const char* path : {"/slow", "/a", "/slow", "/b"}) {
    client.Send(std::string("GET ") + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  for (const char* body : {"sssss", "/a", "sssss", "/b"}) EXPECT_EQ(client.Receive().body, body);
}

}  // namespace
}  // namespace weft::http
