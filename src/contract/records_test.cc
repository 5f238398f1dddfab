// SPDX-License-Identifier: Apache-2.0
// Real records against contracts for them, and the same records broken at random.
#include "codec/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "contract/checker.h"

namespace weft::contract {
namespace {

using iceberg::ColumnBuilder;

constexpr const char* kFlights = R"yaml(
      - { name: date, logicalType: timestamp, required: true, logicalTypeOptions: { format: "yyyy/MM/dd HH:mm" } }
      - { name: delay, logicalType: integer, physicalType: int, required: true }
      - { name: distance, logicalType: integer, physicalType: int, required: true, logicalTypeOptions: { minimum: 0 } }
      - { name: origin, logicalType: string, required: true, logicalTypeOptions: { pattern: "^[A-Z]{3}$" } }
      - { name: destination, logicalType: string, required: true, physicalType: char(3) }
)yaml";

constexpr const char* kEarthquakes = R"yaml(
      - { name: type, logicalType: string, required: true }
      - name: properties
        logicalType: object
        required: true
        properties:
          - { name: mag, logicalType: number, physicalType: "decimal(6,4)" }
          - { name: place, logicalType: string }
          - { name: time, logicalType: timestamp, required: true }
          - { name: updated, logicalType: timestamp }
          - { name: tz, logicalType: integer, physicalType: smallint }
          - { name: url, logicalType: string, logicalTypeOptions: { format: uri } }
          - { name: felt, logicalType: integer }
          - { name: cdi, logicalType: number }
          - { name: alert, logicalType: string }
          - { name: tsunami, logicalType: integer, logicalTypeOptions: { minimum: 0, maximum: 1 } }
          - { name: sig, logicalType: integer }
          - { name: code, logicalType: string, required: true }
      - name: geometry
        logicalType: object
        required: true
        properties:
          - { name: type, logicalType: string }
          - name: coordinates
            logicalType: array
            logicalTypeOptions: { minItems: 3, maxItems: 3 }
            items: { logicalType: number, required: true }
      - { name: id, logicalType: string, required: true }
)yaml";

constexpr const char* kWebLogs = R"yaml(
      - { name: version, logicalType: integer, required: true }
      - { name: nginx_version, logicalType: string }
      - { name: address, logicalType: string, logicalTypeOptions: { format: ipv4 } }
      - { name: generation, logicalType: integer }
      - { name: load_timestamp, logicalType: timestamp }
      - { name: timestamp, logicalType: timestamp }
      - { name: pid, logicalType: integer, logicalTypeOptions: { format: u32 } }
      - { name: processes, logicalType: object, physicalType: "map<string,bigint>" }
      - { name: connections, logicalType: object, physicalType: "struct<accepted:bigint,dropped:bigint,active:int,idle:int>" }
      - { name: ssl, logicalType: object }
      - { name: requests, logicalType: object }
      - name: server_zones
        logicalType: object
        properties:
          - name: hg.nginx.org
            logicalType: object
            properties:
              - { name: processing, logicalType: integer }
              - { name: requests, logicalType: integer }
              - name: responses
                logicalType: object
                properties:
                  - { name: 1xx, logicalType: integer }
                  - { name: 2xx, logicalType: integer, required: true }
                  - { name: 3xx, logicalType: integer }
                  - { name: 4xx, logicalType: integer }
                  - { name: 5xx, logicalType: integer }
                  - { name: total, logicalType: integer }
      - { name: upstreams, logicalType: object }
      - { name: caches, logicalType: object }
      - { name: stream, logicalType: object }
)yaml";

struct Source {
  const char *path, *properties;
};
const Source kSources[] = {{"flights/flights.ndjson", kFlights},
                           {"earthquakes/earthquakes.ndjson", kEarthquakes},
                           {"web_logs/nginx_plus.ndjson", kWebLogs}};

std::vector<std::string> Lines(const char* path) {
  std::ifstream in(std::filesystem::path(WEFT_SHARED_DATA) / path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

struct Table {
  std::shared_ptr<const iceberg::Schema> schema;
  std::unique_ptr<Checker::Session> session;
  std::unique_ptr<ColumnBuilder> builder;
};

Table Open(const char* properties, UnknownFields unknown) {
  auto contract =
      ParseOdcs(std::string("apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1\nstatus: a\n"
                            "schema:\n  - name: t\n    properties:") +
                properties);
  EXPECT_TRUE(contract.ok()) << contract.error().message();
  Table table;
  table.schema = std::make_shared<iceberg::Schema>(MakeTableSchema(contract->objects.at(0)).schema);
  auto checker = Checker::Make(contract->objects[0], table.schema, {.unknown_fields = unknown});
  EXPECT_TRUE(checker.ok()) << checker.error().message();
  table.session = (*checker)->Open();
  table.builder = ColumnBuilder::Make(table.schema);
  return table;
}

class RealRecords : public testing::TestWithParam<Source> {};

TEST_P(RealRecords, PassAndBecomeRows) {
  auto lines = Lines(GetParam().path);
  if (lines.empty()) GTEST_SKIP() << "no " << GetParam().path;
  auto table = Open(GetParam().properties, UnknownFields::kIgnore);
  std::vector<FieldError> errors;
  for (const auto& line : lines) {
    ASSERT_TRUE(table.session->Check(line, errors))
        << errors.at(0).field << " " << errors.at(0).reason << "\n"
        << line;
    ASSERT_TRUE(table.session->Append(line, "id", 1, *table.builder).ok()) << line;
  }
  auto chunk = table.builder->Seal();
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ((*chunk)->rows(), static_cast<int64_t>(lines.size()));
  for (const auto& column : (*chunk)->columns()) EXPECT_EQ(column.length, (*chunk)->rows());
}

void BreakAtRandom(std::string& record, std::mt19937& random) {
  const std::string_view marks = "{}[]\",:\\0123456789eE+-.tfnu \x80\xff\x01";
  for (auto changes = 1 + random() % 3; changes > 0 && !record.empty(); --changes) {
    size_t at = random() % record.size();
    switch (random() % 4) {
      case 0:
        record[at] = static_cast<char>(random() % 256);
        break;
      case 1:
        record[at] = marks[random() % marks.size()];
        break;
      case 2:
        record.erase(at, 1 + random() % 4);
        break;
      default:
        record.insert(at, 1, marks[random() % marks.size()]);
        break;
    }
  }
}

TEST_P(RealRecords, BrokenAtRandomAreJudgedAlikeByBoth) {
  auto lines = Lines(GetParam().path);
  if (lines.empty()) GTEST_SKIP() << "no " << GetParam().path;
  auto table = Open(GetParam().properties, UnknownFields::kIgnore);
  std::mt19937 random(7);
  int good = 0, bad = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string record = lines[random() % lines.size()];
    BreakAtRandom(record, random);
    std::vector<char> exact(record.begin(), record.end());
    std::string_view view(exact.data(), exact.size());
    std::vector<FieldError> errors;
    int64_t rows = table.builder->rows();
    bool passed = table.session->Check(view, errors);
    ASSERT_EQ(passed, errors.empty()) << record;
    ASSERT_EQ(passed, table.session->Append(view, "id", 1, *table.builder).ok()) << record;
    ASSERT_EQ(table.builder->rows(), rows + (passed ? 1 : 0));
    std::string canonical;
    table.session->Canonicalise(view, canonical);
    ++(passed ? good : bad);
  }
  EXPECT_GT(good, 0);
  EXPECT_GT(bad, 0);
  auto chunk = table.builder->Seal();
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ((*chunk)->rows(), good);
}

std::vector<std::string> Texts(const FieldError* errors, size_t count) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) texts.push_back(errors[i].field + ": " + errors[i].reason);
  return texts;
}

std::string Sealed(ColumnBuilder& builder) {
  for (int64_t row = 0; row < builder.rows(); ++row) {
    const size_t columns = builder.Views().size();
    builder.column(columns - 2).AppendBytes("id");
    builder.column(columns - 1).AppendInteger(1);
  }
  auto chunk = builder.Seal();
  EXPECT_TRUE(chunk.ok());
  if (!chunk.ok()) return {};
  std::string bytes(static_cast<size_t>((*chunk)->bytes()), '\0');
  EXPECT_EQ(pread((*chunk)->descriptor(), bytes.data(), bytes.size(), 0),
            static_cast<ssize_t>(bytes.size()));
  return bytes;
}

// Whatever an array holds: taken in one pass it gives what its records give one by one, copied or
// where they lie; else it is not taken in one pass.
TEST_P(RealRecords, InAnArrayAreJudgedAsOneByOne) {
  auto lines = Lines(GetParam().path);
  if (lines.empty()) GTEST_SKIP() << "no " << GetParam().path;
  auto table = Open(GetParam().properties, UnknownFields::kIgnore);
  auto single = ColumnBuilder::Make(table.schema), in_place = ColumnBuilder::Make(table.schema);
  std::mt19937 random(11);
  int taken = 0, taken_with_faults = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string body = "[";
    for (int i = 0; i < 3; ++i) {
      std::string record = lines[random() % lines.size()];
      if (i == 1) BreakAtRandom(record, random);
      body += (i == 0 ? "" : random() % 2 == 0 ? ", " : " ,") + record;
    }
    body += "] ";
    const size_t size = body.size();
    body.append(64, '"');
    const std::string_view text = std::string_view(body).substr(0, size);
    const size_t readable = random() % 2 == 0 ? 0 : 64;

    std::vector<Checker::Session::Judged> judged;
    std::vector<FieldError> errors;
    const bool whole = table.session->CheckArray(
        text, judged, errors, {.readable_after = readable, .rows = table.builder.get()});
    Bytes unused;
    auto split = codec::SplitRecords(codec::RecordFormat::kJson, text, unused);
    ASSERT_TRUE(!whole || split.ok()) << body;
    size_t at = 0;
    for (size_t i = 0; split.ok() && i < split->size(); ++i) {
      const std::string_view record = (*split)[i].json;
      std::vector<FieldError> copied, placed;
      const bool good = table.session->Check(record, copied, {.rows = single.get()});
      const auto after = static_cast<size_t>(body.data() + body.size() - record.end());
      ASSERT_EQ(table.session->Check(record, placed, {after, in_place.get()}), good) << body;
      ASSERT_EQ(Texts(copied.data(), copied.size()), Texts(placed.data(), placed.size())) << body;
      if (!whole) continue;
      ASSERT_LT(i, judged.size());
      EXPECT_EQ(judged[i].record, record);
      EXPECT_EQ(judged[i].record.data(), record.data());
      ASSERT_EQ(Texts(errors.data() + at, judged[i].errors), Texts(copied.data(), copied.size()));
      at += judged[i].errors;
      taken_with_faults += !good;
    }
    taken += whole;
    const std::string rows = Sealed(*single);
    ASSERT_TRUE(Sealed(*in_place) == rows) << body;
    ASSERT_TRUE(!whole || Sealed(*table.builder) == rows) << body;
    ASSERT_EQ(table.builder->rows(), 0);
    ASSERT_TRUE(!whole || judged.size() == split->size());
  }
  EXPECT_GT(taken, 100);
  EXPECT_GT(taken_with_faults, 0);
  EXPECT_LT(taken, 900);
}

INSTANTIATE_TEST_SUITE_P(All, RealRecords, testing::ValuesIn(kSources), [](const auto& source) {
  std::string name = source.param.path;
  name = name.substr(0, name.find('/'));
  std::erase(name, '_');
  return name;
});

}  // namespace
}  // namespace weft::contract
