// SPDX-License-Identifier: Apache-2.0
// What FlatWalk takes, Walk takes as well and makes the same of it; whatever it leaves to Walk, an
// array gives what Walk alone gives.
#include <gtest/gtest.h>

#include <random>

#include "contract/flat_walk_internal.h"

namespace weft::contract {
namespace {

using iceberg::ColumnBuilder;

constexpr const char* kContract = R"yaml(
apiVersion: v3.1.0
kind: DataContract
id: x
version: 1.0.0
status: active
schema:
  - name: t
    properties:
      - { name: id, logicalType: string, required: true, logicalTypeOptions: { pattern: "^EV[0-9]{4}$" } }
      - { name: at, logicalType: timestamp, required: true, logicalTypeOptions: { minimum: "2001-01-01T00:00:00Z" } }
      - { name: n, logicalType: integer, physicalType: bigint, required: true }
      - { name: small, logicalType: integer, physicalType: int, logicalTypeOptions: { minimum: -5, maximum: 1000 } }
      - { name: even, logicalType: integer, physicalType: int, logicalTypeOptions: { multipleOf: 2 } }
      - { name: amount, logicalType: number, physicalType: "decimal(12,2)", logicalTypeOptions: { minimum: 0 } }
      - { name: wide, logicalType: number, physicalType: "decimal(38,10)" }
      - { name: real, logicalType: number, physicalType: double, logicalTypeOptions: { maximum: 1000000 } }
      - { name: thin, logicalType: number, physicalType: float }
      - { name: yes, logicalType: boolean }
      - { name: day, logicalType: date }
      - { name: clock, logicalType: time }
      - { name: local, logicalType: timestamp, physicalType: timestamp_ntz }
      - { name: uid, logicalType: string, physicalType: uuid }
      - { name: raw, logicalType: string, physicalType: binary }
      - { name: text, logicalType: string, logicalTypeOptions: { minLength: 2, maxLength: 8 } }
      - { name: free, logicalType: string }
      - { name: a_name_of_more_octets_than_are_compared_at_once_in_one_go, logicalType: string }
      - { name: "ключ", logicalType: string }
      - { name: 'quo"te', logicalType: string }
)yaml";

const std::vector<std::string> kUsual = {
    R"({"id":"EV0001","at":"2026-10-01T12:13:14.123Z","n":123456,"small":7,"even":4,"amount":12.50,"wide":1.5,)"
    R"("real":2.25,"thin":0.5,"yes":true,"day":"2026-02-28","clock":"10:11:12","local":"2026-10-01T12:13:14",)"
    R"("uid":"6d2f7f0a-3c55-4b0e-9a41-1f8f6f1f0b01","raw":"AAEC","text":"paid","free":"","ключ":"знач"})",
    R"({"id":"EV9999","at":"2026-10-01T12:13:14Z","n":-1})",
    R"({"n":0,"id":"EV0000","at":"2026-12-31T23:59:59.999999Z","small":-5,"amount":0,"free":"a\"b\\c\u00e9\ud83d\ude00"})",
    R"( { "id" : "EV0002" , "at": "2026-10-01T12:13:14+02:00", "n": 7 ,"free" : null,"amount":"12.5" } )",
    R"({"id":"EV0003","at":1790000000,"n":999999999999999,"small":null,"amount":1e2,"wide":123456789012345678.0123456789})",
    R"({"a_name_of_more_octets_than_are_compared_at_once_in_one_go":"x","id":"EV0004","at":"2026-10-01 10:00:00Z","n":1234567890123456789})",
};

// Values that are right in some column, and those that are nowhere.
const std::vector<std::string> kAwkward = {"0",
                                           "-0",
                                           "00",
                                           "01",
                                           "-01",
                                           "-",
                                           "+1",
                                           "1.",
                                           ".5",
                                           "1.0",
                                           "1.00",
                                           "1.000",
                                           "0.5",
                                           "-0.00",
                                           "1e5",
                                           "1E+5",
                                           "1e-2",
                                           "1e400",
                                           "1e",
                                           "12345678",
                                           "123456789",
                                           "1234567890123456",
                                           "99999999999999999999",
                                           "9223372036854775807",
                                           "9223372036854775808",
                                           "-9223372036854775808",
                                           "2147483648",
                                           "1000",
                                           "1001",
                                           "9999999999.99",
                                           "10000000000.00",
                                           "0.001",
                                           "0x10",
                                           "NaN",
                                           "Infinity",
                                           "null",
                                           "nul",
                                           "nullx",
                                           "true",
                                           "false",
                                           "tru",
                                           "True",
                                           "\"\"",
                                           "\"x\"",
                                           "\"EV0001\"",
                                           "\"EV001\"",
                                           "\"EV00011\"",
                                           "\"ev0001\"",
                                           "\"EV000\\u0031\"",
                                           "\"EV000\\x31\"",
                                           "\"\\ud800\"",
                                           "\"a\tb\"",
                                           "\"a\\tb\"",
                                           "\"\xff\"",
                                           "\"\xc3\xa9\xc3\xa9\"",
                                           "\"abcdefghi\"",
                                           "\"12345678901234567890\"",
                                           "\"a\\",
                                           "\"a\\\"",
                                           "\"2026-13-01T00:00:00Z\"",
                                           "\"2026-02-29\"",
                                           "\"2024-02-29\"",
                                           "\"2026-02-30T10:00:00Z\"",
                                           "\"2026-10-01T24:00:00Z\"",
                                           "\"2026-10-01T10:00:00.Z\"",
                                           "\"2026-10-01T10:00:00.1234567Z\"",
                                           "\"2026-10-01T10:00:00.1234560Z\"",
                                           "\"2026-10-01T10:00:00z\"",
                                           "\"2026-10-01T10:00Z\"",
                                           "\"0000-01-01T00:00:00Z\"",
                                           "\"1999-12-31T23:59:59Z\"",
                                           "\"12.5\"",
                                           "\"-12.50\"",
                                           "\"+1\"",
                                           "{}",
                                           "[]",
                                           "[1]",
                                           "{\"a\":1}",
                                           "{",
                                           "[",
                                           "",
                                           " ",
                                           "1 2",
                                           "1,",
                                           "1}",
                                           "1]",
                                           "\"a\" \"b\"",
                                           "1\"b\"",
                                           "\"6D2F7F0A-3C55-4B0E-9A41-1F8F6F1F0B01\"",
                                           "\"AAE\"",
                                           "\"10:11:12.5\"",
                                           "\"2026-10-01T10:00:00\""};

size_t WidthOf(iceberg::TypeKind kind) {
  using iceberg::TypeKind;
  switch (kind) {
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kFloat:
      return 4;
    case TypeKind::kDecimal:
    case TypeKind::kUuid:
      return 16;
    default:
      return 8;
  }
}

// The values of all rows, but for `_id` and `_arrival`.
std::string Dump(const ColumnBuilder& rows) {
  std::string all = std::to_string(rows.rows()) + "\n";
  for (const iceberg::ColumnView& column : rows.Views()) {
    const auto kind = column.field->type.kind;
    all += column.field->name + ": " + std::to_string(column.null_count);
    for (int64_t row = 0; row < std::min(rows.rows(), column.length); ++row) {
      all += '|';
      const char* values = reinterpret_cast<const char*>(column.values);
      if (!column.valid(row)) {
        all += "null";
      } else if (kind == iceberg::TypeKind::kBoolean) {
        all += (values[row / 8] >> (row % 8) & 1) != 0 ? "true" : "false";
      } else if (column.offsets != nullptr) {
        all.append(values + column.offsets[row], values + column.offsets[row + 1]);
      } else {
        const size_t width = WidthOf(kind);
        all.append(values + static_cast<size_t>(row) * width, width);
      }
    }
  }
  return all;
}

constexpr size_t kBehind = 64;  // octets that may be read behind a record

// One contract, walked in both ways.
class Ways {
 public:
  Ways() {
    auto contract = ParseOdcs(kContract);
    EXPECT_TRUE(contract.ok()) << contract.error().message();
    const SchemaObject& object = contract->objects.at(0);
    schema_ = std::make_shared<iceberg::Schema>(MakeTableSchema(object).schema);
    auto root = Part::Make(object.columns, schema_->fields);
    EXPECT_TRUE(root.ok()) << root.error().message();
    root_ = std::move(*root);
    EXPECT_FALSE(root_->flat.empty());
    std::erase_if(root_->absent,
                  [&](size_t i) { return schema_->fields[i].name.starts_with('_'); });
    checker_ = *Checker::Make(object, schema_, {});
    session_ = checker_->Open();
    flat_rows_ = ColumnBuilder::Make(schema_);
    rows_ = ColumnBuilder::Make(schema_);
  }

  // Whether FlatWalk takes the record.
  bool Takes(std::string_view record) {
    const auto exact = std::make_unique<char[]>(record.size());
    std::copy(record.begin(), record.end(), exact.get());
    const std::string_view text(exact.get(), record.size());
    flat_.Load(text, 0);
    const bool taken = FlatWalk<true>(flat_, *root_, order_, flat_rows_.get()).Run();
    flat_.Load(text, 0);
    EXPECT_EQ(FlatWalk<false>(flat_, *root_, order_, nullptr).Run(), taken) << record;
    // What lies behind it, a neighbour or the rest of a body, is nothing to it.
    for (const char* behind : {" ", "\n", "1", "}", "\"}", ",\"n\":1}", " \n{\"n\": 2}"}) {
      std::string body(record);
      while (body.size() < record.size() + kBehind) body += behind;
      flat_.Load(std::string_view(body).substr(0, record.size()), kBehind);
      EXPECT_EQ(FlatWalk<false>(flat_, *root_, order_, nullptr).Run(), taken)
          << record << " before " << behind;
    }
    std::vector<FieldError> errors;
    const bool good = Walk<true>(state_, {}, errors, rows_.get()).Run(*root_, text, 0);
    EXPECT_TRUE(good || !taken) << record;
    Finish(*flat_rows_, taken);
    Finish(*rows_, good && taken);
    return taken;
  }
  // Whether both made the same rows, which are forgotten.
  bool SameRows() {
    const bool same = Dump(*flat_rows_) == Dump(*rows_);
    flat_rows_->Clear();
    rows_->Clear();
    return same;
  }

  // Whether the array is taken in one pass; as Walk alone takes it.
  bool TakesArray(const std::string& text, bool in_place) {
    std::string padded = text;
    padded.append(64, '}');
    const std::string_view body = std::string_view(padded).substr(0, text.size());
    std::vector<Checker::Session::Judged> judged, walked;
    std::vector<FieldError> errors, walked_errors;
    const Checker::Session::Taking taking{.readable_after = in_place ? size_t{64} : 0,
                                          .rows = flat_rows_.get()};
    const bool whole = session_->CheckArray(body, judged, errors, taking);
    const bool expected =
        Walk<true>(state_, {}, walked_errors, rows_.get()).RunArray(*root_, body, taking, walked);
    EXPECT_EQ(whole, expected) << text;
    if (!whole || !expected) {
      rows_->Clear();
      flat_rows_->Clear();
      return false;
    }
    EXPECT_EQ(judged.size(), walked.size()) << text;
    for (size_t i = 0; i < std::min(judged.size(), walked.size()); ++i) {
      EXPECT_EQ(judged[i].record, walked[i].record) << text;
      EXPECT_EQ(judged[i].record.data(), walked[i].record.data()) << text;
      EXPECT_EQ(judged[i].errors, walked[i].errors) << text;
    }
    EXPECT_EQ(Texts(errors), Texts(walked_errors)) << text;
    EXPECT_TRUE(SameRows()) << text;
    return true;
  }

 private:
  static std::string Texts(const std::vector<FieldError>& errors) {
    std::string all;
    for (const auto& error : errors) all += error.field + ": " + error.reason + "\n";
    return all;
  }
  static void Finish(ColumnBuilder& rows, bool good) {
    if (good) {
      rows.FinishRow();
    } else {
      rows.DropRow();
    }
  }
  std::shared_ptr<const iceberg::Schema> schema_;
  std::unique_ptr<Part> root_;
  std::shared_ptr<const Checker> checker_;
  std::unique_ptr<Checker::Session> session_;
  WalkState flat_, state_;
  std::vector<uint8_t> order_;
  std::unique_ptr<ColumnBuilder> flat_rows_, rows_;
};

std::string Joined(const std::vector<std::string>& records) {
  std::string body = "[";
  for (const auto& record : records) body += (body.size() > 1 ? "," : "") + record;
  return body + "]";
}

// A record with another one's beginning, a value exchanged, an octet more or less.
std::string Broken(std::string record, std::mt19937& random) {
  static const std::string kOctets = "\"\\{}[]:, \n\t0123456789.-+eEtfnulZT\x01\x80\xff";
  const size_t at = random() % record.size();
  switch (random() % 6) {
    case 0:
      record[at] = kOctets[random() % kOctets.size()];
      break;
    case 1:
      record.insert(at, 1, kOctets[random() % kOctets.size()]);
      break;
    case 2:
      record.erase(at, 1 + random() % 3);
      break;
    case 3: {
      const std::string& other = kUsual[random() % kUsual.size()];
      record = record.substr(0, at) + other.substr(std::min(at, other.size()));
      break;
    }
    default: {
      const size_t colon = record.find(':', at);
      if (colon == std::string::npos) break;
      const size_t end = record.find_first_of(",}", colon);
      record.replace(colon + 1, end == std::string::npos ? end : end - colon - 1,
                     kAwkward[random() % kAwkward.size()]);
    }
  }
  return record;
}

TEST(FlatWalk, TakesUsualRecordsAsWalkDoes) {
  Ways ways;
  for (int round = 0; round < 3; ++round) {
    for (const auto& record : kUsual) EXPECT_TRUE(ways.Takes(record)) << record;
  }
  EXPECT_TRUE(ways.SameRows());
}

TEST(FlatWalk, LeavesWhatIsWrongOrOfNoColumn) {
  Ways ways;
  const std::string begin = R"({"id":"EV0001","at":"2026-10-01T12:13:14Z","n":1)";
  EXPECT_TRUE(ways.Takes(begin + "}"));
  for (const char* rest :
       {"", ",}", "} x", "}}", ",\"n\":2}", ",\"other\":1}", ",\"small\":1001}",
        ",\"small\":null,\"small\":1}", ",\"free\":{}}", ",\"free\":[]}", ",\"free\" 1}",
        ",\"fr\\u0065e\":\"x\"}", " \"free\":\"x\"}", ",,\"free\":\"x\"}", ",\"free\":\"\x01\"}",
        ",\"free\":\"\xff\"}", ",\"free\":\"\\q\"}", ",\"free\":\"\\ud800\"}", ",\"free\":\"x}"}) {
    EXPECT_FALSE(ways.Takes(begin + rest)) << rest;
  }
  EXPECT_FALSE(ways.Takes(R"({"id":"EV0001","n":1})"));
  EXPECT_FALSE(ways.Takes(R"([{"id":"EV0001"}])"));
  EXPECT_FALSE(ways.Takes(""));
  EXPECT_TRUE(ways.SameRows());
}

TEST(FlatWalk, ReadsEachAwkwardValueInEachColumnAsWalkDoes) {
  Ways ways;
  int taken = 0;
  for (const char* column :
       {"id", "at", "n", "small", "even", "amount", "wide", "real", "thin", "yes", "day", "clock",
        "local", "uid", "raw", "text", "free", "ключ"}) {
    for (const auto& value : kAwkward) {
      for (const char* blank : {"", " "}) {
        std::string record = R"({"id":"EV0001","at":"2026-10-01T12:13:14Z","n":1)";
        record += ",\"" + std::string(column) + "\":" + blank + value + blank + "}";
        const std::string own = ",\"" + std::string(column) + "\":";
        const std::string first = "\"" + std::string(column) + "\":";
        // The required ones are there already.
        const size_t twice = record.find(first);
        if (twice < record.rfind(own)) {
          const size_t end = record.find(',', twice);
          record.erase(twice, end + 1 - twice);
        }
        taken += ways.Takes(record);
      }
    }
  }
  EXPECT_GT(taken, 400);
  EXPECT_TRUE(ways.SameRows());
}

TEST(FlatWalk, TakesBrokenRecordsOnlyAsWalkDoes) {
  Ways ways;
  std::mt19937 random(5);
  int taken = 0;
  for (int round = 0; round < 30'000; ++round) {
    std::string record = kUsual[random() % kUsual.size()];
    for (auto times = random() % 3; times > 0; --times) record = Broken(std::move(record), random);
    taken += ways.Takes(record);
    if (round % 1000 == 0) {
      EXPECT_TRUE(ways.SameRows());
    }
  }
  EXPECT_GT(taken, 10'000);
  EXPECT_LT(taken, 25'000);
}

TEST(FlatWalk, TakesArraysWithBrokenRecordsAsWalkDoes) {
  Ways ways;
  std::mt19937 random(6);
  int taken = 0;
  for (int round = 0; round < 3'000; ++round) {
    std::vector<std::string> records;
    // Also more than are judged one by one.
    for (auto count = random() % 60; count > 0; --count) {
      records.push_back(kUsual[random() % kUsual.size()]);
      if (random() % (round % 2 == 0 ? 4 : 40) == 0)
        records.back() = Broken(std::move(records.back()), random);
    }
    std::string body = Joined(records);
    if (random() % 8 == 0) body = Broken(std::move(body), random);
    if (random() % 8 == 0) body = " \n" + body + "\r\t ";
    taken += ways.TakesArray(body, random() % 2 == 0);
  }
  EXPECT_GT(taken, 500);
  EXPECT_LT(taken, 2'500);
}

TEST(FlatWalk, JudgesTheFaultyRecordsOfAnArray) {
  Ways ways;
  std::vector<std::string> records(100, kUsual[1]);
  records[7] = R"({"id":"x","at":"2026-10-01T12:13:14Z","n":-1})";
  records[50] = R"({"id":"EV0001","at":"2026-10-01T12:13:14Z","n":-1, "other": {"a":"}"}})";
  records[99] = R"({})";
  EXPECT_TRUE(ways.TakesArray(Joined(records), true));
  EXPECT_TRUE(ways.TakesArray(Joined(records), false));
  // All of them: Walk takes the whole.
  EXPECT_TRUE(ways.TakesArray(Joined(std::vector<std::string>(100, records[50])), true));
  for (const char* body : {"", "[", "[]", " [ ] ", "[,]", "{}", "[1]", "[{}]", "[{},]", "[{}] x",
                           "[{}{}]", "[{}", "[[{}]]"}) {
    ways.TakesArray(body, true);
    ways.TakesArray(body, false);
  }
}

}  // namespace
}  // namespace weft::contract
