// SPDX-License-Identifier: Apache-2.0
#include "govern/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "govern/pattern.h"

namespace weft::govern {
namespace {

using testing::HasSubstr;
using Verdict = Policy::Verdict;

std::string Statement(const std::string& inner) {
  return R"({"Version": "2012-10-17", "Statement": [{)" + inner + "}]}";
}
std::string Simple(const std::string& effect, const std::string& action,
                   const std::string& resource) {
  return Statement(R"("Effect": ")" + effect + R"(", "Action": )" + action + R"(, "Resource": )" +
                   resource);
}
Verdict Judge(const std::string& document, std::string_view action, std::string_view resource) {
  auto policy = Policy::Parse(document);
  EXPECT_TRUE(policy.ok()) << (policy.ok() ? "" : policy.error().message());
  return policy.ok() ? policy->Judge(action, resource) : Verdict::kNone;
}
Error Refusal(const std::string& document) {
  auto policy = Policy::Parse(document);
  EXPECT_FALSE(policy.ok()) << document;
  return policy.ok() ? Error(Code::kInternal, "taken") : policy.error();
}

TEST(Pattern, WildcardsMatchAnyText) {
  struct Case {
    const char *pattern, *text;
    bool matches;
  };
  for (const Case& c : std::initializer_list<Case>{{"", "", true},
                                                   {"*", "", true},
                                                   {"**", "abc", true},
                                                   {"a*c", "abbc", true},
                                                   {"a*c", "abcd", false},
                                                   {"a*b*c", "aXbYbZc", true},
                                                   {"?", "", false},
                                                   {"?", "a", true},
                                                   {"a?c", "abc", true},
                                                   {"a?c", "ac", false},
                                                   {"*?", "a", true},
                                                   {"*?", "", false},
                                                   {"a*", "b", false},
                                                   {"abc", "ABC", false},
                                                   {"*aab", "aaaab", true}}) {
    EXPECT_EQ(MatchesText(c.pattern, c.text, false), c.matches) << c.pattern << " and " << c.text;
  }
  EXPECT_TRUE(MatchesText("weft:put*", "weft:PutRecords", true));
}

TEST(Pattern, ManyStarsTakeNoLongerForIt) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "a*";
  EXPECT_FALSE(MatchesText(pattern + "b", std::string(20'000, 'a'), false));
}

TEST(Pattern, StarsOfAnArnStayBetweenItsColonsButForTheLast) {
  const char* resource = "arn:aws:weft:us-east-1:111111111111:product/orders";
  EXPECT_TRUE(MatchesResource("arn:aws:weft:*:111111111111:product/*", resource));
  EXPECT_TRUE(MatchesResource("arn:aws:weft:*", resource));
  EXPECT_TRUE(MatchesResource("arn:*", resource));
  EXPECT_TRUE(MatchesResource("*", resource));
  EXPECT_TRUE(MatchesResource("*", "*"));
  EXPECT_FALSE(MatchesResource("arn:aws:weft:*:222222222222:product/*", resource));
  EXPECT_FALSE(MatchesResource("arn:aws:weft:*:product/orders:x*", resource));
  EXPECT_FALSE(MatchesResource("arn:aws:weft:us-east-1:111111111111:product/ORDERS", resource));
  EXPECT_FALSE(MatchesResource("arn:aws:weft:*:111111111111:*", "*"));
  // A name with colons in it does not pose as another account's.
  EXPECT_FALSE(
      MatchesResource("arn:aws:weft:*:111111111111:product/x",
                      "arn:aws:weft:us-east-1:222222222222:product/y:111111111111:product/x"));
  EXPECT_TRUE(MatchesResource("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a:b"));
}

TEST(Policy, AllowsWhatItNamesAndNothingElse) {
  const std::string document = Simple("Allow", R"(["weft:Query", "weft:Describe*"])",
                                      R"("arn:aws:weft:*:111111111111:product/*")");
  const char* resource = "arn:aws:weft:us-east-1:111111111111:product/orders";
  EXPECT_EQ(Judge(document, "weft:Query", resource), Verdict::kAllow);
  EXPECT_EQ(Judge(document, "WEFT:describeproduct", resource), Verdict::kAllow);
  EXPECT_EQ(Judge(document, "weft:PutRecords", resource), Verdict::kNone);
  EXPECT_EQ(Judge(document, "weft:Query", "arn:aws:weft:us-east-1:222222222222:product/orders"),
            Verdict::kNone);
  EXPECT_EQ(Judge(document, "weft:Query", "*"), Verdict::kNone);
}

TEST(Policy, DenyWinsWhereverItStands) {
  const std::string allow = R"({"Effect": "Allow", "Action": "*", "Resource": "*"})";
  const std::string deny = R"({"Effect": "Deny", "Action": "weft:Apply", "Resource": "*"})";
  for (const std::string& statements : {allow + "," + deny, deny + "," + allow}) {
    const std::string document = R"({"Statement": [)" + statements + "]}";
    EXPECT_EQ(Judge(document, "weft:Apply", "*"), Verdict::kDeny);
    EXPECT_EQ(Judge(document, "weft:Plan", "*"), Verdict::kAllow);
  }
}

TEST(Policy, NotActionAndNotResourceMeanAllOthers) {
  const std::string not_action =
      Statement(R"("Effect": "Allow", "NotAction": ["weft:*", "iam:Get*"], "Resource": "*")");
  EXPECT_EQ(Judge(not_action, "glue:GetTable", "*"), Verdict::kAllow);
  EXPECT_EQ(Judge(not_action, "weft:Query", "*"), Verdict::kNone);
  EXPECT_EQ(Judge(not_action, "IAM:getuser", "*"), Verdict::kNone);
  const std::string not_resource =
      Statement(R"("Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::mine/*")");
  EXPECT_EQ(Judge(not_resource, "s3:GetObject", "arn:aws:s3:::mine/a"), Verdict::kNone);
  EXPECT_EQ(Judge(not_resource, "s3:GetObject", "arn:aws:s3:::yours/a"), Verdict::kDeny);
}

TEST(Policy, ReadsOneStatementWithoutAList) {
  EXPECT_EQ(
      Judge(
          R"({"Id": "x", "Statement": {"Sid": "One1", "Effect": "Allow", "Action": "a:b", "Resource": "*"}})",
          "a:b", "x"),
      Verdict::kAllow);
}

TEST(Policy, RefusesWhatIsNotAPolicy) {
  const std::string good = R"("Effect": "Allow", "Action": "a:b", "Resource": "*")";
  for (const std::string& wrong :
       {std::string(""),
        std::string("[]"),
        std::string("{}"),
        std::string("{"),
        std::string(R"({"Statement": []})"),
        std::string(R"({"Statement": "x"})"),
        R"({"Version": "2020-01-01", "Statement": {)" + good + "}}",
        R"({"Version": 1, "Statement": {)" + good + "}}",
        R"({"Statements": {)" + good + "}}",
        Statement(R"("Action": "a:b", "Resource": "*")"),
        Statement(R"("Effect": "allow", "Action": "a:b", "Resource": "*")"),
        Statement(R"("Effect": "Allow", "Resource": "*")"),
        Statement(R"("Effect": "Allow", "Action": "a:b")"),
        Statement(good + R"(, "NotAction": "c:d")"),
        Statement(good + R"(, "NotResource": "*")"),
        Statement(good + R"(, "Principal": "*")"),
        Statement(good + R"(, "Sid": "no blanks")"),
        Statement(good + R"(, "Effect": "Deny")"),
        Simple("Allow", R"("query")", R"("*")"),
        Simple("Allow", "[]", R"("*")"),
        Simple("Allow", "7", R"("*")"),
        Simple("Allow", R"(["a:b", 7])", R"("*")"),
        Simple("Allow", R"("a:b")", R"("orders")"),
        Simple("Allow", R"("a:b")", R"("arn:aws:s3")"),
        Simple("Allow", R"("a:b")", "{}"),
        R"({"Statement": [{"Sid": "A",)" + good + R"(}, {"Sid": "A",)" + good + "}]}",
        Simple("Allow", R"("a:b")", "\"arn:aws:s3:::" + std::string(20'000, 'x') + "\""),
        std::string(10'000, '[')}) {
    EXPECT_EQ(Refusal(wrong).code(), Code::kInvalid) << wrong;
  }
  EXPECT_THAT(Refusal(Statement(R"("Efect": "Allow", "Action": "a:b", "Resource": "*")")).message(),
              HasSubstr("did you mean Effect?"));
  EXPECT_THAT(Refusal(Statement(good + R"(, "Effect": "Deny")")).message(),
              HasSubstr("'Effect' is given twice"));
}

TEST(Policy, SaysWhatIsNotOfferedYet) {
  const std::string good = R"("Effect": "Allow", "Action": "a:b", "Resource": "*")";
  EXPECT_EQ(Refusal(Statement(good + R"(, "Condition": {})")).code(), Code::kNotOffered);
  EXPECT_EQ(Refusal(Simple("Allow", R"("a:b")", R"("arn:aws:s3:::home/${aws:username}/*")")).code(),
            Code::kNotOffered);
}

TEST(Policy, TakesTheExamplesOfAMesh) {
  for (const char* name : {"ingest.json", "query.json"}) {
    std::ifstream file(std::string(WEFT_SHARED_DATA "/../mesh-example/policies/") + name);
    if (!file) GTEST_SKIP() << "the example mesh is not here";
    const std::string document((std::istreambuf_iterator<char>(file)),
                               std::istreambuf_iterator<char>());
    EXPECT_TRUE(Policy::Parse(document).ok()) << name;
    if (std::string(name) != "ingest.json") continue;
    EXPECT_EQ(Judge(document, "execute-api:Invoke",
                    "arn:aws:execute-api:us-east-1:222222222222:weft/main/POST/sink_data/"),
              Verdict::kAllow);
    EXPECT_EQ(Judge(document, "execute-api:Invoke",
                    "arn:aws:execute-api:us-east-1:111111111111:weft/main/POST/sink_data/"),
              Verdict::kNone);
  }
}

}  // namespace
}  // namespace weft::govern
