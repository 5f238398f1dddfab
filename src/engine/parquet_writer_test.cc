// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "engine/testing/sample_mesh.h"
#include "iceberg/single_value.h"

namespace weft::engine {
namespace {

using iceberg::TypeKind;
using ::testing::HasSubstr;
using testing::MakeField;
using testing::SampleMesh;

iceberg::PartitionSpec By(const iceberg::Field& field, iceberg::Transform transform) {
  iceberg::PartitionSpec spec;
  spec.spec_id = 1;
  spec.fields = {iceberg::MakePartitionField(field, transform, 1000)};
  return spec;
}

void Put(SampleMesh& mesh, const iceberg::Schema& schema, const iceberg::PartitionSpec& spec,
         const std::vector<iceberg::DataFile>& files) {
  Relation relation;
  relation.columns = schema.fields;
  relation.spec = spec;
  relation.files = std::make_shared<const std::vector<iceberg::DataFile>>(files);
  mesh.relations.all[{"d", "t"}] = relation;
}

TEST(ParquetWriterTest, WritesAFileForEachPartitionWithItsStatistics) {
  SampleMesh mesh;
  iceberg::Schema schema;
  schema.fields = {MakeField(1, "country", TypeKind::kString), MakeField(2, "n", TypeKind::kLong),
                   MakeField(3, "at", TypeKind::kTimestampTz),
                   MakeField(4, "x", TypeKind::kDouble)};
  auto spec = By(schema.fields[0], iceberg::Transform::kIdentity);
  auto rows = testing::Rows(
      schema.fields, "CH,5,1000000,1.5\nDE,7,2000000,2.5\nCH,,3000000,nan\n,1,4000000,0.5\n");
  auto made = mesh.Write(schema, spec, {{rows, 0, 4}}, "part");
  ASSERT_TRUE(made.ok()) << made.error().message();
  ASSERT_EQ(made->size(), 3U);
  const auto& swiss = (*made)[0];
  EXPECT_THAT(swiss.location, HasSubstr("s3://mesh/sales/data/country=CH/part-0"));
  EXPECT_EQ(swiss.partition[0], iceberg::SingleValue("CH"));
  EXPECT_EQ((*made)[2].partition[0], iceberg::SingleValue());
  EXPECT_EQ(swiss.record_count, 2);
  EXPECT_EQ(swiss.null_counts.at(2), 1);
  EXPECT_EQ(swiss.value_counts.at(2), 2);
  EXPECT_EQ(swiss.lower_bounds.at(2),
            iceberg::EncodeSingleValue(schema.fields[1].type, int64_t{5}));
  EXPECT_EQ(swiss.upper_bounds.at(2), swiss.lower_bounds.at(2));
  EXPECT_EQ(swiss.lower_bounds.at(3),
            iceberg::EncodeSingleValue(schema.fields[2].type, int64_t{1000000}));
  EXPECT_EQ(swiss.upper_bounds.at(3),
            iceberg::EncodeSingleValue(schema.fields[2].type, int64_t{3000000}));
  EXPECT_FALSE(swiss.upper_bounds.contains(4)) << "NaN leaves doubt";
  auto head = mesh.store().Head(*objects::ParseLocation(swiss.location));
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->bytes, swiss.file_bytes);
  Put(mesh, schema, spec, *made);
  EXPECT_EQ(mesh.Ask("select country, n from t where country = 'CH' order by n"),
            "{\"country\":\"CH\",\"n\":5}\n{\"country\":\"CH\",\"n\":null}\n");
  EXPECT_EQ(mesh.Ask("select count(*) c from t where x > 1e9"), "{\"c\":1}\n")
      << "NaN sorts last and is not pruned";
  EXPECT_EQ(mesh.Ask("select count(*) c from t where country is null"), "{\"c\":1}\n");
}

TEST(ParquetWriterTest, PrunesFilesByTheirBounds) {
  SampleMesh mesh;
  iceberg::Schema schema;
  schema.fields = {MakeField(1, "ts", TypeKind::kTimestamp), MakeField(2, "n", TypeKind::kLong)};
  auto spec = By(schema.fields[0], iceberg::Transform::kDay);
  std::string csv;
  for (int day = 0; day < 40; ++day)
    csv += std::to_string(day * 86'400'000'000) + "," + std::to_string(day) + "\n";
  auto rows = testing::Rows(schema.fields, csv);
  auto made = mesh.Write(schema, spec, {{rows, 0, rows->rows()}}, "p");
  ASSERT_TRUE(made.ok()) << made.error().message();
  ASSERT_EQ(made->size(), 40U);
  // A file that must not be needed is taken away: a query that opened it would fail.
  ASSERT_TRUE(mesh.store().Delete(*objects::ParseLocation((*made)[39].location)).ok());
  Put(mesh, schema, spec, *made);
  EXPECT_EQ(mesh.Ask("select count(*) c from t where ts < timestamp '1970-01-05'"), "{\"c\":4}\n");
  EXPECT_EQ(mesh.Ask("select n from t where n in (3, 4) order by 1"), "{\"n\":3}\n{\"n\":4}\n");
  EXPECT_EQ(mesh.Ask("select count(*) c from t where n between 10 and 38"), "{\"c\":29}\n");
  EXPECT_THAT(mesh.Ask("select count(n) c from t"), HasSubstr("unavailable"));
}

TEST(ParquetWriterTest, MergesFilesAndReadsOlderSchemas) {
  SampleMesh mesh;
  iceberg::Schema old_schema, schema;
  old_schema.fields = {MakeField(1, "a", TypeKind::kInt)};
  schema.fields = {MakeField(2, "b", TypeKind::kString), MakeField(1, "renamed", TypeKind::kLong)};
  auto first = testing::Rows(old_schema.fields, "1\n2\n");
  auto second = testing::Rows(schema.fields, "x,3\n,4\n");
  auto files = mesh.Write(old_schema, {}, {{first, 0, 2}}, "one");
  auto more = mesh.Write(schema, {}, {{second, 0, 2}}, "two");
  ASSERT_TRUE(files.ok() && more.ok());
  files->insert(files->end(), more->begin(), more->end());
  WriteRequest request;
  request.schema = schema;
  request.merged_files = *files;
  request.location = "s3://mesh/sales/data";
  request.name = "merged";
  auto merged = mesh.engine().WriteParquet(request);
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  ASSERT_EQ(merged->size(), 1U);
  EXPECT_EQ((*merged)[0].record_count, 4);
  EXPECT_EQ((*merged)[0].lower_bounds.at(1),
            iceberg::EncodeSingleValue(schema.fields[1].type, int64_t{1}));
  Put(mesh, schema, {}, *files);
  auto expected =
      "{\"b\":null,\"renamed\":1}\n{\"b\":null,\"renamed\":2}\n{\"b\":\"x\",\"renamed\":3}\n{\"b\":"
      "null,\"renamed\":4}\n";
  EXPECT_EQ(mesh.Ask("select * from t order by renamed"), expected);
  EXPECT_EQ(mesh.Ask("select renamed from t where renamed > 3"), "{\"renamed\":4}\n");
  Put(mesh, schema, {}, *merged);
  EXPECT_EQ(mesh.Ask("select * from t order by renamed"), expected);
}

TEST(ParquetWriterTest, NestedValuesComeBack) {
  SampleMesh mesh;
  auto list = MakeField(2, "tags", TypeKind::kList);
  list.type.fields = {MakeField(3, "element", TypeKind::kString)};
  auto row = MakeField(4, "place", TypeKind::kStruct);
  row.type.fields = {MakeField(5, "city", TypeKind::kString), MakeField(6, "zip", TypeKind::kInt)};
  auto map = MakeField(7, "m", TypeKind::kMap);
  map.type.fields = {MakeField(8, "key", TypeKind::kString),
                     MakeField(9, "value", TypeKind::kLong)};
  auto schema = std::make_shared<iceberg::Schema>();
  schema->fields = {MakeField(1, "i", TypeKind::kLong), list, row, map};
  auto builder = iceberg::ColumnBuilder::Make(schema);
  for (int i = 0; i < 3; ++i) {
    builder->column(0).AppendInteger(i);
    if (i == 1) {
      for (size_t c = 1; c < 4; ++c) builder->column(c).AppendNull();
    } else {
      builder->column(1).AppendList(2);
      builder->column(1).child(0).AppendBytes("t" + std::to_string(i));
      builder->column(1).child(0).AppendNull();
      builder->column(2).AppendStruct();
      builder->column(2).child(0).AppendBytes("Bern");
      builder->column(2).child(1).AppendInteger(3000 + i);
      builder->column(3).AppendList(1);
      builder->column(3).child(0).AppendBytes("k");
      builder->column(3).child(1).AppendInteger(i);
    }
    builder->FinishRow();
  }
  auto chunk = builder->Seal();
  ASSERT_TRUE(chunk.ok());
  auto files = mesh.Write(*schema, {}, {{*chunk, 0, 3}}, "nested");
  ASSERT_TRUE(files.ok()) << files.error().message();
  EXPECT_FALSE((*files)[0].null_counts.contains(3)) << "counts below lists are not to be trusted";
  Put(mesh, *schema, {}, *files);
  mesh.relations.all[{"d", "t"}].tail = {{*chunk, 0, 3}};
  const char* once =
      "{\"i\":0,\"tags\":[\"t0\",null],\"place\":{\"city\":\"Bern\",\"zip\":3000},\"m\":{\"k\":0}}"
      "\n";
  EXPECT_EQ(mesh.Ask("select * from t where i = 0"), std::string(once) + once);
  EXPECT_EQ(mesh.Ask("select count(*) c from t where tags is null and place is null and m is null"),
            "{\"c\":2}\n");
  EXPECT_EQ(mesh.Ask("select count(*) c from t where place.zip = 3002"), "{\"c\":2}\n");
  EXPECT_EQ(mesh.Ask("select place.city c, m['k'] k from t where i = 2 limit 1"),
            "{\"c\":\"Bern\",\"k\":2}\n");
}

TEST(ParquetWriterTest, LargePartitionsBecomeSeveralFiles) {
  SampleMesh mesh;
  iceberg::Schema schema;
  schema.fields = {MakeField(1, "a", TypeKind::kString)};
  std::string csv;
  for (int i = 0; i < 400'000; ++i)
    csv += std::to_string(i * 7919LL % 1'000'003) + "-" + std::to_string(i) + "\n";
  auto rows = testing::Rows(schema.fields, csv);
  WriteRequest request;
  request.schema = schema;
  request.rows = {{rows, 0, rows->rows()}};
  request.location = "s3://mesh/big/data";
  request.name = "big";
  request.file_bytes_target = 200'000;
  auto files = mesh.engine().WriteParquet(request);
  ASSERT_TRUE(files.ok()) << files.error().message();
  EXPECT_GT(files->size(), 1U);
  int64_t count = 0;
  for (const auto& file : *files) count += file.record_count;
  EXPECT_EQ(count, 400'000);
  Put(mesh, schema, {}, *files);
  EXPECT_EQ(mesh.Ask("select count(distinct a) c from t"), "{\"c\":400000}\n");
}

TEST(ParquetFileTest, ReadsAUsersOwnFileAsLines) {
  SampleMesh mesh;
  iceberg::Schema schema;
  schema.fields = {MakeField(1, "a", TypeKind::kString)};
  auto rows = testing::Rows(schema.fields, "x\ny\n");
  auto files = mesh.Write(schema, {}, {{rows, 0, 2}}, "own");
  ASSERT_TRUE(files.ok());
  std::string text;
  auto path = mesh.root() + "/objects/" + (*files)[0].location.substr(5);
  auto done = ReadParquetFile(path, [&](BytesView lines, int64_t) -> Status {
    text += lines;
    return {};
  });
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(text, "{\"a\":\"x\"}\n{\"a\":\"y\"}\n");
  EXPECT_FALSE(
      ReadParquetFile("/proc/self/status", [](BytesView, int64_t) -> Status { return {}; }).ok());
  EXPECT_FALSE(ReadParquetFile("/nowhere", [](BytesView, int64_t) -> Status { return {}; }).ok());
}

}  // namespace
}  // namespace weft::engine
