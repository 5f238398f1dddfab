// SPDX-License-Identifier: Apache-2.0
// Values of every type are the same when they come from files and from the tail, and what is said
// of a file is true of its values.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "engine/testing/sample_mesh.h"
#include "iceberg/single_value.h"

namespace weft::engine {
namespace {

using iceberg::Int128;
using iceberg::PrimitiveValue;
using iceberg::TypeKind;
using ::testing::HasSubstr;
using testing::MakeField;
using testing::SampleMesh;

struct Column {
  iceberg::Field field;
  std::vector<std::optional<PrimitiveValue>> values;
};

constexpr int64_t kFirstMicros = -62'135'596'800'000'000;  // 0001-01-01
constexpr int64_t kLastMicros = 253'402'300'799'999'999;   // 9999-12-31 23:59:59.999999

Int128 Nines(int digits) {
  Int128 value = 0;
  for (int i = 0; i < digits; ++i) value = value * 10 + 9;
  return value;
}

iceberg::Field Decimal(int id, int precision, int scale) {
  auto field = MakeField(id, "d" + std::to_string(precision), TypeKind::kDecimal);
  field.type.precision = precision;
  field.type.scale = scale;
  return field;
}

// Five rows: the least, a null, the greatest, something ordinary, zero or empty.
std::vector<Column> AllTypes() {
  auto integers = [](int64_t least, int64_t most, int64_t some) {
    return std::vector<std::optional<PrimitiveValue>>{least, std::nullopt, most, some, int64_t{0}};
  };
  std::vector<Column> columns = {
      {MakeField(1, "b", TypeKind::kBoolean), {false, std::nullopt, true, true, false}},
      {MakeField(2, "i", TypeKind::kInt),
       integers(std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max(), 7)},
      {MakeField(3, "l", TypeKind::kLong),
       integers(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), -7)},
      {MakeField(4, "f", TypeKind::kFloat), {-3.5, std::nullopt, 1e38, 0.5, 2.0}},
      {MakeField(5, "x", TypeKind::kDouble), {-1e300, std::nullopt, 1e300, 0.1, 5e-324}},
      {MakeField(6, "day", TypeKind::kDate), integers(-719'162, 2'932'896, -1)},
      {MakeField(7, "time", TypeKind::kTime), integers(1, 86'399'999'999, 43'200'000'001)},
      {MakeField(8, "ts", TypeKind::kTimestamp), integers(kFirstMicros, kLastMicros, -1)},
      {MakeField(9, "tz", TypeKind::kTimestampTz), integers(kFirstMicros, kLastMicros, -1)},
      {MakeField(10, "s", TypeKind::kString),
       {Bytes("\0a", 2), std::nullopt, Bytes("\xf0\x9f\x98\x80 thirty code points are in here"),
        Bytes("a \"quoted\" text, longer than twelve"), Bytes()}},
      {MakeField(11, "u", TypeKind::kUuid),
       {Bytes(16, '\0'), std::nullopt, Bytes(16, '\xff'), Bytes("0123456789abcdef"),
        Bytes("\x7f" + std::string(15, '\0'))}},
      {MakeField(12, "raw", TypeKind::kBinary),
       {Bytes("\0", 1), std::nullopt, Bytes("\xff\xfe\0\xff", 4), Bytes(100, 'b'), Bytes()}},
      {MakeField(13, "none", TypeKind::kLong),
       {std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt}}};
  for (auto [precision, scale] : std::vector<std::pair<int, int>>{
           {1, 0}, {4, 4}, {5, 2}, {9, 0}, {10, 9}, {18, 6}, {19, 0}, {37, 37}, {38, 10}}) {
    columns.push_back({Decimal(100 + precision, precision, scale),
                       {-Nines(precision), std::nullopt, Nines(precision), Int128(5), Int128(0)}});
  }
  return columns;
}

void Append(const std::optional<PrimitiveValue>& value, const iceberg::Field& field,
            iceberg::ColumnBuilder::Node& to) {
  if (!value) return to.AppendNull();
  switch (field.type.kind) {
    case TypeKind::kBoolean:
      return to.AppendBoolean(std::get<bool>(*value));
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return to.AppendDouble(std::get<double>(*value));
    case TypeKind::kDecimal:
      return to.AppendDecimal(std::get<Int128>(*value));
    case TypeKind::kString:
    case TypeKind::kUuid:
    case TypeKind::kBinary:
      return to.AppendBytes(std::get<Bytes>(*value));
    default:
      return to.AppendInteger(std::get<int64_t>(*value));
  }
}

std::shared_ptr<const iceberg::ColumnChunk> Chunk(const std::vector<Column>& columns) {
  auto schema = std::make_shared<iceberg::Schema>();
  for (const auto& column : columns) schema->fields.push_back(column.field);
  auto builder = iceberg::ColumnBuilder::Make(schema);
  for (size_t row = 0; row < columns[0].values.size(); ++row) {
    for (size_t i = 0; i < columns.size(); ++i)
      Append(columns[i].values[row], columns[i].field, builder->column(i));
    builder->FinishRow();
  }
  auto chunk = builder->Seal();
  EXPECT_TRUE(chunk.ok());
  return *chunk;
}

// Two tables of the same rows: d.f has them in files, d.t in the tail.
Result<std::vector<iceberg::DataFile>> PutBoth(
    SampleMesh& mesh, const std::shared_ptr<const iceberg::ColumnChunk>& chunk) {
  auto files = mesh.Write(chunk->schema(), {}, {{chunk, 0, chunk->rows()}}, "all");
  if (!files.ok()) return files;
  Relation relation;
  relation.columns = chunk->schema().fields;
  relation.tail = {{chunk, 0, chunk->rows()}};
  mesh.relations.all[{"d", "t"}] = relation;
  relation.tail.clear();
  relation.files = std::make_shared<const std::vector<iceberg::DataFile>>(*files);
  mesh.relations.all[{"d", "f"}] = relation;
  return files;
}

TEST(RoundTripTest, FilesAndTailGiveTheSameValues) {
  SampleMesh mesh({.workers = 1});
  auto columns = AllTypes();
  auto files = PutBoth(mesh, Chunk(columns));
  ASSERT_TRUE(files.ok()) << files.error().message();
  auto said = mesh.Ask("from d.f");
  EXPECT_EQ(said, mesh.Ask("from d.t"));
  EXPECT_THAT(
      said, HasSubstr("{\"b\":false,\"i\":-2147483648,\"l\":-9223372036854775808,\"f\":-3.5,\"x\":"
                      "-1e+300,\"day\":\"0001-01-01\",\"time\":\"00:00:00.000001\",\"ts\":"
                      "\"0001-01-01T00:00:00.000000\",\"tz\":\"0001-01-01T00:00:00.000000Z\","
                      "\"s\":\"\\u0000a\",\"u\":\"00000000-0000-0000-0000-000000000000\","
                      "\"raw\":\"AA==\",\"none\":null,\"d1\":-9,\"d4\":-0.9999,\"d5\":-999.99,"
                      "\"d9\":-999999999,\"d10\":-9.999999999,\"d18\":-999999999999.999999,"
                      "\"d19\":-9999999999999999999,\"d37\":"
                      "-0.9999999999999999999999999999999999999,\"d38\":"
                      "-9999999999999999999999999999.9999999999}\n"));
  EXPECT_THAT(said, HasSubstr("\"ts\":\"1969-12-31T23:59:59.999999\""));
  EXPECT_THAT(said, HasSubstr("\"u\":\"ffffffff-ffff-ffff-ffff-ffffffffffff\""));
  // Every value is found by itself, whatever the file's bounds say.
  for (const auto& column : columns) {
    const auto& name = column.field.name;
    for (const char* table : {"f", "t"}) {
      EXPECT_EQ(mesh.Ask(fmt::format("select count(*) c from d.{0} a where exists (from d.t b "
                                     "where a.{1} = b.{1}) and a.{1} in (select {1} from d.f)",
                                     table, name)),
                fmt::format("{{\"c\":{}}}\n", name == "none" ? 0 : 4))
          << name << table;
      EXPECT_EQ(
          mesh.Ask(fmt::format("select count(*) c from d.{0} where {1} is null", table, name)),
          fmt::format("{{\"c\":{}}}\n", name == "none" ? 5 : 1))
          << name << table;
    }
  }
}

// What the manifest will say, computed anew from the values.
TEST(RoundTripTest, BoundsAndCountsAreThoseOfTheValues) {
  SampleMesh mesh({.workers = 1});
  auto columns = AllTypes();
  auto files = PutBoth(mesh, Chunk(columns));
  ASSERT_TRUE(files.ok()) << files.error().message();
  ASSERT_EQ(files->size(), 1U);
  const auto& file = (*files)[0];
  for (const auto& [field, values] : columns) {
    SCOPED_TRACE(field.name);
    std::vector<Bytes> encoded;
    for (const auto& value : values) {
      if (value) encoded.push_back(iceberg::EncodeSingleValue(field.type, *value));
    }
    ASSERT_TRUE(file.value_counts.contains(field.id));
    EXPECT_EQ(file.value_counts.at(field.id), 5);
    ASSERT_TRUE(file.null_counts.contains(field.id));
    EXPECT_EQ(file.null_counts.at(field.id), 5 - static_cast<int64_t>(encoded.size()));
    EXPECT_EQ(file.lower_bounds.contains(field.id), file.upper_bounds.contains(field.id));
    // Of these DuckDB's writer says nothing, or nothing that is surely the value.
    bool none = encoded.empty() || field.type.kind == TypeKind::kUuid ||
                field.type.kind == TypeKind::kBinary || field.type.kind == TypeKind::kBoolean ||
                field.type.precision > 18;
    EXPECT_NE(file.lower_bounds.contains(field.id), none);
    if (!file.lower_bounds.contains(field.id)) continue;
    auto less = [&](const Bytes& a, const Bytes& b) {
      return *iceberg::CompareSingleValues(field.type, a, b) < 0;
    };
    auto [least, most] = std::minmax_element(encoded.begin(), encoded.end(), less);
    EXPECT_EQ(file.lower_bounds.at(field.id), iceberg::ShortenLowerBound(field.type, *least));
    EXPECT_EQ(file.upper_bounds.at(field.id), iceberg::ShortenUpperBound(field.type, *most));
  }
}

// {rows: list<struct<n: long, tags: list<string>>>, prices: map<string, decimal(20,2)>,
//  outer: struct<inner: struct<day: date>>}
std::shared_ptr<const iceberg::ColumnChunk> NestedChunk() {
  auto tags = MakeField(5, "tags", TypeKind::kList);
  tags.type.fields = {MakeField(6, "element", TypeKind::kString)};
  auto element = MakeField(3, "element", TypeKind::kStruct);
  element.type.fields = {MakeField(4, "n", TypeKind::kLong), tags};
  auto rows = MakeField(2, "rows", TypeKind::kList);
  rows.type.fields = {element};
  auto prices = MakeField(7, "prices", TypeKind::kMap);
  auto price = Decimal(9, 20, 2);
  price.name = "value";
  prices.type.fields = {MakeField(8, "key", TypeKind::kString), price};
  auto inner = MakeField(11, "inner", TypeKind::kStruct);
  inner.type.fields = {MakeField(12, "day", TypeKind::kDate)};
  auto outer = MakeField(10, "outer", TypeKind::kStruct);
  outer.type.fields = {inner};
  auto schema = std::make_shared<iceberg::Schema>();
  schema->fields = {MakeField(1, "i", TypeKind::kInt), rows, prices, outer};
  auto builder = iceberg::ColumnBuilder::Make(schema);
  // Row i has i % 4 elements (0: empty), every fifth row is null throughout, parts are null at odd
  // places.
  for (int i = 0; i < 5000; ++i) {
    builder->column(0).AppendInteger(i);
    if (i % 5 == 4) {
      for (size_t c = 1; c < 4; ++c) builder->column(c).AppendNull();
      builder->FinishRow();
      continue;
    }
    auto& list = builder->column(1);
    auto& map = builder->column(2);
    list.AppendList(i % 4);
    map.AppendList(i % 4);
    for (int k = 0; k < i % 4; ++k) {
      map.child(0).AppendBytes("key" + std::to_string(k));
      k == 1 ? map.child(1).AppendNull() : map.child(1).AppendDecimal(Int128(i) * 1'000 + k);
      auto& part = list.child(0);
      if (k == 2) {
        part.AppendNull();
        continue;
      }
      part.AppendStruct();
      part.child(0).AppendInteger(i * 10 + k);
      part.child(1).AppendList(k);
      for (int j = 0; j < k; ++j) part.child(1).child(0).AppendBytes(j == 0 ? "" : "tag");
    }
    auto& outside = builder->column(3);
    outside.AppendStruct();
    if (i % 3 == 0) {
      outside.child(0).AppendNull();
    } else {
      outside.child(0).AppendStruct();
      i % 3 == 1 ? outside.child(0).child(0).AppendNull()
                 : outside.child(0).child(0).AppendInteger(-i);
    }
    builder->FinishRow();
  }
  auto chunk = builder->Seal();
  EXPECT_TRUE(chunk.ok());
  return *chunk;
}

TEST(RoundTripTest, NestedValuesAndNullsAtEveryLevelAreTheSame) {
  SampleMesh mesh({.workers = 1});
  auto files = PutBoth(mesh, NestedChunk());
  ASSERT_TRUE(files.ok()) << files.error().message();
  auto said = mesh.Ask("from d.f order by i");
  EXPECT_EQ(said, mesh.Ask("from d.t order by i"));
  EXPECT_THAT(said, HasSubstr("{\"i\":4,\"rows\":null,\"prices\":null,\"outer\":null}\n"));
  EXPECT_THAT(said, HasSubstr("{\"i\":8,\"rows\":[],\"prices\":{},\"outer\":{\"inner\":{\"day\":"
                              "\"1969-12-24\"}}}\n"));
  EXPECT_THAT(said,
              HasSubstr("{\"i\":7,\"rows\":[{\"n\":70,\"tags\":[]},{\"n\":71,\"tags\":[\"\"]},"
                        "null],\"prices\":{\"key0\":70.00,\"key1\":null,\"key2\":70.02},"
                        "\"outer\":{\"inner\":{\"day\":null}}}\n"));
  for (const char* question :
       {"select sum(len(rows)) a, sum(cardinality(prices)) b, count(\"outer\".inner.day) c from ",
        "select count(*) c, sum(r.n) s from (select unnest(rows) r from {}) where r is not null "
        "-- ",
        "select max(i) m from {} where \"outer\".inner is null and rows is not null -- ",
        "select i from {} where prices['key0'] = 70.00 -- "}) {
    std::string text = question;
    auto ask = [&](const std::string& table) {
      auto sql = text;
      auto at = sql.find("{}");
      return mesh.Ask(at == std::string::npos ? sql + table : sql.replace(at, 2, table));
    };
    EXPECT_EQ(ask("d.f"), ask("d.t")) << question;
    EXPECT_THAT(ask("d.f"), HasSubstr("{")) << question;
  }
  // Part of the tail, at places that are no multiple of anything.
  mesh.relations.all[{"d", "t"}].tail[0].first_row = 2049;
  mesh.relations.all[{"d", "t"}].tail[0].end_row = 4777;
  EXPECT_EQ(mesh.Ask("from d.f where i >= 2049 and i < 4777 order by i"),
            mesh.Ask("from d.t order by i"));
}

TEST(RoundTripTest, FixedIsNotWritten) {
  SampleMesh mesh;
  auto fixed = MakeField(2, "code", TypeKind::kFixed);
  fixed.type.length = 4;
  auto list = MakeField(1, "codes", TypeKind::kList);
  list.type.fields = {fixed};
  for (const auto& field : {fixed, list}) {
    iceberg::Schema schema;
    schema.fields = {field};
    auto files = mesh.Write(schema, {}, {}, "no");
    ASSERT_FALSE(files.ok());
    EXPECT_EQ(files.error().code(), Code::kNotOffered);
    EXPECT_THAT(files.error().message(), HasSubstr("code"));
  }
  // In the tail it is octets like others.
  auto rows = testing::Rows({fixed}, "abcd\n\nwxyz\n");
  Relation relation;
  relation.columns = {fixed};
  relation.tail = {{rows, 0, 3}};
  mesh.relations.all[{"d", "t"}] = relation;
  EXPECT_EQ(mesh.Ask("from d.t"),
            "{\"code\":\"YWJjZA==\"}\n{\"code\":null}\n"
            "{\"code\":\"d3h5eg==\"}\n");
}

}  // namespace
}  // namespace weft::engine
