// SPDX-License-Identifier: Apache-2.0
// What clients of HTTP/2 do that are broken or mean it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "http/testing/http2_client.h"
#include "http/testing/test_server.h"

namespace weft::http {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr uint8_t kEndStream = 1, kEndHeaders = 4;

std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
  std::string frame;
  for (int shift : {16, 8, 0}) frame += static_cast<char>(payload.size() >> shift & 0xff);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  for (int shift : {24, 16, 8, 0}) frame += static_cast<char>(stream >> shift & 0xff);
  return frame + payload;
}

// GET http://h/ as HPACK has it.
std::string Get() { return "\x82\x86\x84\x41\x01h"; }
std::string Settings() { return Frame(NGHTTP2_SETTINGS, 0, 0, ""); }
std::string Repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// The error code of the first RST_STREAM or GOAWAY among the frames.
std::optional<uint32_t> CodeOf(std::string_view frames, uint8_t type) {
  auto number = [&](size_t at, size_t bytes) {
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<uint8_t>(frames[at + i]);
    return value;
  };
  while (frames.size() >= 9) {
    size_t bytes = 9 + number(0, 3);
    size_t code_at = type == NGHTTP2_GOAWAY ? 13 : 9;
    if (static_cast<uint8_t>(frames[3]) == type && frames.size() >= code_at + 4)
      return number(code_at, 4);
    frames.remove_prefix(std::min(bytes, frames.size()));
  }
  return std::nullopt;
}

class Http2HostileTest : public TestServer {
 protected:
  Http2Client::Options To() const {
    Http2Client::Options to;
    to.port = port();
    return to;
  }
  // Sends it behind a proper begin; gives the error code with which the server says farewell.
  std::optional<uint32_t> GoawayAfter(const std::string& bytes) {
    RawSocket client(port());
    client.Send(kPreface + Settings() + bytes);
    auto code = CodeOf(client.ReceiveAll(), NGHTTP2_GOAWAY);
    EXPECT_TRUE(client.ClosedWithin(milliseconds(100)));
    return code;
  }
  void ExpectAlive() {
    Http2Client client(To());
    EXPECT_EQ(client.Receive(client.Send("GET", "/alive")).status, 200);
  }
  void ExpectStatus(const Http2Client::Headers& fields, int status) {
    Http2Client::Options to = To();
    to.checks = false;
    Http2Client client(to);
    const Http2Answer& answer = client.Receive(client.SendFields(fields));
    EXPECT_EQ(answer.status, status) << fields.back().first << ": " << fields.back().second;
    auto body = nlohmann::json::parse(answer.body, nullptr, false);
    ASSERT_TRUE(body.is_object()) << answer.body;
    EXPECT_EQ(body["request_id"], answer.headers.at("x-request-id"));
    EXPECT_EQ(client.Receive(client.Send("GET", "/")).status, 200);
  }
  // The stream is refused as malformed, and the connection goes on.
  void ExpectReset(const Http2Client::Headers& fields) {
    SCOPED_TRACE(fields.back().first);
    Http2Client::Options to = To();
    to.checks = false;
    Http2Client client(to);
    const Http2Answer& answer = client.Receive(client.SendFields(fields));
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.reset, NGHTTP2_PROTOCOL_ERROR);
    EXPECT_EQ(client.Receive(client.Send("GET", "/")).status, 200);
  }
};

TEST_F(Http2HostileTest, RefusesABeginThatIsNotOne) {
  options.header_time_max = seconds(1);
  StartEcho();
  for (const std::string& begin :
       {std::string("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSM\n"),
        std::string(kPreface) + Frame(NGHTTP2_PING, 0, 0, "12345678"),
        std::string(kPreface) + std::string(100, '\xff')}) {
    RawSocket client(port());
    client.Send(begin);
    EXPECT_TRUE(client.ClosedWithin(milliseconds(4000))) << begin;
  }
  // A part of it and no more; and it, without a frame behind it.
  for (const std::string& begin :
       {std::string("PRI * HT"), std::string("PRI * HTTP/2.0\r\n"), std::string(kPreface)}) {
    RawSocket client(port());
    client.Send(begin);
    EXPECT_TRUE(client.ClosedWithin(milliseconds(4000))) << begin;
  }
  ExpectAlive();
}

TEST_F(Http2HostileTest, RefusesMalformedRequests) {
  StartEcho();
  const Http2Client::Headers get = {
      {":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}};
  auto with = [&](const std::string& name, const std::string& value) {
    Http2Client::Headers fields = get;
    fields.emplace_back(name, value);
    return fields;
  };
  for (const auto& [name, value] : Http2Client::Headers{{"connection", "close"},
                                                        {"keep-alive", "x"},
                                                        {"transfer-encoding", "chunked"},
                                                        {"upgrade", "h2c"},
                                                        {"te", "gzip"},
                                                        {":path", "/again"},
                                                        {":status", "200"},
                                                        {":unknown", "x"},
                                                        {"content-length", "x"},
                                                        {"content-length", "5"}}) {
    ExpectReset(with(name, value));
  }
  ExpectReset({{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}});
  ExpectReset({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}});
  ExpectReset({{":scheme", "http"}, {":path", "/"}, {":authority", "h"}});
  ExpectReset({{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}, {":path", "x"}});
  ExpectStatus(with("x",
                    "a\x01"
                    "b"),
               400);
  ExpectStatus(with("x y", "a"), 400);
  ExpectStatus(with("host", "other"), 400);
  ExpectStatus(with("expect", "miracles"), 417);
  ExpectStatus({{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}, {":path", "/a#b"}},
               400);
  ExpectStatus({{":method", "CONNECT"}, {":authority", "h:1"}}, 400);
}

TEST_F(Http2HostileTest, RefusesHeadsPastTheLimit) {
  options.header_bytes_max = 2000;
  StartEcho();
  Http2Client client(To());
  EXPECT_EQ(client.server_setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE), UINT32_MAX);
  EXPECT_EQ(client.Receive(client.Send("GET", "/", "", {{"x", std::string(1500, 'x')}})).status,
            200);
  EXPECT_EQ(client.server_setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE), 2000u);
  EXPECT_EQ(client.Receive(client.Send("GET", "/", "", {{"x", std::string(2000, 'x')}})).status,
            431);
  EXPECT_EQ(
      client.Receive(client.Send("POST", "/", "body", {{"x", std::string(60'000, 'x')}})).status,
      431);
  EXPECT_EQ(client.Receive(client.Send("GET", "/")).status, 200);
}

TEST_F(Http2HostileTest, RefusesTooManyHeaders) {
  StartEcho();
  Http2Client client(To());
  Http2Client::Headers many;
  for (int i = 0; i < 300; ++i) many.emplace_back("a", "b");
  EXPECT_EQ(client.Receive(client.Send("GET", "/", "", many)).status, 431);
}

TEST_F(Http2HostileTest, AHeadThatUnpacksWithoutEndIsRefusedInBoundedMemory) {
  StartEcho();
  // One entry of 4,000 bytes put into the table, then named 16,000 times.
  std::string head = Get() + "\x40\x01x\x7f" + std::string("\xa1\x1e") + std::string(4000, 'v');
  RawSocket client(port());
  client.Send(kPreface + Settings() + Frame(NGHTTP2_HEADERS, kEndStream, 1, head) +
              Frame(NGHTTP2_CONTINUATION, kEndHeaders, 1, std::string(16'000, '\xbe')));
  EXPECT_THAT(client.ReceiveAll(milliseconds(300)), HasSubstr("head is longer than 65536 bytes"));
  ExpectAlive();
}

TEST_F(Http2HostileTest, AHeadThatDoesNotEndClosesTheConnection) {
  options.header_time_max = seconds(1);
  StartEcho();
  auto begin = std::chrono::steady_clock::now();
  GoawayAfter(Frame(NGHTTP2_HEADERS, kEndStream, 1, Get()));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(4));
  ExpectAlive();
}

TEST_F(Http2HostileTest, FloodsCloseTheConnection) {
  StartEcho();
  const std::string ping = Frame(NGHTTP2_PING, 0, 0, "12345678");
  const std::string priority = Frame(NGHTTP2_PRIORITY, 0, 1, std::string("\0\0\0\3\1", 5));
  int floods = 0;
  for (const std::string& flood : {ping, Settings(), priority}) {
    EXPECT_EQ(GoawayAfter(Repeat(flood, 3000)), NGHTTP2_ENHANCE_YOUR_CALM) << int(flood[3]);
    EXPECT_THAT(metrics.Text(), HasSubstr(fmt::format("weft_http_floods_total {}", ++floods)));
  }
  const std::string post = Frame(NGHTTP2_HEADERS, kEndHeaders, 1, Get());
  EXPECT_EQ(GoawayAfter(post + Repeat(Frame(NGHTTP2_DATA, 0, 1, ""), 3000)),
            NGHTTP2_ENHANCE_YOUR_CALM);
  const std::string endless =
      Frame(NGHTTP2_HEADERS, 0, 1, Get()) + Repeat(Frame(NGHTTP2_CONTINUATION, 0, 1, ""), 3000);
  EXPECT_THAT(GoawayAfter(endless),
              AnyOf(NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_PROTOCOL_ERROR));
  ExpectAlive();
}

TEST_F(Http2HostileTest, RapidResetsCloseTheConnectionAndReachNoHandler) {
  std::atomic<int> handled = 0;
  Start([&](Request request, Reply reply) {
    if (request.path == "/") ++handled;
    reply.Send({});
  });
  std::string flood;
  for (uint32_t id = 1; id < 10'000; id += 2) {
    flood += Frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders, id, Get());
    flood += Frame(NGHTTP2_RST_STREAM, 0, id, std::string("\0\0\0\x8", 4));
  }
  EXPECT_EQ(GoawayAfter(flood), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_LT(handled, 1100);
  ExpectAlive();
}

TEST_F(Http2HostileTest, RequestsGivenUpStillCountUntilTheyAreAnswered) {
  std::mutex mutex;
  std::vector<Reply> kept;
  options.plan = [](const Request&) { return BodyPlan{.quick = true}; };
  Start([&](Request, Reply reply) {
    std::lock_guard lock(mutex);
    kept.push_back(std::move(reply));
  });
  Http2Client client(To());
  for (int round = 0; round < 4; ++round) {
    std::vector<int32_t> streams;
    for (int i = 0; i < 200; ++i) streams.push_back(client.Send("GET", "/"));
    client.For(milliseconds(100));
    for (int32_t stream : streams) client.Reset(stream);
    client.For(milliseconds(50));
  }
  EXPECT_FALSE(client.closed());
  std::vector<Reply> answering;
  {
    std::lock_guard lock(mutex);
    EXPECT_EQ(kept.size(), 512u);
    answering.swap(kept);
  }
  for (const Reply& reply : answering) reply.Send({});
  int32_t stream = client.Send("GET", "/");
  client.Until([&] {
    std::lock_guard lock(mutex);
    return !kept.empty();
  });
  kept[0].Send({200, {}, "again"});
  EXPECT_EQ(client.Receive(stream).body, "again");
}

TEST_F(Http2HostileTest, RefusesALongBodyAndKeepsTheConnection) {
  options.plan = [](const Request&) { return BodyPlan{.bytes_max = 1000}; };
  StartEcho();
  Http2Client client(To());
  int32_t said = client.Begin("POST", "/", {{"content-length", "1001"}});
  EXPECT_EQ(client.Receive(said).status, 413);
  EXPECT_EQ(client.answer(said).reset, NGHTTP2_NO_ERROR);
  EXPECT_EQ(client.Receive(client.Send("POST", "/", std::string(1001, 'x'))).status, 413);
  EXPECT_EQ(client.Receive(client.Send("POST", "/", std::string(5'000'000, 'x'))).status, 413);
  EXPECT_EQ(client.Receive(client.Send("POST", "/", std::string(1000, 'x'))).status, 200);
}

TEST_F(Http2HostileTest, BreachesOfTheProtocolEndTheConnection) {
  StartEcho();
  const std::string post = Frame(NGHTTP2_HEADERS, kEndHeaders, 1, Get());
  // A frame larger than allowed; on no stream; an even stream; an old stream; data before a head.
  std::string huge = Frame(NGHTTP2_DATA, 0, 1, std::string(20'000, 'x'));
  EXPECT_EQ(GoawayAfter(post + huge), NGHTTP2_FRAME_SIZE_ERROR);
  EXPECT_EQ(GoawayAfter(Frame(NGHTTP2_DATA, 0, 0, "x")), NGHTTP2_PROTOCOL_ERROR);
  EXPECT_EQ(GoawayAfter(Frame(NGHTTP2_HEADERS, kEndHeaders, 2, Get())), NGHTTP2_PROTOCOL_ERROR);
  EXPECT_EQ(GoawayAfter(Frame(NGHTTP2_DATA, 0, 5, "x")), NGHTTP2_PROTOCOL_ERROR);
  EXPECT_EQ(GoawayAfter(Frame(NGHTTP2_HEADERS, kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff")),
            NGHTTP2_COMPRESSION_ERROR);
  EXPECT_EQ(GoawayAfter(Frame(NGHTTP2_PUSH_PROMISE, kEndHeaders, 1, std::string(4, '\0'))),
            NGHTTP2_PROTOCOL_ERROR);
  // More room than there can be.
  EXPECT_EQ(GoawayAfter(Frame(NGHTTP2_WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff")),
            NGHTTP2_FLOW_CONTROL_ERROR);
  EXPECT_EQ(GoawayAfter(Frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string(4, '\0'))),
            NGHTTP2_PROTOCOL_ERROR);
  ExpectAlive();
}

TEST_F(Http2HostileTest, DataBehindTheEndIsAnErrorOfItsStream) {
  std::mutex mutex;
  std::vector<Reply> kept;
  Start([&](Request request, Reply reply) {
    if (request.path == "/alive") return reply.Send({});
    std::lock_guard lock(mutex);
    kept.push_back(std::move(reply));
  });
  RawSocket client(port());
  client.Send(kPreface + Settings() + Frame(NGHTTP2_HEADERS, kEndHeaders | kEndStream, 1, Get()) +
              Frame(NGHTTP2_DATA, 0, 1, "late"));
  std::string frames = client.ReceiveAll(milliseconds(300));
  EXPECT_TRUE(CodeOf(frames, NGHTTP2_RST_STREAM) == NGHTTP2_STREAM_CLOSED ||
              CodeOf(frames, NGHTTP2_GOAWAY) == NGHTTP2_STREAM_CLOSED);
  ExpectAlive();
}

TEST_F(Http2HostileTest, MoreDataThanThereIsRoomForIsRefused) {
  options.plan = [](const Request&) { return BodyPlan{.stream = true}; };
  std::atomic<bool> go = false;
  Start([&](Request request, Reply reply) {
    while (!go && request.path != "/alive") std::this_thread::sleep_for(milliseconds(2));
    reply.Send({});
  });
  RawSocket client(port());
  client.Send(kPreface + Settings() + Frame(NGHTTP2_HEADERS, kEndHeaders, 1, Get()) +
              Repeat(Frame(NGHTTP2_DATA, 0, 1, std::string(16'000, 'x')), 100));
  std::string frames = client.ReceiveAll(milliseconds(500));
  EXPECT_TRUE(CodeOf(frames, NGHTTP2_RST_STREAM) == NGHTTP2_FLOW_CONTROL_ERROR ||
              CodeOf(frames, NGHTTP2_GOAWAY) == NGHTTP2_FLOW_CONTROL_ERROR);
  go = true;
  ExpectAlive();
  server.reset();  // its handler looks at `go`
}

TEST_F(Http2HostileTest, AClientThatDoesNotReadIsCutOff) {
  options.body_time_max = seconds(1);
  Start([](Request, Reply reply) { reply.Send({200, {}, Bytes(30'000'000, 'x')}); });
  RawSocket client(port(), 4096);
  client.Send(kPreface + Frame(NGHTTP2_SETTINGS, 0, 0, std::string("\0\4\x7f\xff\xff\xff", 6)) +
              Frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string("\x7f\xff\0\0", 4)) +
              Frame(NGHTTP2_HEADERS, kEndHeaders | kEndStream, 1, Get()));
  std::this_thread::sleep_for(milliseconds(1700));
  EXPECT_LT(client.ReceiveAll().size(), 30'000'000u);
  EXPECT_THAT(metrics.Text(), HasSubstr("weft_http_connections 0"));
}

TEST_F(Http2HostileTest, AClientThatOnlySendsIsHeldBack) {
  std::atomic<int> handled = 0;
  options.plan = [](const Request&) { return BodyPlan{.quick = true}; };
  Start([&](Request, Reply reply) {
    ++handled;
    reply.Send({200, {}, Bytes(10'000, 'x')});
  });
  RawSocket client(port(), 4096);
  std::string all = std::string(kPreface) + Settings() +
                    Frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string("\x7f\xff\0\0", 4));
  for (uint32_t id = 1; id < 20'000; id += 2)
    all += Frame(NGHTTP2_HEADERS, kEndHeaders | kEndStream, id, Get());
  client.Send(all);
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(handled, 2000);
}

TEST_F(Http2HostileTest, IdleConnectionsAreClosedAlsoWhenTheyPing) {
  options.idle_time_max = seconds(1);
  StartEcho();
  Http2Client fresh(To()), used(To());
  EXPECT_EQ(used.Receive(used.Send("GET", "/")).status, 200);
  fresh.For(milliseconds(500));
  used.Ping();
  used.For(milliseconds(2500));
  fresh.For(milliseconds(1000));
  EXPECT_TRUE(used.closed());
  EXPECT_TRUE(fresh.closed());
  EXPECT_EQ(used.goaway(), NGHTTP2_NO_ERROR);
}

TEST_F(Http2HostileTest, AHalfClosedConnectionIsOver) {
  std::atomic<int> outcome = 0;
  Start([&](Request, Reply reply) {
    auto writer = reply.Stream({});
    while (writer->Write("x").ok()) std::this_thread::sleep_for(milliseconds(5));
    outcome = 1;
  });
  Http2Client client(To());
  int32_t stream = client.Send("GET", "/");
  client.Until([&] { return client.answer(stream).status == 200; });
  client.EndSending();
  client.For(milliseconds(2000));
  EXPECT_TRUE(client.closed());
  while (outcome == 0) std::this_thread::yield();
}

// Bytes of a lively session with some of them changed: whatever that means, the server stays.
TEST_F(Http2HostileTest, SurvivesGarbledSessions) {
  options.plan = [](const Request& request) {
    return BodyPlan{.bytes_max = 5000, .stream = request.path == "/", .quick = false};
  };
  Start([](Request request, Reply reply) {
    while (request.stream) {
      auto piece = request.stream->Read();
      if (!piece.ok() || piece->empty()) break;
    }
    auto writer = reply.Stream({});
    (void)writer->Write(Bytes(3000, 'x'));
    (void)writer->Finish();
  });
  std::string session = Settings() + Frame(NGHTTP2_HEADERS, kEndHeaders, 1, Get()) +
                        Frame(NGHTTP2_DATA, 0, 1, std::string(100, 'a')) +
                        Frame(NGHTTP2_WINDOW_UPDATE, 0, 1, std::string("\0\0\1\0", 4)) +
                        Frame(NGHTTP2_HEADERS, kEndHeaders | kEndStream, 3, Get()) +
                        Frame(NGHTTP2_PRIORITY, 0, 5, std::string("\0\0\0\3\1", 5)) +
                        Frame(NGHTTP2_DATA, 8, 1, std::string("\5abc", 4) + std::string(5, '\0')) +
                        Frame(NGHTTP2_PING, 0, 0, "12345678") +
                        Frame(NGHTTP2_HEADERS, 0, 5, "\x83\x86") +
                        Frame(NGHTTP2_CONTINUATION, kEndHeaders, 5, "\x84\x41\x01h") +
                        Frame(NGHTTP2_DATA, kEndStream, 5, "data") +
                        Frame(NGHTTP2_RST_STREAM, 0, 3, std::string("\0\0\0\x8", 4)) +
                        Frame(NGHTTP2_DATA, kEndStream, 1, "end");
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string garbled = session;
    for (unsigned i = 0; i < 1 + random() % 4; ++i)
      garbled[random() % garbled.size()] = static_cast<char>(random());
    if (random() % 3 == 0) garbled.resize(random() % garbled.size());
    RawSocket client(port());
    client.Send(kPreface + garbled);
    if (random() % 2 == 0) client.ReceiveAll(milliseconds(2));
  }
  ExpectAlive();
}

}  // namespace
}  // namespace weft::http
