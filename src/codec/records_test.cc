// SPDX-License-Identifier: Apache-2.0
#include "codec/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/random.h"

namespace weft::codec {
namespace {

using testing::ElementsAre;

std::vector<std::string> Split(RecordFormat format, std::string_view body) {
  Bytes text;
  auto records = SplitRecords(format, body, text);
  if (!records.ok()) return {"refused: " + records.error().message()};
  std::vector<std::string> out;
  for (const RawRecord& record : *records) out.emplace_back(record.json);
  return out;
}

std::vector<std::string> Originals(RecordFormat format, std::string_view body) {
  Bytes text;
  auto records = SplitRecords(format, body, text);
  std::vector<std::string> out;
  for (const RawRecord& record : *records) out.emplace_back(record.original);
  return out;
}

bool Refused(RecordFormat format, std::string_view body) {
  Bytes text;
  auto records = SplitRecords(format, body, text);
  return !records.ok() && records.error().code() == Code::kInvalid;
}

TEST(RecordsContentType, NamesOfTheFormats) {
  EXPECT_EQ(*ParseRecordContentType(""), RecordFormat::kJson);
  EXPECT_EQ(*ParseRecordContentType("application/json; charset=UTF-8"), RecordFormat::kJson);
  EXPECT_EQ(*ParseRecordContentType("application/x-www-form-urlencoded"), RecordFormat::kJson);
  EXPECT_EQ(*ParseRecordContentType("Application/X-NDJSON"), RecordFormat::kNdjson);
  EXPECT_EQ(*ParseRecordContentType("text/csv;charset=\"utf-8\"; header=present"),
            RecordFormat::kCsv);
}

TEST(RecordsContentType, RefusesWhatIsNotTaken) {
  for (const char* bad : {"text/plain", "application/xml", "text/csv; charset=iso-8859-1",
                          "text/csv; header=absent"}) {
    auto format = ParseRecordContentType(bad);
    ASSERT_FALSE(format.ok()) << bad;
    EXPECT_EQ(format.error().code(), Code::kInvalid);
  }
  EXPECT_THAT(ParseRecordContentType("text/plain").error().message(),
              testing::HasSubstr("application/x-ndjson"));
}

TEST(RecordsJson, OneObjectManyAndAnArray) {
  EXPECT_THAT(Split(RecordFormat::kJson, " {\"a\":1}\n"), ElementsAre("{\"a\":1}"));
  EXPECT_THAT(Split(RecordFormat::kJson, "{\"a\":1}{\"b\":2}\n {\"c\":3}"),
              ElementsAre("{\"a\":1}", "{\"b\":2}", "{\"c\":3}"));
  EXPECT_THAT(Split(RecordFormat::kJson, "[{\"a\":[1,{}]} , {\"b\":\"]\"}]"),
              ElementsAre("{\"a\":[1,{}]}", "{\"b\":\"]\"}"));
  EXPECT_THAT(Split(RecordFormat::kJson, "[]"), ElementsAre());
  EXPECT_THAT(Split(RecordFormat::kJson, "\xef\xbb\xbf{}"), ElementsAre("{}"));
}

TEST(RecordsJson, ElementsThatAreNoObjectsAreRecordsToo) {
  EXPECT_THAT(Split(RecordFormat::kJson, R"([1, "a,]\"b", null, [1,2], -1.5e3,{}])"),
              ElementsAre("1", R"("a,]\"b")", "null", "[1,2]", "-1.5e3", "{}"));
}

TEST(RecordsJson, RefusesBodiesThatCannotBeTakenApart) {
  for (const char* bad : {"",       "  \n",     "[",        "[{}", "[{},",       "[{},]",   "[,{}]",
                          "[{}{}]", "[{}]x",    "[{}][{}]", "{",   "{\"a\":\"}", "{} x {}", "{},{}",
                          "5",      "\"text\"", "]",        "[}",  "[\"abc]",    "[1 2]"}) {
    EXPECT_TRUE(Refused(RecordFormat::kJson, bad)) << bad;
  }
  EXPECT_THAT(Split(RecordFormat::kJson, "[{\"a\":\"\xff\"},{}]"),
              ElementsAre("{\"a\":\"\xff\"}", "{}"));
  EXPECT_TRUE(Refused(RecordFormat::kJson, std::string_view("\xff\xfe{\0}\0", 6)));
  EXPECT_TRUE(Refused(RecordFormat::kJson, std::string_view("[\0]", 3)));
}

TEST(RecordsJson, AnElementBrokenInsideIsOneBadRecord) {
  EXPECT_THAT(Split(RecordFormat::kJson, "[{\"a\" 1},{\"b\":2}]"),
              ElementsAre("{\"a\" 1}", "{\"b\":2}"));
  EXPECT_THAT(Split(RecordFormat::kJson, "[tru,{}]"), ElementsAre("tru", "{}"));
}

// Every position of quotes, escapes and brackets against the blocks that the scanner works in.
TEST(RecordsJson, FindsTheSameEndsAsAParser) {
  Random& random = SystemRandom();
  for (int round = 0; round < 300; ++round) {
    std::string body = "[";
    std::vector<std::string> expected;
    size_t count = 1 + random.Next() % 20;
    for (size_t i = 0; i < count; ++i) {
      nlohmann::json record = {{"k", random.NextText(random.Next() % 140, "\"\\{}[],: ab\\\\\"")},
                               {"l", {1, {{"m", random.NextText(random.Next() % 30, "\\\"}]")}}}}};
      expected.push_back(record.dump());
      body += (i > 0 ? "," : "") + std::string(random.Next() % 3, ' ') + expected.back();
    }
    EXPECT_EQ(Split(RecordFormat::kJson, body + "]"), expected) << body;
  }
}

TEST(RecordsJson, DeepNestingNeedsNoStack) {
  std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_THAT(Split(RecordFormat::kJson, "[" + deep + "]"), ElementsAre(deep));
  EXPECT_TRUE(Refused(RecordFormat::kJson, std::string(1'000'000, '[')));
}

TEST(RecordsNdjson, EachLineIsARecordWhateverItSays) {
  EXPECT_THAT(Split(RecordFormat::kNdjson, "{\"a\":1}\r\n\n  \n not json\n{\"b\":2}"),
              ElementsAre("{\"a\":1}", "not json", "{\"b\":2}"));
  EXPECT_THAT(Split(RecordFormat::kNdjson, ""), ElementsAre());
  EXPECT_THAT(Split(RecordFormat::kNdjson, "{\"a\":\"\xff\"}\n{}"),
              ElementsAre("{\"a\":\"\xff\"}", "{}"));
}

TEST(RecordsCsv, RowsBecomeObjectsOfTexts) {
  EXPECT_THAT(Split(RecordFormat::kCsv, "id,name\r\n1,Ada\r\n2,\"Bob \"\"B\"\"\"\r\n"),
              ElementsAre(R"({"id":"1","name":"Ada"})", R"({"id":"2","name":"Bob \"B\""})"));
  EXPECT_THAT(Split(RecordFormat::kCsv, "\xef\xbb\xbf\"a,b\",c\nx,y"),
              ElementsAre(R"({"a,b":"x","c":"y"})"));
}

TEST(RecordsCsv, AnEmptyFieldIsNullAndAQuotedOneIsText) {
  EXPECT_THAT(Split(RecordFormat::kCsv, "a,b,c\n,\"\",\n"),
              ElementsAre(R"({"a":null,"b":"","c":null})"));
}

TEST(RecordsCsv, QuotedFieldsMayHoldLinesAndSeparators) {
  EXPECT_THAT(Split(RecordFormat::kCsv, "a,b\n\"one\r\ntwo\",\"x,y\"\n3,4\n"),
              ElementsAre(R"({"a":"one\u000d\u000atwo","b":"x,y"})", R"({"a":"3","b":"4"})"));
  EXPECT_THAT(Originals(RecordFormat::kCsv, "a,b\n\"one\r\ntwo\",\"x,y\"\r\n\n3,4"),
              ElementsAre("\"one\r\ntwo\",\"x,y\"", "3,4"));
}

TEST(RecordsCsv, ABrokenRowIsOneBadRecordWithTheReason) {
  EXPECT_THAT(
      Split(RecordFormat::kCsv, "a,b\n1\n1,2,3\n\"x\"y,2\n5,6\n"),
      ElementsAre("!csv row has 1 fields, header has 2", "!csv row has 3 fields, header has 2",
                  "!csv text follows a closing quote", R"({"a":"5","b":"6"})"));
}

TEST(RecordsCsv, RefusesBodiesWithoutAReadableHeaderOrEnd) {
  for (const char* bad :
       {"", "\n\n", "a,a\n1,2\n", "a,b\n\"1,2\n", "\"a,b\n", "\"a\"x,b\n1,2\n", "a,\xff\n1,2\n"}) {
    EXPECT_TRUE(Refused(RecordFormat::kCsv, bad)) << bad;
  }
  EXPECT_THAT(Split(RecordFormat::kCsv, "a,b"), ElementsAre());
}

TEST(RecordsCsv, TakesEveryRowOfRealTables) {
  const std::pair<const char*, size_t> tables[] = {
      {"customers", 122}, {"employees", 23}, {"offices", 7},      {"orderdetails", 2996},
      {"orders", 326},    {"payments", 273}, {"productlines", 7}, {"products", 110}};
  std::string folder = WEFT_SHARED_DATA "/classicmodels/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no example tables in " << folder;
  for (auto [name, rows] : tables) {
    std::ifstream file(folder + name + ".csv", std::ios::binary);
    std::stringstream body;
    body << file.rdbuf();
    auto records = Split(RecordFormat::kCsv, body.str());
    EXPECT_EQ(records.size(), rows) << name;
    for (const std::string& record : records) {
      EXPECT_TRUE(nlohmann::json::accept(record)) << name << ": " << record;
    }
  }
}

}  // namespace
}  // namespace weft::codec
