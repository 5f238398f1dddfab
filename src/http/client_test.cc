// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <set>

#include "http/testing/test_server.h"

namespace weft::http {
namespace {

class ClientTest : public TestServer {
 protected:
  std::unique_ptr<Client> Connect(std::string scheme = "http", std::string ca_file = "") {
    auto client = Client::Open(
        {.endpoint = fmt::format("{}://127.0.0.1:{}", scheme, port()), .ca_file = ca_file});
    EXPECT_TRUE(client.ok());
    return std::move(*client);
  }
};

// Gives out pieces, then the end or a failure.
class Pieces final : public BodyReader {
 public:
  explicit Pieces(int count, bool fails = false) : left_(count), fails_(fails) {}
  Result<Bytes> Read() override {
    if (left_ == 0 && fails_) return Fail(Code::kCorrupt, "the source broke");
    if (left_ == 0) return Bytes();
    --left_;
    return Bytes(100'000, 'p');
  }

 private:
  int left_;
  bool fails_;
};

TEST_F(ClientTest, SendsTheRequestAsItIs) {
  Request seen;
  Start([&](Request request, Reply reply) {
    seen = std::move(request);
    reply.Send({404, {{"X-Thing", " value "}}, "not here"});
  });
  auto client = Connect();
  Request request{.method = "POST",
                  .path = "/a//b/../c%20d",
                  .query = "x=1&y",
                  .headers = {{"x-own", "1"}, {"x-empty", ""}},
                  .body = Bytes("binary\0body", 11)};
  auto answer = client->Send(request);
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "not here");
  EXPECT_EQ(FindHeader(answer->headers, "x-thing"), "value");
  EXPECT_EQ(seen.path, "/a//b/../c%20d");
  EXPECT_EQ(seen.query, "x=1&y");
  EXPECT_EQ(seen.body, request.body);
  std::set<std::string> names;
  for (const auto& [name, value] : seen.headers) names.emplace(name);
  EXPECT_EQ(names, (std::set<std::string>{"host", "content-length", "x-own", "x-empty"}));
}

TEST_F(ClientTest, EveryMethodOnOneConnection) {
  std::set<std::string> addresses;
  Start([&](Request request, Reply reply) {
    addresses.insert(request.remote_address);
    reply.Send({200, {}, request.method + request.body});
  });
  auto client = Connect();
  for (const char* method : {"GET", "PUT", "DELETE", "PATCH", "HEAD", "POST", "OPTIONS"}) {
    auto answer = client->Send({.method = method, .path = "/"});
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->body, std::string(method) == "HEAD" ? "" : method);
  }
  EXPECT_EQ(client->Send({.method = "DELETE", .path = "/", .body = "b"})->body, "DELETEb");
  EXPECT_EQ(addresses.size(), 1u);
}

TEST_F(ClientTest, StreamsBothWays) {
  options.plan = [](const Request&) { return BodyPlan{.stream = true}; };
  Start([](Request request, Reply reply) {
    auto writer = reply.Stream({});
    for (;;) {
      auto piece = request.stream->Read();
      if (!piece.ok()) return;
      if (piece->empty()) break;
      if (!writer->Write(*piece).ok()) return;
    }
    (void)writer->Finish();
  });
  auto client = Connect();
  for (bool with_length : {false, true}) {
    Request request{.method = "PUT", .path = "/", .stream = std::make_shared<Pieces>(50)};
    if (with_length) request.headers.emplace_back("Content-Length", "5000000");
    int64_t bytes = 0;
    auto answer = client->Send(request, [&](const Response& head, BytesView piece) -> Status {
      EXPECT_EQ(head.status, 200);
      bytes += static_cast<int64_t>(piece.size());
      return {};
    });
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(bytes, 5'000'000);
    EXPECT_EQ(answer->body, "");
  }
}

TEST_F(ClientTest, FailuresOfTheCallersPartsArePassedOn) {
  StartEcho();
  auto client = Connect();
  auto broken =
      client->Send({.method = "PUT", .path = "/", .stream = std::make_shared<Pieces>(3, true)});
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().code(), Code::kCorrupt);
  auto ended = client->Send(
      {.method = "GET", .path = "/"},
      [](const Response&, BytesView) -> Status { return Fail(Code::kThrottled, "enough"); });
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), Code::kThrottled);
  EXPECT_EQ(client->Send({.method = "GET", .path = "/again"})->body, "GET /again ");
}

TEST_F(ClientTest, NoAnswerIsUnavailable) {
  StartEcho();
  auto client = Connect();
  server.reset();
  auto answer = client->Send({.method = "GET", .path = "/"});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), Code::kUnavailable);
}

TEST_F(ClientTest, AnAnswerBrokenOffIsUnavailable) {
  Start([](Request, Reply reply) {
    auto writer = reply.Stream({});
    (void)writer->Write("part");
  });
  auto answer = Connect()->Send({.method = "GET", .path = "/"});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), Code::kUnavailable);
}

TEST_F(ClientTest, StalledServersAreGivenUp) {
  std::mutex mutex;
  std::vector<Reply> kept;
  Start([&](Request, Reply reply) {
    std::lock_guard lock(mutex);
    kept.push_back(std::move(reply));
  });
  auto client = Client::Open(
      {.endpoint = fmt::format("http://127.0.0.1:{}", port()), .stall_time_max = seconds(1)});
  auto answer = (*client)->Send({.method = "GET", .path = "/"});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), Code::kUnavailable);
  server->Stop(seconds(0));  // what it keeps ends before the replies do
}

TEST(ClientOpen, RefusesWhatIsNoEndpoint) {
  for (const char* endpoint : {"", "127.0.0.1:4566", "ftp://h", "http://h/path"}) {
    EXPECT_EQ(Client::Open({.endpoint = endpoint}).error().code(), Code::kInvalid) << endpoint;
  }
  EXPECT_TRUE(Client::Open({.endpoint = "http://h:1/"}).ok());
}

class TlsTest : public ClientTest {
 protected:
  TlsTest() {
    folder_ = testing::TempDir() + "weft-tls-" + SystemRandom().NextUuid();
    std::filesystem::create_directories(folder_);
    options.certificate_file = folder_ + "/certificate.pem";
    options.key_file = folder_ + "/key.pem";
    WriteCertificate();
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }

  // Signed by itself, for 127.0.0.1.
  void WriteCertificate() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("weft"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* host =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, host, -1);
    X509_EXTENSION_free(host);
    ASSERT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
    FILE* file = fopen(options.certificate_file.c_str(), "w");
    PEM_write_X509(file, certificate);
    fclose(file);
    file = fopen(options.key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  std::string folder_;
};

TEST_F(TlsTest, ServesOverTls) {
  std::atomic<bool> secure = false;
  Start([&](Request request, Reply reply) {
    secure = request.secure;
    reply.Send({200, {}, std::move(request.body)});
  });
  auto client = Connect("https", options.certificate_file);
  for (size_t size : {size_t{0}, size_t{10}, size_t{3'000'000}}) {
    Bytes body = SystemRandom().NextBytes(size);
    auto answer = client->Send({.method = "POST", .path = "/", .body = body});
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_TRUE(answer->body == body);
  }
  EXPECT_TRUE(secure);
  auto close = client->Send(
      {.method = "POST", .path = "/", .headers = {{"connection", "close"}}, .body = "x"});
  EXPECT_EQ(close->body, "x");
  server->Stop(seconds(5));
}

// What curl got over TLS when it offered `version` and what is older: the version, and the body.
std::pair<long, std::string> GetOverTls(int port, const std::string& authority, long version,
                                        const std::string& body) {
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), curl_easy_cleanup);
  std::string url = fmt::format("https://127.0.0.1:{}/", port), got;
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_CAINFO, authority.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_HTTP_VERSION, version);
  curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT, 30L);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &got);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION,
                   static_cast<size_t (*)(char*, size_t, size_t, void*)>(
                       [](char* at, size_t size, size_t count, void* to) {
                         static_cast<std::string*>(to)->append(at, size * count);
                         return size * count;
                       }));
  CURLcode code = curl_easy_perform(easy.get());
  EXPECT_EQ(code, CURLE_OK) << curl_easy_strerror(code);
  long spoken = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_HTTP_VERSION, &spoken);
  return {spoken, got};
}

TEST_F(TlsTest, TheNewestVersionThatBothSpeakIsAgreedOn) {
  std::atomic<bool> secure = false;
  Start([&](Request request, Reply reply) {
    secure = request.secure;
    reply.Send({200, {}, std::move(request.body)});
  });
  for (size_t size : {size_t{10}, size_t{3'000'000}}) {
    std::string body = SystemRandom().NextBytes(size);
    for (auto [offered, spoken] :
         {std::pair(CURL_HTTP_VERSION_2TLS, CURL_HTTP_VERSION_2_0),
          std::pair(CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE, CURL_HTTP_VERSION_2_0),
          std::pair(CURL_HTTP_VERSION_1_1, CURL_HTTP_VERSION_1_1)}) {
      secure = false;
      auto [version, got] = GetOverTls(port(), options.certificate_file, offered, body);
      EXPECT_EQ(version, spoken);
      EXPECT_TRUE(got == body);
      EXPECT_TRUE(secure);
    }
  }
  auto begin = std::chrono::steady_clock::now();
  server->Stop(seconds(10));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
}

TEST_F(TlsTest, AnUnknownAuthorityIsNotTrusted) {
  StartEcho();
  auto answer = Connect("https")->Send({.method = "GET", .path = "/"});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), Code::kUnavailable);
}

TEST_F(TlsTest, PlainTextAndASlowHandshakeGetNothing) {
  options.header_time_max = seconds(1);
  StartEcho();
  RawSocket plain(port());
  plain.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(plain.ClosedWithin(milliseconds(3000)));
  RawSocket silent(port());
  EXPECT_TRUE(silent.ClosedWithin(milliseconds(3000)));
}

TEST_F(TlsTest, AKeyOfAnotherCertificateIsRefused) {
  std::string key_of_first = options.key_file;
  options.key_file = folder_ + "/key2.pem";
  std::string first = options.certificate_file;
  options.certificate_file = folder_ + "/certificate2.pem";
  WriteCertificate();
  options.certificate_file = first;
  auto server_of_two = Server::Open(
      options, [](Request, Reply) {}, SystemRandom(), metrics);
  ASSERT_FALSE(server_of_two.ok());
  EXPECT_EQ(server_of_two.error().code(), Code::kInvalid);
}

}  // namespace
}  // namespace weft::http
