// SPDX-License-Identifier: Apache-2.0
#include "iceberg/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "iceberg/testing/table_world.h"

namespace weft::iceberg {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;
using testing::UnorderedElementsAre;
using Json = nlohmann::json;

class TableTest : public testing::Test, public TableWorld {
 protected:
  TableVersion Created() { return Value(tables.Create(Orders())); }
  TableVersion Append(const TableVersion& base, const std::vector<DataFile>& files) {
    return Value(tables.Append(base, files, {}));
  }
  template <class T>
  static T Value(Result<T> result) {
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message());
    return result.ok() ? std::move(*result) : T();
  }
  // As a program that has only just started would read it.
  TableVersion Reloaded(const TableVersion& version) {
    Tables fresh(*store, clock, random);
    return Value(fresh.Load(version.metadata_location));
  }
};

TEST_F(TableTest, IsCreatedEmpty) {
  const TableVersion made = Created();
  EXPECT_THAT(made.metadata_location,
              MatchesRegex("s3://lake/sales/orders/metadata/00000-[0-9a-f-]+\\.metadata\\.json"));
  const TableVersion loaded = Reloaded(made);
  EXPECT_EQ(loaded.metadata->schema().fields, Orders().schema.fields);
  EXPECT_EQ(loaded.metadata->spec().fields.at(1).name, "ordered_at_day");
  EXPECT_EQ(loaded.metadata->spec().fields.at(1).transform, Transform::kDay);
  EXPECT_EQ(loaded.metadata->last_column_id, 3);
  EXPECT_EQ(loaded.metadata->last_partition_id, 1001);
  EXPECT_EQ(loaded.metadata->snapshot(), nullptr);
  EXPECT_THAT(Locations(loaded), ElementsAre());
  const Json json = Json::parse(Get(made.metadata_location));
  EXPECT_EQ(json.at("format-version"), 2);
  EXPECT_EQ(json.at("sort-orders"), Json::parse(R"([{"order-id":0,"fields":[]}])"));
  EXPECT_EQ(json.at("last-sequence-number"), 0);
  EXPECT_FALSE(json.contains("current-snapshot-id"));
}

TEST_F(TableTest, RefusesATableThatCannotBe) {
  auto table = Orders();
  table.schema.fields[0].id = 0;
  EXPECT_EQ(tables.Create(table).error().code(), Code::kInvalid);
  table = Orders();
  table.spec.fields[0].source_id = 9;
  EXPECT_EQ(tables.Create(table).error().code(), Code::kInvalid);
  table = Orders();
  table.location = "/tmp/orders";
  EXPECT_EQ(tables.Create(table).error().code(), Code::kInvalid);
}

TEST_F(TableTest, HoldsWhatWasAppended) {
  TableVersion version =
      Append(Created(), {File("a"), File("b", 5, "DE"), File("c", 1, std::nullopt)});
  version = Append(version, {File("d", 7)});
  const TableVersion loaded = Reloaded(version);
  EXPECT_THAT(Locations(loaded), UnorderedElementsAre("a", "b", "c", "d"));
  const auto files = Value(tables.Files(loaded));
  const auto b = std::find_if(files->begin(), files->end(),
                              [](const DataFile& file) { return file.location.ends_with("/b"); });
  const DataFile expected = File("b", 5, "DE");
  EXPECT_EQ(b->partition, expected.partition);
  EXPECT_EQ(b->record_count, 5);
  EXPECT_EQ(b->file_bytes, 500);
  EXPECT_EQ(b->column_bytes, expected.column_bytes);
  EXPECT_EQ(b->value_counts, expected.value_counts);
  EXPECT_EQ(b->null_counts, expected.null_counts);
  EXPECT_TRUE(b->nan_counts.empty());
  EXPECT_EQ(b->lower_bounds, expected.lower_bounds);
  EXPECT_EQ(b->upper_bounds, expected.upper_bounds);
  EXPECT_THAT(b->split_offsets, ElementsAre(4));
  EXPECT_EQ(b->data_sequence_number, 1);
  EXPECT_EQ(files->front().data_sequence_number, 2);
}

TEST_F(TableTest, TellsItsHistory) {
  const TableVersion first = Append(Created(), {File("a")});
  clock.now -= std::chrono::hours(5);  // a clock that was set back
  const TableVersion version =
      Value(tables.Append(first, {File("b", 3)}, {{"contract-id", "c1"}, {"operation", "none"}}));
  const auto loaded = Reloaded(version).metadata;
  ASSERT_EQ(loaded->snapshots.size(), 2U);
  const Snapshot& snapshot = *loaded->snapshot();
  EXPECT_EQ(snapshot.parent_snapshot_id, first.metadata->current_snapshot_id);
  EXPECT_GT(snapshot.snapshot_id, 0);
  EXPECT_EQ(snapshot.sequence_number, 2);
  EXPECT_EQ(loaded->last_sequence_number, 2);
  EXPECT_GE(snapshot.time, loaded->snapshots[0].time);
  EXPECT_GE(loaded->last_updated, snapshot.time);
  EXPECT_EQ(loaded->snapshot_log.size(), 2U);
  EXPECT_EQ(loaded->metadata_log.back().location, first.metadata_location);
  EXPECT_THAT(version.metadata_location, testing::HasSubstr("/metadata/00002-"));
  const auto& summary = snapshot.summary;
  EXPECT_EQ(summary.at("operation"), "append");
  EXPECT_EQ(summary.at("contract-id"), "c1");
  EXPECT_EQ(summary.at("added-data-files"), "1");
  EXPECT_EQ(summary.at("added-records"), "3");
  EXPECT_EQ(summary.at("added-files-size"), "300");
  EXPECT_EQ(summary.at("total-data-files"), "2");
  EXPECT_EQ(summary.at("total-records"), "13");
  EXPECT_EQ(summary.at("total-delete-files"), "0");
  EXPECT_EQ(summary.at("changed-partition-count"), "1");
}

TEST_F(TableTest, RefusesFilesThatAreNotItsOwn) {
  const TableVersion base = Created();
  DataFile file = File("a");
  file.partition.pop_back();
  EXPECT_EQ(tables.Append(base, {file}, {}).error().code(), Code::kInvalid);
  file = File("a");
  file.spec_id = 5;
  EXPECT_EQ(tables.Append(base, {file}, {}).error().code(), Code::kInvalid);
  file = File("a");
  file.partition[1] = "no date";
  EXPECT_EQ(tables.Append(base, {file}, {}).error().code(), Code::kInvalid);
  EXPECT_EQ(tables.Append(base, {File("a"), File("a")}, {}).error().code(), Code::kInvalid);
}

TEST_F(TableTest, TakesAnAppendOfNothing) {
  const TableVersion version = Append(Append(Created(), {File("a")}), {});
  EXPECT_EQ(version.metadata->snapshots.size(), 2U);
  EXPECT_THAT(Locations(Reloaded(version)), ElementsAre("a"));
}

TEST_F(TableTest, GivesEachOfTwoWritersAVersionOfItsOwn) {
  const TableVersion base = Append(Created(), {File("a")});
  const TableVersion left = Append(base, {File("b")});
  const TableVersion right = Append(base, {File("c")});
  EXPECT_NE(left.metadata_location, right.metadata_location);
  EXPECT_THAT(Locations(left), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(Locations(right), UnorderedElementsAre("a", "c"));
}

TEST_F(TableTest, KeepsWhatAnotherWriterPutThere) {
  const TableVersion made = Append(Created(), {File("a")});
  Json json = Json::parse(Get(made.metadata_location));
  const int64_t snapshot = json.at("current-snapshot-id");
  json["sort-orders"] = Json::parse(
      R"([{"order-id":3,"fields":[{"source-id":1,"transform":"identity","direction":"asc","null-order":"nulls-first"}]}])");
  json["default-sort-order-id"] = 3;
  json["statistics"] = {{{"snapshot-id", snapshot}, {"statistics-path", "s3://lake/x.puffin"}}};
  json["properties"]["owner"] = "sales";
  json["refs"]["audit"] = {{"snapshot-id", snapshot}, {"type", "tag"}, {"max-ref-age-ms", 5}};
  json["refs"]["main"]["min-snapshots-to-keep"] = 4;
  json["of-tomorrow"] = {1, 2};
  json["snapshots"][0]["key-id"] = "k";
  ASSERT_TRUE(store->Put({"lake", "foreign.metadata.json"}, json.dump()).ok());
  const TableVersion base = Value(tables.Load("s3://lake/foreign.metadata.json"));
  const Json after = Json::parse(Get(Append(base, {File("b")}).metadata_location));
  for (const char* key : {"sort-orders", "default-sort-order-id", "statistics", "properties",
                          "of-tomorrow", "table-uuid", "location"}) {
    EXPECT_EQ(after.at(key), json.at(key)) << key;
  }
  EXPECT_EQ(after.at("refs").at("audit"), json.at("refs").at("audit"));
  EXPECT_EQ(after.at("refs").at("main").at("min-snapshots-to-keep"), 4);
  EXPECT_EQ(after.at("refs").at("main").at("snapshot-id"), after.at("current-snapshot-id"));
  EXPECT_EQ(after.at("snapshots")[0], json.at("snapshots")[0]);
}

TEST_F(TableTest, TakesAnotherSchema) {
  const TableVersion base = Append(Created(), {File("a")});
  Schema schema = base.metadata->schema();
  schema.fields.push_back(Column(4, "note", TypeKind::kString));
  const TableVersion changed = Value(tables.UpdateSchema(base, schema, 4));
  const auto loaded = Reloaded(changed).metadata;
  EXPECT_EQ(loaded->schemas.size(), 2U);
  EXPECT_EQ(loaded->current_schema_id, 1);
  EXPECT_EQ(loaded->last_column_id, 4);
  EXPECT_EQ(loaded->snapshots.size(), 1U);
  EXPECT_EQ(loaded->schema().fields.size(), 4U);
  // The same again is no change; the first again is the first's id.
  EXPECT_EQ(Value(tables.UpdateSchema(changed, schema, 4)).metadata_location,
            changed.metadata_location);
  const TableVersion back = Value(tables.UpdateSchema(changed, base.metadata->schema(), 4));
  EXPECT_EQ(back.metadata->current_schema_id, 0);
  EXPECT_EQ(back.metadata->schemas.size(), 2U);
  EXPECT_EQ(Append(changed, {File("b")}).metadata->snapshot()->schema_id, 1);

  schema.fields.push_back(Column(9, "stray", TypeKind::kInt));
  EXPECT_EQ(tables.UpdateSchema(base, schema, 5).error().code(), Code::kInvalid);
  schema.fields.erase(schema.fields.begin() + 1);  // the column that it is partitioned by
  EXPECT_EQ(tables.UpdateSchema(base, schema, 9).error().code(), Code::kInvalid);
}

TEST_F(TableTest, WritesNothingToFormatsOfOtherVersions) {
  const TableVersion made = Append(Created(), {File("a")});
  for (const int format : {1, 3}) {
    Json json = Json::parse(Get(made.metadata_location));
    json["format-version"] = format;
    const std::string name = "v" + std::to_string(format) + ".metadata.json";
    ASSERT_TRUE(store->Put({"lake", name}, json.dump()).ok());
    const TableVersion base = Value(tables.Load("s3://lake/" + name));
    EXPECT_THAT(Locations(base), ElementsAre("a"));
    EXPECT_EQ(tables.Append(base, {File("b")}, {}).error().code(), Code::kNotOffered);
    EXPECT_EQ(tables.Replace(base, {}, {}).error().code(), Code::kNotOffered);
    EXPECT_EQ(tables.Expire(base, {}).error().code(), Code::kNotOffered);
    EXPECT_EQ(tables.UpdateSchema(base, {}, 9).error().code(), Code::kNotOffered);
  }
}

TEST_F(TableTest, TellsDamageApart) {
  EXPECT_EQ(tables.Load("s3://lake/none.metadata.json").error().code(), Code::kNotFound);
  EXPECT_EQ(tables.Load("nowhere").error().code(), Code::kInvalid);
  ASSERT_TRUE(store->Put({"lake", "bad.metadata.json"}, "{\"format-version\":2}").ok());
  EXPECT_EQ(tables.Load("s3://lake/bad.metadata.json").error().code(), Code::kCorrupt);
  ASSERT_TRUE(store->Put({"lake", "new.metadata.json"}, "{\"format-version\":4}").ok());
  EXPECT_EQ(tables.Load("s3://lake/new.metadata.json").error().code(), Code::kNotOffered);
  const TableVersion made = Append(Created(), {File("a")});
  const auto list = objects::ParseLocation(made.metadata->snapshot()->manifest_list);
  ASSERT_TRUE(store->Put(*list, "Obj").ok());
  EXPECT_EQ(tables.Files(made).error().code(), Code::kCorrupt);
}

TEST_F(TableTest, AnswersItsFilesAtOnceWhenAskedAgain) {
  std::vector<DataFile> files;
  for (int file = 0; file < 2000; ++file) files.push_back(File("f" + std::to_string(file)));
  const TableVersion version = Append(Created(), files);
  EXPECT_EQ(Value(tables.Files(version))->size(), 2000U);
  const auto begin = std::chrono::steady_clock::now();
  for (int round = 0; round < 1000; ++round) EXPECT_EQ((*tables.Files(version))->size(), 2000U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(200));
}

}  // namespace
}  // namespace weft::iceberg
