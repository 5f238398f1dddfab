// SPDX-License-Identifier: Apache-2.0
// Manifests and metadata as other writers make them, and as damage leaves them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "codec/avro.h"
#include "iceberg/manifest_internal.h"
#include "iceberg/table.h"
#include "iceberg/testing/table_world.h"

namespace weft::iceberg {
namespace {

using testing::ElementsAre;
using Json = nlohmann::json;

class ManifestTest : public testing::Test, public TableWorld {
 protected:
  template <class T>
  static T Value(Result<T> result) {
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message());
    return result.ok() ? std::move(*result) : T();
  }
  Bytes AvroOf(const char* schema, const Bytes& record) {
    codec::AvroFileWriter writer(schema, {}, random.NextBytes(16));
    writer.Append(record);
    return writer.Finish();
  }
};

// Fields in another order, under other names, long for int, null second, with fields of a later
// version.
constexpr const char* kForeignManifest = R"({"type":"record","name":"e","fields":[
  {"name":"file","field-id":2,"type":{"type":"record","name":"f","fields":[
    {"name":"first_row_id","field-id":142,"type":["null","long"]},
    {"name":"path","field-id":100,"type":["string","null"]},
    {"name":"size","field-id":104,"type":"int"},
    {"name":"rows","field-id":103,"type":["long","null"]},
    {"name":"format","field-id":101,"type":"string"},
    {"name":"tomorrow","field-id":9000,"type":{"type":"map","values":["null","double"]}},
    {"name":"p","field-id":102,"type":{"type":"record","name":"q","fields":[
      {"name":"whatever","field-id":1001,"type":["int","null"]},
      {"name":"gone","field-id":1009,"type":["null","string"]},
      {"name":"_x2F","field-id":1000,"type":["string","null"]}]}},
    {"name":"bounds","field-id":125,"type":["null",{"type":"array","logicalType":"map","items":{
      "type":"record","name":"k","fields":[{"name":"key","field-id":126,"type":"int"},
      {"name":"value","field-id":127,"type":"bytes"}]}}]}]}},
  {"name":"state","field-id":0,"type":"long"}]})";

Bytes ForeignRecord() {
  codec::AvroEncoder encoder;
  encoder.Long(1).Long(77);                       // first_row_id
  encoder.Long(0).Octets("s3://lake/x.parquet");  // path: the first branch
  encoder.Long(1234).Long(0).Long(5).Octets("parquet");
  encoder.BeginItems(1).Octets("k").Long(1).Double(2.0).EndItems();
  encoder.Long(0).Long(20000).Long(0).Long(0).Octets("CH");
  encoder.Long(1).BeginItems(1).Long(1).Octets(Bytes(8, '\0')).EndItems();
  encoder.Long(1);  // status
  return encoder.bytes();
}

TEST_F(ManifestTest, OfOtherWritersIsReadByFieldId) {
  ManifestFile from;
  from.sequence_number = 9;
  from.added_snapshot_id = 42;
  PartitionSpec spec = Orders().spec;
  const auto entries = Value(ReadManifest(AvroOf(kForeignManifest, ForeignRecord()), from, {spec}));
  ASSERT_EQ(entries.size(), 1U);
  const ManifestEntry& entry = entries[0];
  EXPECT_EQ(entry.status, EntryStatus::kAdded);
  EXPECT_EQ(entry.snapshot_id, 42);
  EXPECT_EQ(entry.file.data_sequence_number, 9);
  EXPECT_EQ(entry.file_sequence_number, 9);
  EXPECT_EQ(entry.file.location, "s3://lake/x.parquet");
  EXPECT_EQ(entry.file.record_count, 5);
  EXPECT_EQ(entry.file.file_bytes, 1234);
  EXPECT_THAT(entry.file.partition,
              ElementsAre(SingleValue("CH"), SingleValue(Bytes("\x20\x4e\0\0", 4))));
  EXPECT_EQ(entry.file.lower_bounds.at(1), Bytes(8, '\0'));
}

TEST_F(ManifestTest, OfVersionOneIsRead) {
  const Bytes manifest = AvroOf(kForeignManifest, ForeignRecord());
  ASSERT_TRUE(store->Put({"lake", "m.avro"}, manifest).ok());
  // A list of version 1: no content, no sequence numbers, numbers of files that may be missing.
  codec::AvroEncoder list;
  list.Octets("s3://lake/m.avro").Long(99).Long(0).Long(0);
  ASSERT_TRUE(
      store
          ->Put({"lake", "l.avro"}, AvroOf(R"({"type":"record","name":"manifest_file","fields":[
    {"name":"manifest_path","type":"string","field-id":500},
    {"name":"manifest_length","type":"long","field-id":501},
    {"name":"partition_spec_id","type":"int","field-id":502},
    {"name":"added_data_files_count","type":["null","int"],"field-id":504}]})",
                                           list.bytes()))
          .ok());
  Json json = Json::parse(R"({"format-version":1,"location":"s3://lake/t/","last-updated-ms":1,
    "last-column-id":3,"schema":{"type":"struct","fields":[
      {"id":1,"name":"order_id","required":true,"type":"long"},
      {"id":2,"name":"country","required":false,"type":"string"},
      {"id":3,"name":"ordered_at","required":false,"type":"timestamptz"}]},
    "partition-spec":[{"name":"country","transform":"identity","source-id":2},
                      {"name":"d","transform":"day","source-id":3}],
    "current-snapshot-id":5,"snapshots":[{"snapshot-id":5,"timestamp-ms":1,
      "manifest-list":"s3://lake/l.avro"}]})");
  ASSERT_TRUE(store->Put({"lake", "a.metadata.json"}, json.dump()).ok());
  const TableVersion listed = Value(tables.Load("s3://lake/a.metadata.json"));
  EXPECT_EQ(listed.metadata->location, "s3://lake/t");
  EXPECT_EQ(listed.metadata->spec().fields.at(1).field_id, 1001);
  EXPECT_EQ(listed.metadata->last_partition_id, 1001);
  EXPECT_THAT(Locations(listed), ElementsAre("x.parquet"));
  // Still older: the manifests themselves, without a list.
  json["snapshots"][0].erase("manifest-list");
  json["snapshots"][0]["manifests"] = {"s3://lake/m.avro"};
  ASSERT_TRUE(store->Put({"lake", "b.metadata.json"}, json.dump()).ok());
  EXPECT_THAT(Locations(Value(tables.Load("s3://lake/b.metadata.json"))), ElementsAre("x.parquet"));
}

TEST_F(ManifestTest, OfDeletesMakesATableThatIsNotOffered) {
  const TableVersion made = Value(tables.Append(Value(tables.Create(Orders())), {File("a")}, {}));
  auto list = Value(ReadManifestList(Get(made.metadata->snapshot()->manifest_list)));
  list[0].deletes = true;
  ASSERT_TRUE(store
                  ->Put(Value(objects::ParseLocation(made.metadata->snapshot()->manifest_list)),
                        WriteManifestList(list, {1, std::nullopt, 1}, random))
                  .ok());
  Tables fresh(*store, clock, random);
  EXPECT_EQ(fresh.Files(made).error().code(), Code::kNotOffered);
  EXPECT_EQ(fresh.Replace(made, {File("a").location}, {File("b")}).error().code(),
            Code::kNotOffered);
}

TEST_F(ManifestTest, HoldsPartitionValuesOfEveryType) {
  Tables::NewTable table;
  table.location = "s3://lake/t";
  const auto add = [&](TypeKind kind, int precision = 0, int scale = 0, int length = 0) {
    Field field = Column(static_cast<int>(table.schema.fields.size()) + 1,
                         "c/" + std::to_string(table.schema.fields.size()), kind);
    field.type.precision = precision;
    field.type.scale = scale;
    field.type.length = length;
    table.schema.fields.push_back(field);
  };
  for (const TypeKind kind :
       {TypeKind::kBoolean, TypeKind::kInt, TypeKind::kLong, TypeKind::kFloat, TypeKind::kDouble,
        TypeKind::kDate, TypeKind::kTime, TypeKind::kTimestamp, TypeKind::kTimestampTz,
        TypeKind::kString, TypeKind::kUuid, TypeKind::kUuid, TypeKind::kBinary}) {
    add(kind);
  }
  add(TypeKind::kDecimal, 9, 2);
  add(TypeKind::kDecimal, 38, 10);
  add(TypeKind::kFixed, 0, 0, 3);
  const std::vector<PrimitiveValue> values = {true,
                                              int64_t{-5},
                                              int64_t{1} << 40,
                                              0.5,
                                              -2.25,
                                              int64_t{-1},
                                              int64_t{5},
                                              int64_t{-7},
                                              int64_t{8},
                                              Bytes("text"),
                                              Bytes("0123456789abcdef"),
                                              Bytes("fedcba9876543210"),
                                              Bytes("\0\xff", 2),
                                              Int128{-1},
                                              Int128{1} << 100,
                                              Bytes("abc")};
  DataFile file;
  file.location = "s3://lake/t/f.parquet";
  for (size_t index = 0; index < values.size(); ++index) {
    const Field& field = table.schema.fields[index];
    table.spec.fields.push_back(
        MakePartitionField(field, Transform::kIdentity, 1000 + static_cast<int>(index)));
    file.partition.push_back(EncodeSingleValue(field.type, values[index]));
  }
  DataFile nulls;
  nulls.location = "s3://lake/t/nulls.parquet";
  nulls.partition.resize(values.size());
  const TableVersion made = Value(tables.Append(Value(tables.Create(table)), {file, nulls}, {}));
  Tables fresh(*store, clock, random);
  const auto files = Value(fresh.Files(made));
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ(files->at(0).partition, file.partition);
  EXPECT_EQ(files->at(1).partition, nulls.partition);
}

TEST_F(ManifestTest, EveryFieldOfItsSchemaHasAnId) {
  const TableVersion made = Value(tables.Append(Value(tables.Create(Orders())), {File("a")}, {}));
  const std::string list_location = made.metadata->snapshot()->manifest_list;
  const std::string location = Value(ReadManifestList(Get(list_location)))[0].location;
  const std::function<void(const Json&)> check = [&](const Json& type) {
    if (type.is_array()) {
      EXPECT_EQ(type.at(0), "null");
      for (const Json& branch : type) check(branch);
    }
    if (!type.is_object()) return;
    if (type.at("type") == "record") {
      for (const Json& field : type.at("fields")) {
        EXPECT_TRUE(field.contains("field-id") && field.at("field-id").is_number()) << field.dump();
        EXPECT_EQ(field.contains("default"), field.at("type").is_array());
        check(field.at("type"));
      }
    } else if (type.at("type") == "array") {
      EXPECT_TRUE(type.contains("element-id") || type.at("logicalType") == "map") << type.dump();
      check(type.at("items"));
    }
  };
  for (const std::string& one : {list_location, location}) {
    const Bytes bytes = Get(one);
    const auto file = Value(codec::AvroFile::Open(bytes));
    check(Json::parse(file.header("avro.schema")));
    EXPECT_EQ(file.header("format-version"), "2");
    EXPECT_EQ(file.header("avro.codec"), "deflate");
  }
  const Bytes bytes = Get(location);
  const auto file = Value(codec::AvroFile::Open(bytes));
  EXPECT_EQ(file.header("content"), "data");
  EXPECT_EQ(file.header("partition-spec-id"), "0");
  EXPECT_EQ(file.header("schema-id"), "0");
  EXPECT_TRUE(Json::parse(file.header("partition-spec")).is_array());
  EXPECT_TRUE(Json::parse(file.header("schema")).is_object());
}

TEST_F(ManifestTest, DamageIsToldAndNeverReadPast) {
  const TableVersion made =
      Value(tables.Append(Value(tables.Create(Orders())),
                          {File("a"), File("b", 5, "DE"), File("c", 1, std::nullopt)}, {}));
  const Bytes list = Get(made.metadata->snapshot()->manifest_list);
  const ManifestFile entry = Value(ReadManifestList(list))[0];
  const Bytes manifest = Get(entry.location);
  const Bytes metadata = Get(made.metadata_location);
  std::mt19937_64 engine(11);
  const auto damaged = [&](const Bytes& good) {
    Bytes bytes = good;
    if (engine() % 3 == 0) bytes.resize(engine() % bytes.size());
    for (uint64_t change = engine() % 4; change > 0 && !bytes.empty(); --change) {
      char& octet = bytes[engine() % bytes.size()];
      octet = engine() % 2 == 0 ? static_cast<char>(octet ^ (1 << engine() % 8))
                                : static_cast<char>(engine());
    }
    return bytes;
  };
  int refused = 0;
  const auto expect = [&](const auto& result) {
    if (result.ok()) return;
    ++refused;
    EXPECT_TRUE(result.error().code() == Code::kCorrupt ||
                result.error().code() == Code::kNotOffered)
        << result.error().message();
  };
  for (int round = 0; round < 1500; ++round) {
    expect(ReadManifestList(damaged(list)));
    expect(ReadManifest(damaged(manifest), entry, made.metadata->partition_specs));
    expect(MetadataFromJson(damaged(metadata)));
  }
  EXPECT_GT(refused, 2000);
}

TEST_F(ManifestTest, DamageBeneathTheCompressionIsToldToo) {
  const Bytes good = ForeignRecord();
  std::mt19937_64 engine(5);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    Bytes record = good;
    record[engine() % record.size()] = static_cast<char>(engine());
    const auto read =
        ReadManifest(AvroOf(kForeignManifest, record), ManifestFile(), {Orders().spec});
    if (read.ok()) continue;
    ++refused;
    EXPECT_EQ(read.error().code(), Code::kCorrupt);
  }
  EXPECT_GT(refused, 300);
}

TEST_F(ManifestTest, MetadataWithAWrongMemberIsCorrupt) {
  const TableVersion made = Value(tables.Append(Value(tables.Create(Orders())), {File("a")}, {}));
  const Json good = Json::parse(Get(made.metadata_location));
  for (const auto& [key, value] : good.items()) {
    if (key == "sort-orders" || key == "default-sort-order-id") continue;  // kept, never looked at
    for (const Json& wrong : {Json("text"), Json(1.5), Json::array({1}), Json(true)}) {
      Json json = good;
      json[key] = wrong;
      const auto read = MetadataFromJson(json.dump());
      const bool text = wrong.is_string() && value.is_string();
      EXPECT_EQ(read.ok(), text) << key << " " << wrong.dump();
      if (!read.ok()) {
        EXPECT_EQ(read.error().code(), Code::kCorrupt);
      }
    }
  }
}

}  // namespace
}  // namespace weft::iceberg
