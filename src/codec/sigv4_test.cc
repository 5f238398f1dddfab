// SPDX-License-Identifier: Apache-2.0
#include "codec/sigv4.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "codec/hash.h"
#include "codec/sigv4_internal.h"

namespace weft::codec {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A request as one of the suite's files has it: the path may hold blanks, a value several lines.
struct WireRequest {
  std::string method, path, query, body;
  HeaderList headers;
  RequestView view() const { return {method, path, query, &headers}; }
};

WireRequest ParseRequest(const std::string& text) {
  WireRequest out;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  size_t first = line.find(' '), last = line.rfind(' ');
  out.method = line.substr(0, first);
  out.path = line.substr(first + 1, last - first - 1);
  if (size_t mark = out.path.find('?'); mark != std::string::npos) {
    out.query = out.path.substr(mark + 1);
    out.path.resize(mark);
  }
  std::vector<std::pair<std::string, std::string>> headers;
  while (std::getline(lines, line) && !line.empty()) {
    if (line[0] == ' ') {
      headers.back().second += "\n" + line;
    } else {
      headers.emplace_back(line.substr(0, line.find(':')), line.substr(line.find(':') + 1));
    }
  }
  for (const auto& [name, value] : headers) out.headers.emplace_back(name, value);
  std::getline(lines, out.body, '\0');
  return out;
}

class Suite : public testing::TestWithParam<std::string> {};

std::vector<std::string> SuiteNames() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_SHARED_DATA "/sigv4", none)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  if (names.empty()) names.emplace_back("absent");
  return names;
}

void Check(const std::filesystem::path& folder, const std::string& way) {
  SCOPED_TRACE(way);
  auto context = nlohmann::json::parse(Read(folder / "context.json"));
  WireRequest request = ParseRequest(Read(folder / (way + "-signed-request.txt")));
  auto found = FindSignature(request.view());
  ASSERT_TRUE(found.ok()) << found.error().message();
  ASSERT_TRUE(found->has_value());
  const Signature& signature = **found;
  EXPECT_EQ(signature.presigned, way == "query");
  EXPECT_EQ(signature.signature, Read(folder / (way + "-signature.txt")));
  EXPECT_EQ(signature.session_token, context["credentials"].value("token", ""));
  std::string secret = context["credentials"]["secret_access_key"];
  std::string payload = HexEncode(Sha256(request.body));
  PathRule rule = context["normalize"] ? PathRule::kNormalised : PathRule::kEncoded;
  bool omit = context.value("omit_session_token", false);
  std::string canonical = CanonicalRequest(request.view(), signature, payload, rule, omit);
  EXPECT_EQ(canonical, Read(folder / (way + "-canonical-request.txt")));
  std::string to_sign = StringToSign(signature, canonical);
  EXPECT_EQ(to_sign, Read(folder / (way + "-string-to-sign.txt")));
  EXPECT_EQ(SignatureOf(signature, secret, to_sign).text(), signature.signature);
  if (rule == PathRule::kNormalised && !(omit && way == "query")) {
    EXPECT_EQ(ComputeSignature(request.view(), signature, secret, payload), signature.signature);
  }
}

TEST_P(Suite, ReproducesHeaderAndQuerySignatures) {
  std::filesystem::path folder = std::filesystem::path(WEFT_SHARED_DATA "/sigv4") / GetParam();
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no signature suite in " << folder;
  Check(folder, "header");
  Check(folder, "query");
}

INSTANTIATE_TEST_SUITE_P(, Suite, testing::ValuesIn(SuiteNames()), [](const auto& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

void ExpectVerifies(const WireRequest& request, std::string_view secret,
                    std::string_view payload_hash) {
  auto found = FindSignature(request.view());
  ASSERT_TRUE(found.ok()) << found.error().message();
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ(ComputeSignature(request.view(), **found, secret, payload_hash), (*found)->signature);
}

WireRequest Signed(std::string method, std::string path, std::string query,
                   std::string authorization, HeaderList more) {
  WireRequest request{std::move(method), std::move(path), std::move(query), "", std::move(more)};
  request.headers.emplace_back("authorization", std::move(authorization));
  return request;
}

TEST(SigV4, TakesWhatAwsClientsSend) {
  ExpectVerifies(
      Signed("POST", "/sink_data/", "",
             "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261101/us-east-1/execute-api/aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date, "
             "Signature=48ca0f13a0b4486b010a21ac48b223aa91856ba4771a29f1ce1170c58f6d3ccf",
             {{"host", "127.0.0.1:4566"},
              {"content-type", "application/json"},
              {"x-amz-date", "20261101T100000Z"}}),
      kSecret, HexEncode(Sha256(R"({"schema":"a","data":[]})")));
  ExpectVerifies(
      Signed("POST", "/api/v1/products/a%20b/records", "schema=x%20y&a=1",
             "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20261101/us-east-1/weft/aws4_request, "
             "SignedHeaders=host;x-amz-date;x-amz-security-token, "
             "Signature=00e33b3826106b9df64daa5ef09bc8b03f81d06faf5536f7e172d98cf357081e",
             {{"host", "127.0.0.1:4566"},
              {"x-amz-date", "20261101T100000Z"},
              {"x-amz-security-token", "token/with+signs=="}}),
      kSecret, HexEncode(Sha256(R"({"a":1})")));
  WireRequest presigned{"GET",
                        "/a//b/./../c",
                        "z=1&b=2&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAEXAMPLE%"
                        "2F20261101%2Fus-east-1%2Fexecute-api"
                        "%2Faws4_request&X-Amz-Date=20261101T100000Z&X-Amz-Expires=3600&X-Amz-"
                        "SignedHeaders=host&X-Amz-Security-Token="
                        "token%2Fwith%2Bsigns%3D%3D&X-Amz-Signature="
                        "65e403c14a0fbee1c1c27155f7dca407fb59883d6fd85af9566abb8cd4a670e6",
                        "",
                        {{"host", "127.0.0.1:4566"}}};
  ExpectVerifies(presigned, kSecret, HexEncode(Sha256("")));
  ExpectVerifies(
      Signed("PUT", "/bucket/a%20b//c/../d%2Be", "x-id=PutObject",
             "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20261101/us-east-1/s3/aws4_request, "
             "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
             "Signature=9b15493d88c2c5a3aeda847e6374dad63199b509145fde6e20aca4daf227cc53",
             {{"host", "127.0.0.1:4566"},
              {"x-amz-date", "20261101T100000Z"},
              {"x-amz-security-token", "token/with+signs=="},
              {"x-amz-content-sha256",
               "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}}),
      kSecret, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
}

TEST(SigV4, TakesWhatCurlSends) {
  ExpectVerifies(
      Signed("POST", "/sink_data/", "",
             "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/execute-api/aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date, "
             "Signature=d910587d393c98c6c43ca4abcbf3f12b6fe34511ee9c3f47b6b392fb4a551da4",
             {{"host", "127.0.0.1:18199"},
              {"x-amz-date", "20261121T015157Z"},
              {"content-type", "application/json"}}),
      kSecret, HexEncode(Sha256(R"({"schema":"a","data":[]})")));
  ExpectVerifies(
      Signed("POST", "/api/v1/products/orders/records", "schema=x",
             "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/weft/aws4_request, "
             "SignedHeaders=host;x-amz-date;x-amz-security-token, "
             "Signature=c74764f9288ca89a214b2b1e92c0ca99d8fbd26090634ce6a9ae41919f506689",
             {{"host", "127.0.0.1:18199"},
              {"x-amz-date", "20261121T015157Z"},
              {"x-amz-security-token", "abc"},
              {"content-type", "application/x-www-form-urlencoded"}}),
      kSecret, HexEncode(Sha256(R"({"a":1})")));
}

// The example of Amazon's documentation for S3.
TEST(SigV4, S3PathsAreEncodedOnce) {
  ExpectVerifies(
      Signed("GET", "/test.txt", "",
             "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
             "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
             "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
             {{"host", "examplebucket.s3.amazonaws.com"},
              {"range", "bytes=0-9"},
              {"x-amz-content-sha256", HexEncode(Sha256(""))},
              {"x-amz-date", "20130524T000000Z"}}),
      "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", HexEncode(Sha256("")));
  EXPECT_EQ(CanonicalPath("/b/a%20b//c/../d", PathRule::kS3), "/b/a%20b//c/../d");
  EXPECT_EQ(CanonicalPath("/b/a%2fb%zz", PathRule::kS3), "/b/a/b%25zz");
}

TEST(SigV4, OtherPathsAreNormalisedAndEncodedAgain) {
  EXPECT_EQ(CanonicalPath("", PathRule::kNormalised), "/");
  EXPECT_EQ(CanonicalPath("/..", PathRule::kNormalised), "/");
  EXPECT_EQ(CanonicalPath("/a/./b//../c/", PathRule::kNormalised), "/a/c/");
  EXPECT_EQ(CanonicalPath("/a%20b", PathRule::kNormalised), "/a%2520b");
}

TEST(SigV4, VerifiesWhatItSigned) {
  WireRequest request{
      "POST", "/a b/c", "x=%31&x=0", "body", {{"Host", "h:1"}, {"content-type", "text/plain"}}};
  std::string hash = HexEncode(Sha256(request.body));
  Timestamp now = *ParseBasicTimestamp("20261101T100000Z");
  SignRequest(request.method, request.path, request.query, request.headers, hash,
              {"AKID", "secret", "token"}, "eu-west-1", "weft", now);
  auto found = FindSignature(request.view());
  ASSERT_TRUE(found.ok()) << found.error().message();
  const Signature& signature = **found;
  EXPECT_EQ(signature.access_key_id, "AKID");
  EXPECT_EQ(signature.region, "eu-west-1");
  EXPECT_EQ(signature.service, "weft");
  EXPECT_EQ(signature.time, now);
  EXPECT_EQ(signature.session_token, "token");
  EXPECT_EQ(signature.payload_hash, hash);
  EXPECT_EQ(ComputeSignature(request.view(), signature, "secret", hash), signature.signature);
  EXPECT_NE(ComputeSignature(request.view(), signature, "other", hash), signature.signature);
  EXPECT_NE(ComputeSignature(request.view(), signature, "secret", HexEncode(Sha256("x"))),
            signature.signature);
  WireRequest changed = request;
  changed.headers.clear();
  for (const auto& [name, value] : request.headers) {
    changed.headers.emplace_back(name, name == "content-type" ? "text/html" : value);
  }
  EXPECT_NE(ComputeSignature(changed.view(), signature, "secret", hash), signature.signature);
}

TEST(SigV4, VerifiesTheWholeSignatureOnly) {
  HeaderList headers = {{"host", "h"}};
  const Timestamp now = *ParseBasicTimestamp("20261101T100000Z");
  SignRequest("GET", "/", "", headers, "UNSIGNED-PAYLOAD", {"A", "s", ""}, "r", "weft", now);
  const RequestView request{"GET", "/", "", &headers};
  const auto found = FindSignature(request);
  ASSERT_TRUE(found.ok());
  Signature signature = **found;
  EXPECT_TRUE(VerifySignature(request, signature, "s", "UNSIGNED-PAYLOAD"));
  EXPECT_FALSE(VerifySignature(request, signature, "t", "UNSIGNED-PAYLOAD"));
  EXPECT_FALSE(VerifySignature(request, signature, "s", Sha256Hex("")));
  const std::string given(signature.signature);
  for (size_t at = 0; at < given.size(); ++at) {
    std::string forged = given;
    forged[at] = forged[at] == '0' ? '1' : '0';
    signature.signature = forged;
    EXPECT_FALSE(VerifySignature(request, signature, "s", "UNSIGNED-PAYLOAD")) << at;
  }
  for (const std::string& part : {given.substr(0, 63), std::string(), given + "0"}) {
    signature.signature = part;
    EXPECT_FALSE(VerifySignature(request, signature, "s", "UNSIGNED-PAYLOAD")) << part;
  }
}

TEST(SigV4, SigningAgainReplacesTheSignature) {
  HeaderList headers = {{"host", "h"}};
  Timestamp now = *ParseBasicTimestamp("20261101T100000Z");
  SignRequest("GET", "/", "", headers, "UNSIGNED-PAYLOAD", {"A", "s", "t"}, "r", "weft", now);
  SignRequest("GET", "/", "", headers, "UNSIGNED-PAYLOAD", {"A", "s", ""}, "r", "weft",
              now + seconds(1));
  auto found = FindSignature({"GET", "/", "", &headers});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->time, now + seconds(1));
  EXPECT_EQ((*found)->session_token, "");
}

TEST(SigV4, NoSignatureIsNoFailure) {
  for (const HeaderList& headers :
       {HeaderList{{"host", "h"}}, HeaderList{{"host", "h"}, {"authorization", "Bearer abc"}}}) {
    auto found = FindSignature({"GET", "/", "a=b", &headers});
    ASSERT_TRUE(found.ok());
    EXPECT_FALSE(found->has_value());
  }
}

std::string Failure(HeaderList headers, std::string_view query = "") {
  auto found = FindSignature({"GET", "/", query, &headers});
  if (found.ok()) return "taken";
  EXPECT_EQ(found.error().code(), Code::kUnauthenticated);
  return found.error().message();
}

TEST(SigV4, SaysWhatIsWrongWithASignature) {
  const std::string credential = "Credential=AK/20261101/r/weft/aws4_request";
  const std::string end = ", SignedHeaders=host;x-amz-date, Signature=" + std::string(64, 'a');
  auto header = [&](const std::string& value, const std::string& date = "20261101T100000Z") {
    return HeaderList{{"host", "h"}, {"x-amz-date", date}, {"authorization", value}};
  };
  EXPECT_EQ(Failure(header("AWS4-HMAC-SHA256 " + credential + end)), "taken");
  EXPECT_EQ(Failure(header("AWS4-HMAC-SHA256 " + credential +
                           ",SignedHeaders=host;x-amz-date,Signature=" + std::string(64, 'a'))),
            "taken");
  auto says = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(
      says(Failure(header("AWS4-HMAC-SHA256 " + credential)), "requires 'Signature' parameter"));
  EXPECT_TRUE(says(Failure(header("AWS4-HMAC-SHA256 " + credential)),
                   "requires 'SignedHeaders' parameter"));
  EXPECT_TRUE(says(Failure(header("AWS4-HMAC-SHA256")), "requires 'Credential' parameter"));
  EXPECT_TRUE(says(Failure(header("AWS4-HMAC-SHA256 Credential=AK/20261101/r/aws4_request" + end)),
                   "5 slash-delimited"));
  EXPECT_TRUE(says(Failure(header("AWS4-HMAC-SHA256 Credential=AK/20261101/r/weft/aws4" + end)),
                   "valid terminator"));
  EXPECT_TRUE(says(Failure(header("AWS4-HMAC-SHA256 " + credential + end, "20261102T000000Z")),
                   "does not match YYYYMMDD"));
  EXPECT_TRUE(
      says(Failure(header("AWS4-HMAC-SHA256 " + credential + end, "yesterday")), "ISO-8601"));
  EXPECT_TRUE(says(Failure(header("AWS4-HMAC-SHA256 " + credential +
                                  ", SignedHeaders=x-amz-date, Signature=" + std::string(64, 'a'))),
                   "'Host'"));
  EXPECT_TRUE(says(Failure(header("AWS4-HMAC-SHA256 " + credential +
                                  ", SignedHeaders=host;x-amz-date, Signature=zz")),
                   "64 hexadecimal"));
  for (const char* bad : {"g", "A", "F", "/", ":", "`", " ", "\xe9", ""}) {
    EXPECT_TRUE(says(Failure(header("AWS4-HMAC-SHA256 " + credential +
                                    ", SignedHeaders=host;x-amz-date, Signature=" +
                                    std::string(32, '9') + bad + std::string(31, 'f'))),
                     "64 hexadecimal"))
        << bad;
  }
  EXPECT_TRUE(says(Failure(header("AWS4-ECDSA-P256-SHA256 " + credential + end)), "not supported"));
  EXPECT_TRUE(says(Failure(header("AWS AK:abc=")), "not supported"));
  HeaderList twice = header("AWS4-HMAC-SHA256 " + credential + end);
  EXPECT_TRUE(says(Failure(twice, "X-Amz-Signature=a"), "Only one auth mechanism"));
  HeaderList more = twice;
  more.emplace_back("X-Amz-Target", "Kinesis_20131202.PutRecord");
  EXPECT_TRUE(says(Failure(more), "not signed: x-amz-target"));
}

TEST(SigV4, SaysWhatIsWrongWithAPresignedAddress) {
  const std::string base =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20261101%2Fr%2Fs3%2Faws4_request"
      "&X-Amz-Date=20261101T100000Z&X-Amz-SignedHeaders=host";
  const std::string sign = "&X-Amz-Signature=" + std::string(64, 'a');
  HeaderList host = {{"host", "h"}};
  EXPECT_EQ(Failure(host, base + sign + "&X-Amz-Expires=604800"), "taken");
  EXPECT_NE(Failure(host, base + sign + "&X-Amz-Expires=604801").find("less than a week"),
            std::string::npos);
  EXPECT_NE(Failure(host, base + sign + "&X-Amz-Expires=0"), "taken");
  EXPECT_NE(Failure(host, base + sign + "&X-Amz-Expires=1h").find("number"), std::string::npos);
  EXPECT_NE(Failure(host, base).find("'X-Amz-Signature'"), std::string::npos);
  EXPECT_NE(Failure(host, base + sign + "&x=%zz").find("cannot be read"), std::string::npos);
}

TEST(SigV4, TakesTheTimeFromDateToo) {
  HeaderList headers = {{"host", "h"},
                        {"date", "Sun, 01 Nov 2026 10:00:00 GMT"},
                        {"authorization",
                         "AWS4-HMAC-SHA256 Credential=AK/20261101/r/weft/aws4_request, "
                         "SignedHeaders=date;host, Signature=" +
                             std::string(64, 'a')}};
  auto found = FindSignature({"GET", "/", "", &headers});
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ((*found)->time, *ParseBasicTimestamp("20261101T100000Z"));
}

}  // namespace
}  // namespace weft::codec
