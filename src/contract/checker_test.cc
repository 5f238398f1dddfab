// SPDX-License-Identifier: Apache-2.0
#include "contract/checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

namespace weft::contract {
namespace {

using iceberg::ColumnBuilder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A checker of one schema object with the builder for its table.
class Bench {
 public:
  explicit Bench(const std::string& properties, const Checker::Options& options = {}) {
    auto contract = ParseOdcs(
        "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0\nstatus: active\nschema:\n  - "
        "name: t\n"
        "    properties:\n" +
        properties);
    if (!contract.ok()) {
      ADD_FAILURE() << contract.error().message();
      return;
    }
    schema_ = std::make_shared<iceberg::Schema>(MakeTableSchema(contract->objects.at(0)).schema);
    auto checker = Checker::Make(contract->objects.at(0), schema_, options);
    if (!checker.ok()) {
      ADD_FAILURE() << checker.error().message();
      return;
    }
    session_ = (*checker)->Open();
    builder = ColumnBuilder::Make(schema_);
  }

  // "" for a good record, else "field: reason; field: reason". What Check says must be what Append
  // does.
  std::string Judge(std::string_view record) {
    std::vector<FieldError> errors;
    // An exact copy, so that a sanitizer sees reads beyond it.
    std::vector<char> copy(record.begin(), record.end());
    std::string_view exact(copy.data(), copy.size());
    bool good = session_->Check(exact, errors);
    EXPECT_EQ(good, errors.empty());
    int64_t rows = builder->rows();
    auto appended = session_->Append(exact, "id", 7, *builder);
    EXPECT_EQ(appended.ok(), good) << record << (appended.ok() ? "" : appended.error().message());
    EXPECT_EQ(builder->rows(), rows + (good ? 1 : 0));
    EXPECT_TRUE(appended.ok() || appended.error().code() == Code::kCorrupt);
    std::string all;
    for (const auto& error : errors)
      all += (all.empty() ? "" : "; ") + error.field + ": " + error.reason;
    return all;
  }
  std::string Value(const std::string& json) { return Judge("{\"a\":" + json + "}"); }
  bool Good(const std::string& json) { return Value(json).empty(); }

  Checker::Session& session() { return *session_; }
  std::unique_ptr<ColumnBuilder> builder;

 private:
  std::shared_ptr<const iceberg::Schema> schema_;
  std::unique_ptr<Checker::Session> session_;
};

std::string Property(const std::string& types) { return "      - { name: a, " + types + " }\n"; }

TEST(Checker, TakesIntegersInRangeAndNothingElse) {
  Bench bench(Property("logicalType: integer, physicalType: int"));
  for (auto good : {"0", "-0", "42", "2147483647", "-2147483648", "null"})
    EXPECT_TRUE(bench.Good(good)) << good;
  for (auto bad : {"2147483648", "-2147483649", "1.0", "1e2", "true", "\"1\"", "[1]", "{}",
                   "99999999999999999999999"}) {
    EXPECT_THAT(bench.Value(bad), testing::StartsWith("a: is ")) << bad;
  }
  for (auto broken : {"01", "+1", "1.", ".5", "--1", "1x", "-", "nul", "tru", "", "0x1"}) {
    EXPECT_THAT(bench.Value(broken), HasSubstr("is not valid JSON")) << broken;
  }
  Bench wide(Property("logicalType: integer"));
  EXPECT_TRUE(wide.Good("9223372036854775807"));
  EXPECT_TRUE(wide.Good("-9223372036854775808"));
  EXPECT_EQ(wide.Value("9223372036854775808"), "a: is outside the range of bigint");
  Bench tiny(Property("logicalType: integer, physicalType: tinyint"));
  EXPECT_TRUE(tiny.Good("-128"));
  EXPECT_EQ(tiny.Value("128"), "a: is outside the range of i8");
  Bench large(Property("logicalType: integer, logicalTypeOptions: { format: u64 }"));
  EXPECT_TRUE(large.Good("18446744073709551615"));
  EXPECT_FALSE(large.Good("18446744073709551616"));
  EXPECT_FALSE(large.Good("-1"));
  EXPECT_FALSE(large.Good("\"1\""));
  EXPECT_FALSE(large.Good("1.0"));
}

TEST(Checker, KeepsAllDigitsOfDecimals) {
  Bench bench(Property("logicalType: number, physicalType: 'decimal(12,2)'"));
  for (auto good : {"1", "1.5", "1.50", "1.500", "\"12.34\"", "\"-0012.3\"", "1e3", "1.25e1",
                    "-9999999999.99", "0e9", "\"+1\""}) {
    EXPECT_TRUE(bench.Good(good)) << good;
  }
  for (auto bad : {"1.005", "10000000000", "\"\"", "\"x\"", "\"1,5\"", "\" 1\"", "true", "1e11",
                   "1e-3", "[]"}) {
    EXPECT_FALSE(bench.Good(bad)) << bad;
  }
  Bench wide(Property("logicalType: number, physicalType: 'decimal(38,0)'"));
  EXPECT_TRUE(wide.Good("99999999999999999999999999999999999999"));
  EXPECT_FALSE(wide.Good("100000000000000000000000000000000000000"));
  ASSERT_TRUE(wide.builder->rows() == 1);
  auto chunk = wide.builder->Seal();
  ASSERT_TRUE(chunk.ok());
  uint64_t parts[2] = {0, 0};  // 10^38 - 1
  std::memcpy(parts, (*chunk)->columns()[0].values, 16);
  EXPECT_EQ(parts[0], 687399551400673279U);
  EXPECT_EQ(parts[1], 5421010862427522170U);
}

TEST(Checker, TakesDoublesThatATypeHolds) {
  Bench bench(Property("logicalType: number"));
  for (auto good : {"1", "-1.5e300", "1e-400", "0.1", "12345678901234567890"})
    EXPECT_TRUE(bench.Good(good)) << good;
  for (auto bad : {"1e400", "-1e400", "\"1\"", "NaN", "Infinity"})
    EXPECT_FALSE(bench.Good(bad)) << bad;
  Bench narrow(Property("logicalType: number, physicalType: float"));
  EXPECT_TRUE(narrow.Good("1e38"));
  EXPECT_FALSE(narrow.Good("1e39"));
}

TEST(Checker, ReadsTimestampsAsRecordsWriteThem) {
  Bench bench(Property("logicalType: timestamp"));
  struct Case {
    const char* json;
    int64_t micros;
  };
  const int64_t noon = 1'604'232'000'000'000;  // 2020-11-01T12:00:00Z
  for (auto [json, micros] :
       std::vector<Case>{{"\"2020-11-01T12:00:00Z\"", noon},
                         {"\"2020-11-01T12:00:00\"", noon},
                         {"\"2020-11-01 12:00\"", noon},
                         {"\"2020-11-01T14:00:00+02:00\"", noon},
                         {"\"2020-11-01T06:30:00-0530\"", noon},
                         {"\"2020-11-01T12:00:00.123456Z\"", noon + 123456},
                         {"\"2020-11-01T12:00:00.1\"", noon + 100000},
                         {"\"2020-11-01T12:00:00.123456000Z\"", noon + 123456},
                         {"\"2020-11-01\"", noon - 43'200'000'000},
                         {"1604232000", noon},
                         {"1604232000000", noon},
                         {"\"1604232000000\"", noon},
                         {"\"1604232000\"", noon},
                         {"1604232000.5", noon + 500'000},
                         {"-1", -1'000'000},
                         {"\"-5\"", -5'000'000},
                         {"\"1969-12-31T23:59:59.999999Z\"", -1},
                         {"\"0001-01-01\"", -62'135'596'800'000'000},
                         {"99999999999", 99'999'999'999'000'000},
                         {"100000000000", 100'000'000'000'000}}) {
    ASSERT_EQ(bench.Value(json), "") << json;
    auto chunk = bench.builder->Seal();
    ASSERT_TRUE(chunk.ok());
    int64_t value = 0;
    std::memcpy(&value, (*chunk)->columns()[0].values, 8);
    EXPECT_EQ(value, micros) << json;
  }
  for (auto bad :
       {"\"\"", "\"2020/01/01\"", "\"2020-02-30\"", "\"2020-01-01T24:00:00\"",
        "\"2020-01-01T00:00:60\"", "\"1.5\"", "\"2020-01-01T00:00:00.1234567\"", "true", "{}",
        "\"2020-01-01T\"", "1e30", "9999999999999999", "\"10000-01-01\"", "\"0000-01-01\"",
        "\"2020-1-1\"", "\"2020-01-01T00:00:00ZZ\"", "\"2020-01-01T00:00:00.\""}) {
    EXPECT_EQ(bench.Value(bad), "a: is not a timestamp") << bad;
  }
}

TEST(Checker, HoldsDatesAndTimesToTheirFormats) {
  Bench date(Property("logicalType: date"));
  EXPECT_TRUE(date.Good("\"2024-02-29\""));
  for (auto bad : {"\"2023-02-29\"", "\"2024-2-9\"", "20240229", "\"2024-02-29T00:00\"", "\"\""}) {
    EXPECT_FALSE(date.Good(bad)) << bad;
  }
  Bench time(Property("logicalType: time"));
  EXPECT_TRUE(time.Good("\"23:59:59.999999\""));
  EXPECT_FALSE(time.Good("\"24:00:00\""));
  Bench other(
      Property("logicalType: timestamp, logicalTypeOptions: { format: 'yyyy/MM/dd HH:mm' }"));
  EXPECT_TRUE(other.Good("\"2001/01/31 23:59\""));
  EXPECT_FALSE(other.Good("\"2001-01-31 23:59\""));
  EXPECT_FALSE(other.Good("\"2001/02/31 23:59\""));
  Bench zoned(
      Property("logicalType: timestamp, logicalTypeOptions: { defaultTimezone: Europe/Paris }"));
  EXPECT_TRUE(zoned.Good("\"2001-01-31 23:59+01:00\""));
  EXPECT_EQ(zoned.Value("\"2001-01-31 23:59\""), "a: does not say its zone");
}

TEST(Checker, HoldsTextsToTheirLimits) {
  Bench bench(
      Property("logicalType: string, logicalTypeOptions: { minLength: 2, maxLength: 3, pattern: "
               "'^\\w|\xc3\xa4' }"));
  EXPECT_TRUE(bench.Good("\"ab\""));
  EXPECT_TRUE(bench.Good("\"\xc3\xa4\xc3\xa4\xc3\xa4\"")) << "three code points";
  EXPECT_TRUE(bench.Good("\"\\u00e4b\""));
  EXPECT_EQ(bench.Value("\"a\""), "a: is shorter than its minimum length");
  EXPECT_EQ(bench.Value("\"abcd\""), "a: is longer than its maximum length");
  EXPECT_THAT(bench.Value("\"--\""), HasSubstr("does not match the pattern"));
  EXPECT_EQ(bench.Value("5"), "a: is not a text");
  Bench varchar(Property("logicalType: string, physicalType: varchar(2)"));
  EXPECT_FALSE(varchar.Good("\"abc\""));
}

TEST(Checker, ReadsPatternsAsEcma262Does) {
  auto matches = [](const std::string& pattern, const std::string& json) {
    Bench bench(
        Property("logicalType: string, logicalTypeOptions: { pattern: '" + pattern + "' }"));
    return bench.Good(json);
  };
  EXPECT_TRUE(matches("b", "\"abc\"")) << "not anchored";
  EXPECT_FALSE(matches("^b$", "\"b\\n\"")) << "$ is the very end";
  EXPECT_FALSE(matches("^.$", "\"\\u2028\""));
  EXPECT_TRUE(matches("^\\s$", "\"\\u00a0\""));
  EXPECT_FALSE(matches("^\\d$", "\"\\u0663\""));
  EXPECT_TRUE(matches("^\\u{1F600}$", "\"\\ud83d\\ude00\""));
  EXPECT_TRUE(matches("^[[a]$", "\"[\""));
  EXPECT_TRUE(matches("^(?!x)\\w+(?<=y)$", "\"aby\""));
  EXPECT_FALSE(matches("[]", "\"a\""));
  EXPECT_TRUE(matches("^[^]$", "\"\\n\""));
}

TEST(Checker, EndsPatternsThatWouldTakeForever) {
  Bench bench(Property("logicalType: string, logicalTypeOptions: { pattern: '^(a+)+$' }"));
  auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(bench.Value("\"" + std::string(5000, 'a') + "!\""), "a: its pattern took too long");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(Checker, KnowsTheFormatsOfTexts) {
  struct Case {
    const char *format, *good, *bad;
  };
  for (auto [format, good, bad] : std::vector<Case>{
           {"email", "ada@example.org", "ada@"},
           {"uuid", "7D9f0f2c-6f0b-4a8e-9a55-3f1f0c7f6d11", "7d9f0f2c6f0b4a8e9a553f1f0c7f6d11"},
           {"uri", "https://example.org/a?b=%20", "no uri"},
           {"ipv4", "10.0.0.255", "10.0.0.256"},
           {"ipv6", "fe80::1", "fe80::1::2"},
           {"hostname", "a-b.example", "-a.example"},
           {"byte", "aGk=", "aGk"}}) {
    Bench bench(
        Property(fmt::format("logicalType: string, logicalTypeOptions: {{ format: {} }}", format)));
    EXPECT_TRUE(bench.Good(fmt::format("\"{}\"", good))) << good;
    EXPECT_EQ(bench.Value(fmt::format("\"{}\"", bad)),
              fmt::format("a: is not of the format {}", format));
  }
}

TEST(Checker, HoldsNumbersToTheirLimits) {
  Bench bench(Property(
      "logicalType: number, physicalType: 'decimal(10,2)', logicalTypeOptions: { minimum: 0, "
      "exclusiveMaximum: 100.5, multipleOf: 0.25 }"));
  EXPECT_TRUE(bench.Good("0"));
  EXPECT_TRUE(bench.Good("100.25"));
  EXPECT_EQ(bench.Value("-0.01"), "a: is less than 0");
  EXPECT_EQ(bench.Value("100.50"), "a: is not less than 100.5");
  EXPECT_EQ(bench.Value("0.3"), "a: is not a multiple of 0.25");
  Bench real(Property(
      "logicalType: number, logicalTypeOptions: { multipleOf: 0.1, exclusiveMinimum: 0 }"));
  EXPECT_TRUE(real.Good("0.3"));
  EXPECT_FALSE(real.Good("0.35"));
  EXPECT_FALSE(real.Good("0"));
  Bench date(
      Property("logicalType: date, logicalTypeOptions: { exclusiveMinimum: '2020-01-01', maximum: "
               "'2021-01-01' }"));
  EXPECT_TRUE(date.Good("\"2020-01-02\""));
  EXPECT_FALSE(date.Good("\"2020-01-01\""));
  EXPECT_FALSE(date.Good("\"2021-01-02\""));
}

constexpr const char* kNested =
    "      - { name: id, logicalType: string, required: true }\n"
    "      - name: customer\n"
    "        logicalType: object\n"
    "        properties:\n"
    "          - { name: id, logicalType: integer, required: true }\n"
    "          - { name: email, logicalType: string }\n"
    "      - name: lines\n"
    "        logicalType: array\n"
    "        logicalTypeOptions: { minItems: 1, maxItems: 3, uniqueItems: true }\n"
    "        items:\n"
    "          logicalType: object\n"
    "          properties:\n"
    "            - { name: sku, logicalType: string, required: true }\n"
    "            - { name: n, logicalType: integer, logicalTypeOptions: { minimum: 1 } }\n"
    "      - { name: tags, logicalType: object, physicalType: 'map<string,int>' }\n"
    "      - { name: extra, logicalType: object, logicalTypeOptions: { required: [k], "
    "maxProperties: 2 } }\n"
    "      - { name: list, logicalType: array }\n";

TEST(Checker, NamesEachBadFieldByItsPath) {
  Bench bench(kNested);
  EXPECT_EQ(bench.Judge(R"({"id":"1"})"), "");
  EXPECT_EQ(
      bench.Judge(
          R"({"id":"1","customer":{"id":3,"email":null},"lines":[{"sku":"a","n":1}],"tags":{"x":1},)"
          R"("extra":{"k":[1,{}]},"list":[1,"a"]})"),
      "");
  EXPECT_EQ(
      bench.Judge(
          R"({"lines":[{"sku":"a"},{"n":0}],"customer":{"id":"x","id2":1},"tags":{"x":"1"},"z":1})"),
      "lines[1].n: is less than 1; lines[1].sku: is required; customer.id: is not an integer; "
      "customer.id2: is not in the contract; tags.x: is not an integer; z: is not in the contract; "
      "id: is required");
  EXPECT_EQ(bench.Judge(R"({"id":"1","lines":[]})"), "lines: has 0 items, fewer than 1");
  EXPECT_EQ(bench.Judge(R"({"id":"1","lines":[{"sku":"a","n":1},{"n":1,"sku":"\u0061"}]})"),
            "lines: has an item twice");
  EXPECT_EQ(bench.Judge(R"({"id":"1","extra":{"l":1}})"), "extra.k: is required");
  EXPECT_EQ(bench.Judge(R"({"id":"1","extra":{"k":null}})"), "extra.k: is required");
  EXPECT_EQ(bench.Judge(R"({"id":"1","extra":{"k":1,"l":1,"m":2}})"),
            "extra: has 3 properties, more than 2");
  EXPECT_EQ(bench.Judge(R"({"id":null})"), "id: is required");
  EXPECT_EQ(bench.Judge(R"({"id":"1","extra":[],"list":{},"customer":1,"lines":"x","tags":[]})"),
            "extra: is not an object; list: is not an array; customer: is not an object; lines: is "
            "not an array; "
            "tags: is not an object");
}

TEST(Checker, KeepsUndeclaredPartsAsTheirText) {
  Bench bench(kNested);
  ASSERT_EQ(bench.Judge(R"({"id":"1", "extra" : {"k": [1, 2.50]}  ,"list":[ 1 ] })"), "");
  auto chunk = bench.builder->Seal();
  ASSERT_TRUE(chunk.ok());
  auto text = [&](size_t column) {
    const auto& view = (*chunk)->columns()[column];
    return std::string(reinterpret_cast<const char*>(view.values) + view.offsets[0],
                       static_cast<size_t>(view.offsets[1] - view.offsets[0]));
  };
  EXPECT_EQ(text(4), R"({"k": [1, 2.50]})");
  EXPECT_EQ(text(5), "[ 1 ]");
  EXPECT_EQ(text(6), "id");
}

TEST(Checker, RefusesDoubledKeysAtEveryLevel) {
  Bench bench(kNested, {.unknown_fields = UnknownFields::kIgnore});
  EXPECT_EQ(bench.Judge(R"({"id":"1","id":"2"})"), "id: is given twice");
  EXPECT_EQ(bench.Judge(R"({"id":"1","\u0069d":"2"})"), "id: is given twice");
  EXPECT_EQ(bench.Judge(R"({"id":"1","customer":{"id":1,"id":1}})"), "customer.id: is given twice");
  EXPECT_EQ(bench.Judge(R"({"id":"1","z":1,"y":2,"z":3})"), "z: is given twice");
  EXPECT_EQ(bench.Judge(R"({"id":"1","z":{"y":[{"x":1,"\u0078":2}]}})"),
            "z.y[0].x: is given twice");
  EXPECT_EQ(bench.Judge(R"({"id":"1","tags":{"a":1,"a":1}})"), "tags.a: is given twice");
  EXPECT_EQ(bench.Judge(R"({"id":"1","extra":{"k":1,"k":1}})"), "extra.k: is given twice");
  EXPECT_EQ(bench.Judge(R"({"id":"1","z":1,"y":{"z":2}})"), "");
}

TEST(Checker, JudgesWhatItIgnores) {
  Bench bench(kNested, {.unknown_fields = UnknownFields::kIgnore});
  EXPECT_EQ(bench.Judge(R"({"id":"1","z":[1,-2.5e3,"x",{"a":null,"b":[true,false]}]})"), "");
  for (auto broken : {R"({"id":"1","z":tru})",
                      R"({"id":"1","z":[1,]})",
                      R"({"id":"1","z":[1 2]})",
                      R"({"id":"1","z":{"a"}})",
                      R"({"id":"1","z":01})",
                      R"({"id":"1","z":"\x"})",
                      R"({"id":"1","z":{"a":1,}})",
                      R"({"id":"1","z":})",
                      R"({"id":"1","z":1]})",
                      R"({"id":"1","z":1}})",
                      R"({"id":"1","z":"a)",
                      R"({"id":"1","z":[})",
                      R"({"id":"1","z":nulll})",
                      "{\"id\":\"1\",\"z\":\"\n\"}",
                      R"({"id":"1",})",
                      R"({,"id":"1"})",
                      R"({"id":"1" "z":1})",
                      R"({"id":"1","z":"a"b})",
                      "{\"id\":\"1\",\"z\":\"\xff\"}",
                      "{\"id\":\"1\",\"z\":\"\xed\xa0\x80\"}"}) {
    EXPECT_THAT(bench.Judge(broken), testing::StartsWith(": is not valid JSON")) << broken;
  }
  EXPECT_EQ(bench.Judge(R"({"id":"1","z":["\ud800"]})"), "z[0]: has a lone surrogate");
  EXPECT_EQ(bench.Judge(R"({"id":"\udc00x"})"), "id: has a lone surrogate");
  EXPECT_EQ(bench.Judge(R"({"id":"1","z":1e400})"), "z: is a number that no type holds");
}

TEST(Checker, RefusesWhatIsNotOneObject) {
  Bench bench(kNested);
  EXPECT_EQ(bench.Judge(""), ": is empty");
  for (auto text : {"[]", "1", "\"x\"", "null", "true"})
    EXPECT_EQ(bench.Judge(text), ": is not a JSON object") << text;
  EXPECT_THAT(bench.Judge("{"), HasSubstr("is not valid JSON"));
  EXPECT_THAT(bench.Judge(R"({"id":"1"} {"id":"2"})"), testing::StartsWith(": "));
  EXPECT_THAT(bench.Judge(R"({"id":"1"} x)"), testing::StartsWith(": "));
  EXPECT_EQ(bench.Judge("  {\"id\" : \"1\"} \n"), "");
}

TEST(Checker, LimitsDepth) {
  Bench bench(kNested, {.unknown_fields = UnknownFields::kIgnore});
  auto nested = [](size_t depth) {
    return "{\"id\":\"1\",\"z\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_EQ(bench.Judge(nested(120)), "");
  EXPECT_EQ(bench.Judge(nested(200)), ": is nested too deeply");
  EXPECT_EQ(bench.Judge(nested(100'000)), ": is nested too deeply");
}

TEST(Checker, ListsNoMoreErrorsThanAsked) {
  Bench bench(kNested, {.errors_max = 3});
  std::vector<FieldError> errors = {{"other", "of another record"}};
  EXPECT_FALSE(bench.session().Check(R"({"a":1,"b":1,"c":1,"d":1,"e":1})", errors));
  EXPECT_EQ(errors.size(), 4U);
}

TEST(Checker, IsNotSlowedByManyKeys) {
  Bench bench(kNested, {.unknown_fields = UnknownFields::kIgnore});
  std::string record = "{\"id\":\"1\"";
  for (int i = 0; i < 100'000; ++i) record += fmt::format(",\"k{}\":{}", i, i);
  record += "}";
  auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(bench.Judge(record), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(Checker, LeavesColumnsOfALaterContractNull) {
  auto before = FromShortForm("p", {{"a", "int"}});
  auto after = FromShortForm("p", {{"a", "int"}, {"b", "string"}, {"c", "struct<x:int>"}});
  ASSERT_TRUE(before.ok() && after.ok());
  auto table = MakeTableSchema(before->objects[0]);
  auto evolved = Evolve(table.schema, table.last_column_id, after->objects[0]);
  ASSERT_TRUE(evolved.ok());
  auto schema = std::make_shared<iceberg::Schema>(evolved->schema);
  auto checker = Checker::Make(before->objects[0], schema, {});
  ASSERT_TRUE(checker.ok()) << checker.error().message();
  auto builder = ColumnBuilder::Make(schema);
  ASSERT_TRUE((*checker)->Open()->Append(R"({"a":5})", "id", 1, *builder).ok());
  auto chunk = builder->Seal();
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ((*chunk)->rows(), 1);
  EXPECT_EQ((*chunk)->columns()[1].null_count, 1);
  EXPECT_EQ((*chunk)->columns()[2].null_count, 1);
}

TEST(Checker, RefusesATableOfOtherTypes) {
  auto contract = FromShortForm("p", {{"a", "int"}});
  auto other = FromShortForm("p", {{"a", "string"}});
  ASSERT_TRUE(contract.ok() && other.ok());
  auto schema = std::make_shared<iceberg::Schema>(MakeTableSchema(other->objects[0]).schema);
  auto checker = Checker::Make(contract->objects[0], schema, {});
  ASSERT_FALSE(checker.ok());
  EXPECT_EQ(checker.error().code(), Code::kInvalid);
}

TEST(Canonicalise, GivesTextsTheTypesOfTheirColumns) {
  Bench bench(
      "      - { name: i, logicalType: integer }\n      - { name: b, logicalType: boolean }\n"
      "      - { name: d, logicalType: number }\n      - { name: m, physicalType: 'decimal(9,2)' "
      "}\n"
      "      - { name: s, logicalType: string }\n      - { name: t, logicalType: timestamp }\n");
  std::string out;
  bench.session().Canonicalise(
      R"({"i":" 007 ","b":"TRUE","d":"-1.5","m":"+2.50","s":"007","t":"2020-01-01"})", out);
  EXPECT_EQ(out, R"({"i":7,"b":true,"d":-1.5,"m":2.50,"s":"007","t":"2020-01-01"})");
  EXPECT_EQ(bench.Judge(out), "");
  bench.session().Canonicalise(R"({"i":"x","b":null,"d":"","q":"1"})", out);
  EXPECT_EQ(out, R"({"i":"x","b":null,"d":"","q":"1"})");
  EXPECT_EQ(bench.Judge(out),
            "i: is not an integer; d: is not a number; q: is not in the contract");
  bench.session().Canonicalise("{\"i\":", out);
  EXPECT_EQ(out, "{\"i\":");
}

}  // namespace
}  // namespace weft::contract
