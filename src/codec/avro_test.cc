// SPDX-License-Identifier: Apache-2.0
#include "codec/avro.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace weft::codec {
namespace {

constexpr const char* kSchema = R"({"type":"record","name":"r","fields":[
  {"name":"n","type":"long","field-id":7}, {"name":"t","type":["null","string"],"default":null,"field-id":8},
  {"name":"l","type":{"type":"array","items":{"type":"record","name":"inner","fields":[
    {"name":"d","type":"double"},{"name":"b","type":"boolean"}]}}},
  {"name":"m","type":{"type":"map","values":"bytes"}}, {"name":"f","type":{"type":"fixed","name":"four","size":4}},
  {"name":"e","type":{"type":"enum","name":"colour","symbols":["RED","BLUE"]}}, {"name":"again","type":"inner"}]})";

void AppendRecord(AvroEncoder& encoder, int64_t n) {
  encoder.Long(n).Present(n % 2 == 0);
  if (n % 2 == 0) encoder.Octets("text " + std::to_string(n));
  encoder.BeginItems(static_cast<size_t>(n % 3));
  for (int64_t item = 0; item < n % 3; ++item) encoder.Double(0.5).Boolean(true);
  encoder.EndItems();
  encoder.BeginItems(1).Octets("key").Octets(Bytes("\0\1", 2)).EndItems();
  encoder.Fixed("abcd").Long(1).Double(1.5).Boolean(false);
}

Bytes FileOf(int64_t records) {
  AvroFileWriter writer(kSchema, {{"format-version", "2"}}, Bytes(16, 's'));
  for (int64_t n = 0; n < records; ++n) {
    AvroEncoder encoder;
    AppendRecord(encoder, n);
    writer.Append(encoder.bytes());
  }
  return writer.Finish();
}

TEST(Avro, NumbersHaveTheirShortestForm) {
  AvroEncoder encoder;
  encoder.Long(0).Long(-1).Long(1).Long(-64).Long(64);
  EXPECT_EQ(encoder.bytes(), Bytes("\x00\x01\x02\x7f\x80\x01", 6));
  encoder.Clear();
  const int64_t low = std::numeric_limits<int64_t>::min();
  const int64_t high = std::numeric_limits<int64_t>::max();
  encoder.Long(low).Long(high);
  AvroCursor cursor(encoder.bytes());
  EXPECT_EQ(cursor.Long(), low);
  EXPECT_EQ(cursor.Long(), high);
  EXPECT_TRUE(cursor.ok());
  EXPECT_EQ(cursor.remaining(), 0U);
  cursor.Long();
  EXPECT_FALSE(cursor.ok());
}

TEST(Avro, ANumberOfElevenOctetsIsNone) {
  const Bytes endless(12, '\xff');
  AvroCursor cursor(endless);
  cursor.Long();
  EXPECT_FALSE(cursor.ok());
}

TEST(Avro, FilesHoldWhatWasAppended) {
  for (const int64_t records : {0, 1, 5000}) {
    const Bytes bytes = FileOf(records);
    const auto file = AvroFile::Open(bytes);
    ASSERT_TRUE(file.ok()) << file.error().message();
    EXPECT_EQ(file->header("format-version"), "2");
    EXPECT_EQ(file->header("avro.codec"), "deflate");
    EXPECT_EQ(file->header("none"), "");
    EXPECT_EQ(file->type().fields[0].field_id, 7);
    EXPECT_EQ(file->type().fields[2].field_id, -1);
    int64_t n = 0;
    const Status status = file->ForEach([&](AvroCursor& cursor) -> Status {
      EXPECT_EQ(cursor.Long(), n);
      const AvroType& text = cursor.Branch(*file->type().fields[1].type);
      EXPECT_EQ(text.kind, n % 2 == 0 ? AvroKind::kString : AvroKind::kNull);
      cursor.Skip(text);
      for (size_t field = 2; field < 7; ++field) cursor.Skip(*file->type().fields[field].type);
      ++n;
      return {};
    });
    EXPECT_TRUE(status.ok()) << status.error().message();
    EXPECT_EQ(n, records);
  }
}

TEST(Avro, ReadsBlocksThatTellTheirSizeAndFilesThatAreNotPacked) {
  AvroEncoder header;
  header.Long(-1).Long(100);  // one pair, in a block that tells its octets
  header.Octets("avro.schema").Octets(R"({"type":"array","items":"int"})").EndItems();
  AvroEncoder record;
  record.Long(-2).Long(2).Long(5).Long(6).Long(1).Long(7).EndItems();
  AvroEncoder block;
  block.Long(1).Octets(record.bytes());
  const Bytes sync(16, 's');
  const Bytes bytes = Bytes("Obj\1") + header.bytes() + sync + block.bytes() + sync;
  const auto file = AvroFile::Open(bytes);
  ASSERT_TRUE(file.ok()) << file.error().message();
  std::vector<int64_t> items;
  ASSERT_TRUE(file->ForEach([&](AvroCursor& cursor) -> Status {
                    AvroItems list(cursor);
                    while (list.Next()) items.push_back(cursor.Long());
                    return {};
                  })
                  .ok());
  EXPECT_THAT(items, testing::ElementsAre(5, 6, 7));
}

TEST(Avro, SaysWhichCodecItDoesNotHave) {
  AvroEncoder header;
  header.Long(2).Octets("avro.schema").Octets("\"int\"").Octets("avro.codec").Octets("snappy");
  header.EndItems();
  const auto file = AvroFile::Open(Bytes("Obj\1") + header.bytes() + Bytes(16, 's'));
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code(), Code::kNotOffered);
  EXPECT_THAT(file.error().message(), testing::HasSubstr("snappy"));
}

TEST(Avro, RefusesWhatIsNoSchema) {
  std::string deep;
  for (int depth = 0; depth < 100'000; ++depth) deep += R"({"type":"array","items":)";
  for (const std::string& json :
       {std::string(), std::string("{}"), std::string("\"integer\""), std::string("[]"),
        std::string("[[\"int\"]]"), std::string(R"({"type":"record","name":"r"})"),
        std::string(R"({"type":"fixed","name":"f","size":-1})"), std::string(R"({"type":"array"})"),
        deep}) {
    const auto schema = AvroSchema::Parse(json);
    ASSERT_FALSE(schema.ok()) << json.substr(0, 50);
    EXPECT_EQ(schema.error().code(), Code::kCorrupt);
  }
}

TEST(Avro, ATypeThatHoldsItselfEnds) {
  const auto schema = AvroSchema::Parse(
      R"({"type":"record","name":"r","fields":[{"name":"a","type":"r"},{"name":"b","type":"r"}]})");
  ASSERT_TRUE(schema.ok());
  const Bytes bytes(100, '\0');
  AvroCursor cursor(bytes);
  cursor.Skip((*schema)->root());
  EXPECT_FALSE(cursor.ok());
}

TEST(Avro, CountsThatPromiseMoreThanThereIsEnd) {
  const auto schema = AvroSchema::Parse(R"({"type":"array","items":"null"})");
  ASSERT_TRUE(schema.ok());
  AvroEncoder encoder;
  encoder.Long(std::numeric_limits<int64_t>::max());
  AvroCursor cursor(encoder.bytes());
  cursor.Skip((*schema)->root());
  EXPECT_FALSE(cursor.ok());
}

TEST(Avro, DamageIsFoundAndNeverReadPast) {
  const Bytes good = FileOf(200);
  std::mt19937_64 random(3);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    Bytes bytes = good;
    if (round % 3 == 0) {
      bytes.resize(random() % bytes.size());
    } else {
      for (int change = 0; change < 3; ++change) {
        bytes[random() % bytes.size()] = static_cast<char>(random());
      }
    }
    const auto file = AvroFile::Open(bytes);
    const Status status =
        !file.ok() ? Status(Fail(file.error())) : file->ForEach([&](AvroCursor& cursor) -> Status {
          cursor.Skip(file->type());
          return {};
        });
    if (status.ok()) continue;
    ++refused;
    EXPECT_TRUE(status.error().code() == Code::kCorrupt ||
                status.error().code() == Code::kNotOffered);
  }
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace weft::codec
