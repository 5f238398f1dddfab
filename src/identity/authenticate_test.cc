// SPDX-License-Identifier: Apache-2.0
#include "identity/authenticate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/hash.h"
#include "codec/seal.h"
#include "meta/sqlite.h"

namespace weft::identity {
namespace {

using testing::HasSubstr;

class SetClock final : public Clock {
 public:
  Timestamp Now() const override { return now; }
  microseconds Elapsed() const override { return now.time_since_epoch(); }
  Timestamp now = *ParseBasicTimestamp("20261101T100000Z");
};

constexpr const char* kKey = "AKIAWEFTTESTKEY234AB";
constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

struct Request {
  std::string method = "POST", path = "/sink_data/", query = "";
  codec::HeaderList headers = {{"Host", "127.0.0.1:4566"}};
  std::string body = "";
  bool secure = false;
  std::string service = "execute-api";
};

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() {
    EXPECT_TRUE(meta::Migrate(*database_, "identity", Directory::Migrations()).ok());
    // A key of our choice, so that requests recorded elsewhere can be checked.
    Status made = database_->Transact([&](meta::Transaction& tx) -> Status {
      TRY(directory_.PutAccount(tx, {AccountId("333333333333"), "analytics", ""}));
      TRY(directory_.PutUser(tx, {AccountId("333333333333"), "ada", {}}));
      const Bytes sealed = codec::Seal(std::string(32, 'k'), kSecret, kKey, SystemRandom());
      (void)TRY(
          tx.Execute("INSERT INTO identity_keys (id, account, user_name, active, created, secret) "
                     "VALUES (:1, '333333333333', 'ada', 1, 0, :2)",
                     {kKey, codec::Base64Encode(sealed)}));
      return {};
    });
    EXPECT_TRUE(made.ok()) << made.error().message();
  }

  Result<Principal> Try(const Request& request) {
    return authenticator_.Authenticate({.request = {.method = request.method,
                                                    .path = request.path,
                                                    .query = request.query,
                                                    .headers = &request.headers},
                                        .body = request.body,
                                        .secure = request.secure,
                                        .service = request.service});
  }
  std::string Refusal(const Request& request) {
    auto tried = Try(request);
    if (tried.ok()) return "was let in";
    EXPECT_EQ(tried.error().code(), Code::kUnauthenticated);
    return tried.error().message();
  }
  Request Signed(Request request, std::string payload_hash = "",
                 const char* service = "execute-api", const char* secret = kSecret,
                 const char* key = kKey) {
    if (payload_hash.empty()) payload_hash = codec::HexEncode(codec::Sha256(request.body));
    codec::SignRequest(request.method, request.path, request.query, request.headers, payload_hash,
                       {.access_key_id = key, .secret = secret, .session_token = ""},
                       "eu-central-1", service, clock_.now);
    return request;
  }

  SetClock clock_;
  std::unique_ptr<meta::Database> database_ = *meta::OpenSqlite({.path = ""});
  Directory directory_{{.master_key = std::string(32, 'k')}, *database_, clock_, SystemRandom()};
  Authenticator authenticator_{directory_, clock_};
};

TEST_F(AuthenticatorTest, KnowsWhoSigned) {
  auto who = Try(Signed({.query = "b=2&a=1", .body = "{}"}));
  ASSERT_TRUE(who.ok()) << who.error().message();
  EXPECT_EQ(who->name, "ada");
  EXPECT_EQ(who->access_key_id, kKey);
  EXPECT_EQ(who->arn, "arn:aws:iam::333333333333:user/ada");
}

TEST_F(AuthenticatorTest, RefusesWhatIsNotSigned) {
  EXPECT_EQ(Refusal({}), "Missing Authentication Token");
  Request bearer;
  bearer.headers.emplace_back("Authorization", "Bearer abc");
  EXPECT_EQ(Refusal(bearer), "Missing Authentication Token");
  Request half;
  half.headers.emplace_back("Authorization", "AWS4-HMAC-SHA256 Credential=a");
  EXPECT_THAT(Refusal(half), HasSubstr("requires 'Signature' parameter"));
}

TEST_F(AuthenticatorTest, RefusesUnknownAndDisabledKeysAlike) {
  const Request unknown = Signed({}, "", "execute-api", kSecret, "AKIAAAAAAAAAAAAAAAAA");
  const std::string text = Refusal(unknown);
  EXPECT_THAT(text, HasSubstr("security token included in the request is invalid"));
  ASSERT_TRUE(directory_.SetKeyActive(kKey, false).ok());
  EXPECT_EQ(Refusal(Signed({})), text);
  ASSERT_TRUE(directory_.SetKeyActive(kKey, true).ok());
  EXPECT_TRUE(Try(Signed({})).ok());
}

TEST_F(AuthenticatorTest, RefusesWhateverWasChangedOnTheWay) {
  const Request good = Signed({.query = "a=1", .body = "{}"});
  ASSERT_TRUE(Try(good).ok());
  Request changed = good;
  changed.path = "/sink_data2/";
  EXPECT_THAT(Refusal(changed), HasSubstr("does not match the signature"));
  changed = good;
  changed.query = "a=2";
  EXPECT_THAT(Refusal(changed), HasSubstr("does not match the signature"));
  changed = good;
  changed.method = "GET";
  EXPECT_THAT(Refusal(changed), HasSubstr("does not match the signature"));
  changed = good;
  changed.headers.clear();
  for (const auto& [name, value] : good.headers) {
    changed.headers.emplace_back(name, name == "Host" ? "elsewhere:4566" : value);
  }
  EXPECT_THAT(Refusal(changed), HasSubstr("does not match the signature"));
  changed = good;
  changed.body = "[]";
  EXPECT_THAT(Refusal(changed), HasSubstr("x-amz-content-sha256"));
  changed = good;
  changed.headers.emplace_back("X-Amz-Target", "Kinesis_20131202.DeleteStream");
  EXPECT_THAT(Refusal(changed), HasSubstr("not signed: x-amz-target"));
  EXPECT_THAT(Refusal(Signed({}, "", "execute-api", "another secret")),
              HasSubstr("does not match the signature"));
}

TEST_F(AuthenticatorTest, TheServiceMustBeTheDoorsTheRegionMayBeAny) {
  EXPECT_THAT(Refusal(Signed({}, "", "weft")), HasSubstr("correct service: 'execute-api'"));
  Request any = Signed({}, "", "kinesis");
  any.service = "";
  EXPECT_TRUE(Try(any).ok());
}

TEST_F(AuthenticatorTest, ClocksMayDifferByFifteenMinutes) {
  const Request request = Signed({});
  const Timestamp signed_at = clock_.now;
  clock_.now = signed_at + std::chrono::minutes(15);
  EXPECT_TRUE(Try(request).ok());
  EXPECT_TRUE(Try(request).ok()) << "the same signature may come again";
  clock_.now += seconds(1);
  EXPECT_THAT(Refusal(request), HasSubstr("Signature expired"));
  clock_.now = signed_at - std::chrono::minutes(15);
  EXPECT_TRUE(Try(request).ok());
  clock_.now -= seconds(1);
  EXPECT_THAT(Refusal(request), HasSubstr("Signature not yet current"));
}

TEST_F(AuthenticatorTest, AnUnsignedBodyIsTakenOverTlsOnly) {
  Request request = Signed({.body = "anything"}, "UNSIGNED-PAYLOAD");
  EXPECT_THAT(Refusal(request), HasSubstr("over TLS only"));
  request.secure = true;
  EXPECT_TRUE(Try(request).ok());
}

TEST_F(AuthenticatorTest, ChunkSignaturesAreRefusedInWords) {
  for (const char* hash :
       {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}) {
    Request request = Signed({.body = "5;chunk-signature=0\r\nhello\r\n"}, hash);
    request.secure = true;
    EXPECT_THAT(Refusal(request), HasSubstr("is not offered here"));
  }
}

TEST_F(AuthenticatorTest, ATokenThatNobodyIssuedIsRefused) {
  Request request;
  codec::SignRequest(request.method, request.path, request.query, request.headers,
                     codec::HexEncode(codec::Sha256("")),
                     {.access_key_id = kKey, .secret = kSecret, .session_token = "token"},
                     "us-east-1", "execute-api", clock_.now);
  EXPECT_THAT(Refusal(request), HasSubstr("security token"));
}

// Made by botocore 1.43 for the key above at the time of SetClock.
std::string Recorded(const char* scope, const char* headers, const char* signature) {
  return fmt::format(
      "AWS4-HMAC-SHA256 Credential={}/20261101/{}/aws4_request, SignedHeaders={}, Signature={}",
      kKey, scope, headers, signature);
}

TEST_F(AuthenticatorTest, TakesWhatBotocoreSigns) {
  Request post{
      .headers = {{"Content-Type", "application/json"},
                  {"X-Amz-Date", "20261101T100000Z"},
                  {"Authorization",
                   Recorded("us-east-1/execute-api", "content-type;host;x-amz-date",
                            "e7c375c61d3664052b2bba534fe532db51715dbab16695585afbde9412a5cfdf")},
                  {"Content-Length", "32"},
                  {"Host", "127.0.0.1:4566"}},
      .body = R"({"schema": "orders", "data": []})"};
  EXPECT_TRUE(Try(post).ok()) << Refusal(post);
  post.body += " ";
  EXPECT_THAT(Refusal(post), HasSubstr("does not match the signature"));

  Request kinesis{
      .path = "/",
      .headers = {{"content-type", "application/x-amz-json-1.1"},
                  {"x-amz-target", "Kinesis_20131202.DescribeStreamSummary"},
                  {"x-amz-date", "20261101T100000Z"},
                  {"authorization",
                   Recorded("eu-west-1/kinesis", "content-type;host;x-amz-date;x-amz-target",
                            "2c5483feb8b26566d986ed663f91b27830e73c36025ebeaba839905ffe299d58")},
                  {"host", "localhost:4566"}},
      .body = R"({"StreamName":"orders"})",
      .service = "kinesis"};
  EXPECT_TRUE(Try(kinesis).ok()) << Refusal(kinesis);

  Request get{
      .method = "GET",
      .path = "/api/v1/products/a%20b/records",
      .query = "schema=x%2Fy&limit=10&empty=",
      .headers = {{"Host", "127.0.0.1:4566"},
                  {"X-Amz-Date", "20261101T100000Z"},
                  {"Authorization",
                   Recorded("us-east-1/weft", "host;x-amz-date",
                            "c8dd50f6d5fe6a3a54066a7985a77a8bc99f8ae281f4cc3970c5e8e3feb5e2ac")}},
      .body = "",
      .service = "weft"};
  EXPECT_TRUE(Try(get).ok()) << Refusal(get);

  Request put{
      .method = "PUT",
      .path = "/bucket/a%20b/c%2B.txt",
      .headers = {{"Host", "127.0.0.1:4566"},
                  {"X-Amz-Date", "20261101T100000Z"},
                  {"X-Amz-Content-SHA256",
                   "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
                  {"Authorization",
                   Recorded("us-east-1/s3", "host;x-amz-content-sha256;x-amz-date",
                            "2a96812ad0e0ff42c13d71c0b0bff1e04cf2b94d9a25f115e11c82c68e3cfc27")}},
      .body = "hello",
      .service = "s3"};
  EXPECT_TRUE(Try(put).ok()) << Refusal(put);
}

TEST_F(AuthenticatorTest, TakesPresignedAddressesUntilTheyExpire) {
  Request request{
      .method = "GET",
      .query =
          "x=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAWEFTTESTKEY234AB%2F20261101%2F"
          "us-east-1%2Fexecute-api%2Faws4_request&X-Amz-Date=20261101T100000Z&X-Amz-Expires=60&"
          "X-Amz-SignedHeaders=host&X-Amz-Signature="
          "c9f85738069d7131ea8d1eb4245ef2e07b7619d73aae8c43c8f41141cb2ea031"};
  EXPECT_TRUE(Try(request).ok()) << Refusal(request);
  Request with_body = request;
  with_body.body = "smuggled";
  EXPECT_THAT(Refusal(with_body), HasSubstr("does not match the signature"));
  clock_.now += seconds(60);
  EXPECT_TRUE(Try(request).ok());
  clock_.now += seconds(1);
  EXPECT_THAT(Refusal(request), HasSubstr("Signature expired"));
  request.query.replace(request.query.find("Expires=60"), 10, "Expires=6000");
  EXPECT_THAT(Refusal(request), HasSubstr("does not match the signature"));
}

TEST_F(AuthenticatorTest, PresignedForS3SaysNothingOfTheBody) {
  Request request{
      .method = "GET",
      .path = "/bucket/key",
      .query =
          "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAWEFTTESTKEY234AB%2F20261101%2F"
          "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261101T100000Z&X-Amz-Expires=3600&"
          "X-Amz-SignedHeaders=host&X-Amz-Signature="
          "7dcae91e739f831d450f5ba3991820030e59519eafc82dc645fe45dd386fd33a",
      .service = "s3"};
  EXPECT_THAT(Refusal(request), HasSubstr("over TLS only"));
  request.secure = true;
  EXPECT_TRUE(Try(request).ok()) << Refusal(request);
}

}  // namespace
}  // namespace weft::identity
