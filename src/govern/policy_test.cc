// SPDX-License-Identifier: Apache-2.0
#include "govern/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "govern/pattern.h"

namespace weft::govern {
namespace {

using testing::HasSubstr;

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

constexpr const char* kStream = "arn:aws:kinesis:us-east-1:111111111111:stream/orders";

std::string OnStream(const std::string& principal, const std::string& more = "") {
  return Statement(R"("Effect": "Allow", "Action": "kinesis:PutRecord*", "Principal": )" +
                   principal + R"(, "Resource": ")" + kStream + "\"" + more);
}
identity::Principal Caller(const std::string& account, const std::string& name) {
  return {.kind = identity::Principal::Kind::kUser,
          .account = AccountId(account),
          .name = name,
          .arn = "arn:aws:iam::" + account + ":user/" + name,
          .groups = {},
          .access_key_id = "",
          .administrator = false};
}
Verdict JudgeOnStream(const std::string& document, const identity::Principal& caller,
                      std::string_view action = "kinesis:PutRecords") {
  auto policy = ResourcePolicy::Parse(document, kStream);
  EXPECT_TRUE(policy.ok()) << (policy.ok() ? "" : policy.error().message());
  return policy.ok() ? policy->Judge(caller, action, AccountId("111111111111")) : Verdict::kNone;
}
Code RefusalOnStream(const std::string& document) {
  auto policy = ResourcePolicy::Parse(document, kStream);
  EXPECT_FALSE(policy.ok()) << document;
  return policy.ok() ? Code::kInternal : policy.error().code();
}

TEST(ResourcePolicy, NamesAnybodyAccountsUsersAndRoles) {
  const auto ada = Caller("222222222222", "ada");
  auto etl = Caller("222222222222", "etl");
  etl.kind = identity::Principal::Kind::kRole;
  etl.arn = "arn:aws:sts::222222222222:assumed-role/etl/nightly";
  struct Case {
    const char* principal;
    bool ada, etl;
  };
  for (const Case& c : std::initializer_list<Case>{
           {R"("*")", true, true},
           {R"({"AWS": "*"})", true, true},
           {R"({"AWS": "222222222222"})", true, true},
           {R"({"AWS": "arn:aws:iam::222222222222:root"})", true, true},
           {R"({"AWS": "333333333333"})", false, false},
           {R"({"AWS": "arn:aws:iam::222222222222:user/ada"})", true, false},
           {R"({"AWS": "arn:aws:iam::222222222222:user/adam"})", false, false},
           {R"({"AWS": "arn:aws:iam::333333333333:user/ada"})", false, false},
           {R"({"AWS": "arn:aws:iam::222222222222:role/etl"})", false, true},
           {R"({"AWS": "arn:aws:iam::222222222222:role/ada"})", false, false},
           {R"({"AWS": "arn:aws:sts::222222222222:assumed-role/etl/nightly"})", false, true},
           {R"({"AWS": "arn:aws:sts::222222222222:assumed-role/etl/other"})", false, false},
           {R"({"AWS": ["333333333333", "arn:aws:iam::222222222222:user/ada"]})", true, false}}) {
    const std::string document = OnStream(c.principal);
    EXPECT_EQ(JudgeOnStream(document, ada) == Verdict::kAllow, c.ada) << c.principal;
    EXPECT_EQ(JudgeOnStream(document, etl) == Verdict::kAllow, c.etl) << c.principal;
    EXPECT_EQ(JudgeOnStream(document, ada, "kinesis:GetRecords"), Verdict::kNone) << c.principal;
  }
}

TEST(ResourcePolicy, AllowingTheOwnAccountDelegatesAndDenyingItDenies) {
  const auto own = Caller("111111111111", "press");
  const std::string account = R"({"AWS": "111111111111"})";
  EXPECT_EQ(JudgeOnStream(OnStream(account), own), Verdict::kNone);
  EXPECT_EQ(JudgeOnStream(OnStream(R"("*")"), own), Verdict::kAllow);
  std::string deny = OnStream(account);
  deny.replace(deny.find("Allow"), 5, "Deny");
  EXPECT_EQ(JudgeOnStream(deny, own), Verdict::kDeny);
}

TEST(ResourcePolicy, RefusesWhatItCouldNotHold) {
  for (const std::string& wrong :
       {std::string("{}"), OnStream(R"("ada")"), OnStream("{}"), OnStream("7"),
        OnStream(R"({"AWS": []})"), OnStream(R"({"AWS": 222222222222})"),
        OnStream(R"({"AWS": "22222222222"})"), OnStream(R"({"AWS": "user/ada"})"),
        OnStream(R"({"AWS": "arn:aws:iam::222222222222:user/"})"),
        OnStream(R"({"AWS": "arn:aws:iam::222222222222:user/a*"})"),
        OnStream(R"({"AWS": "arn:aws:iam::222222222222:group/query"})"),
        OnStream(R"({"AWS": "arn:aws:iam::*:root"})"), OnStream(R"({"Aws": "*"})"),
        Statement(R"("Effect": "Allow", "Action": "kinesis:PutRecord", "Resource": ")" +
                  std::string(kStream) + "\""),
        Statement(R"("Effect": "Allow", "Action": "kinesis:*", "Principal": "*")"),
        Statement(R"("Effect": "Allow", "Action": "kinesis:*", "Principal": "*", "Resource": "*")"),
        Statement(R"("Effect": "Allow", "Action": "kinesis:*", "Principal": "*", "Resource": ")" +
                  std::string(kStream) + "2\""),
        Statement(
            R"("Effect": "Allow", "Action": "kinesis:*", "Principal": "*", "NotResource": ")" +
            std::string(kStream) + "\""),
        OnStream(R"("*")", ", \"Sid\": \"" + std::string(21'000, 'x') + "\"")}) {
    EXPECT_EQ(RefusalOnStream(wrong), Code::kInvalid) << wrong;
  }
  for (const std::string& later :
       {OnStream(R"({"Service": "logs.amazonaws.com"})"),
        OnStream(R"({"AWS": "*", "Federated": "accounts.example.com"})"),
        OnStream(R"("*")", R"(, "Condition": {})"),
        Statement(R"("Effect": "Deny", "Action": "kinesis:*", "NotPrincipal": "*", "Resource": ")" +
                  std::string(kStream) + "\"")}) {
    EXPECT_EQ(RefusalOnStream(later), Code::kNotOffered) << later;
  }
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
