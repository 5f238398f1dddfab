// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "iceberg/manifest_internal.h"
#include "iceberg/table.h"
#include "iceberg/testing/table_world.h"

namespace weft::iceberg {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::UnorderedElementsAre;
using Json = nlohmann::json;

class MaintenanceTest : public testing::Test, public TableWorld {
 protected:
  template <class T>
  static T Value(Result<T> result) {
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message());
    return result.ok() ? std::move(*result) : T();
  }
  TableVersion Append(const TableVersion& base, const std::vector<DataFile>& files) {
    for (const DataFile& file : files) PutObject(file.location);
    return Value(tables.Append(base, files, {}));
  }
  void PutObject(const std::string& location) {
    EXPECT_TRUE(store->Put(Value(objects::ParseLocation(location)), "x").ok());
  }
  std::vector<ManifestFile> List(const TableVersion& version) {
    return Value(ReadManifestList(Get(version.metadata->snapshot()->manifest_list)));
  }
  std::vector<ManifestEntry> Entries(const TableVersion& version, const ManifestFile& manifest) {
    return Value(ReadManifest(Get(manifest.location), manifest, version.metadata->partition_specs));
  }
  std::set<std::string> Stored() {
    std::set<std::string> locations;
    for (const auto& object : Value(store->List("lake", "", "", 100000))) {
      locations.insert(objects::Location(object.key));
    }
    return locations;
  }
  void Delete(const std::vector<std::string>& locations) {
    for (const std::string& location : locations) {
      EXPECT_TRUE(Stored().contains(location)) << location;
      EXPECT_TRUE(store->Delete(Value(objects::ParseLocation(location))).ok());
    }
  }
};

TEST_F(MaintenanceTest, ManifestsAreMergedAndTheListStaysShort) {
  auto table = Orders();
  table.properties["commit.manifest.min-count-to-merge"] = "10";
  TableVersion version = Value(tables.Create(table));
  size_t longest = 0;
  for (int file = 0; file < 60; ++file) {
    version = Append(version, {File("f" + std::to_string(file), 10, file % 2 == 0 ? "CH" : "DE")});
    longest = std::max(longest, List(version).size());
  }
  EXPECT_LE(longest, 10U);
  Tables fresh(*store, clock, random);
  const auto files = Value(fresh.Files(version));
  ASSERT_EQ(files->size(), 60U);
  std::set<std::string> names;
  for (const DataFile& file : *files) {
    names.insert(file.location);
    const std::string name = file.location.substr(file.location.rfind('f') + 1);
    EXPECT_EQ(file.data_sequence_number, std::stoi(name) + 1);
    EXPECT_EQ(file.partition[0], std::stoi(name) % 2 == 0 ? "CH" : "DE");
  }
  EXPECT_EQ(names.size(), 60U);
  EXPECT_EQ(version.metadata->snapshot()->summary.at("total-data-files"), "60");
}

TEST_F(MaintenanceTest, AListTellsWhatItsManifestsHold) {
  const TableVersion version =
      Append(Value(tables.Create(Orders())),
             {File("a", 10, "DE", 5), File("b", 4, "CH", -3), File("c", 1, std::nullopt, 7)});
  const auto list = List(version);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].added_files, 3);
  EXPECT_EQ(list[0].added_rows, 15);
  EXPECT_EQ(list[0].existing_files, 0);
  EXPECT_EQ(list[0].sequence_number, 1);
  EXPECT_EQ(list[0].min_sequence_number, 1);
  EXPECT_EQ(list[0].added_snapshot_id, *version.metadata->current_snapshot_id);
  EXPECT_EQ(list[0].bytes, static_cast<int64_t>(Get(list[0].location).size()));
  ASSERT_EQ(list[0].partitions->size(), 2U);
  const auto& country = list[0].partitions->at(0);
  EXPECT_TRUE(country.contains_null);
  EXPECT_EQ(country.lower, "CH");
  EXPECT_EQ(country.upper, "DE");
  const auto& day = list[0].partitions->at(1);
  EXPECT_FALSE(day.contains_null);
  EXPECT_EQ(day.lower, Bytes("\xfd\xff\xff\xff", 4));
  EXPECT_EQ(day.upper, Bytes("\7\0\0\0", 4));
}

TEST_F(MaintenanceTest, FilesAreReplacedByOthersWithTheSameRows) {
  TableVersion base = Append(Value(tables.Create(Orders())), {File("a"), File("b", 4)});
  base = Append(base, {File("c", 6)});
  const TableVersion version =
      Value(tables.Replace(base, {File("b").location, File("c").location}, {File("bc", 10)}));
  EXPECT_THAT(Locations(version), UnorderedElementsAre("a", "bc"));
  EXPECT_THAT(Locations(base), UnorderedElementsAre("a", "b", "c"));
  const auto& summary = version.metadata->snapshot()->summary;
  EXPECT_EQ(summary.at("operation"), "replace");
  EXPECT_EQ(summary.at("deleted-data-files"), "2");
  EXPECT_EQ(summary.at("total-data-files"), "2");
  EXPECT_EQ(summary.at("total-records"), "20");
  int deleted = 0;
  for (const ManifestFile& manifest : List(version)) {
    for (const ManifestEntry& entry : Entries(version, manifest)) {
      if (entry.status == EntryStatus::kAdded) continue;
      const bool gone = entry.status == EntryStatus::kDeleted;
      deleted += gone;
      EXPECT_EQ(entry.snapshot_id, gone ? *version.metadata->current_snapshot_id
                                        : base.metadata->snapshots[0].snapshot_id);
      EXPECT_EQ(entry.file.data_sequence_number, entry.file.location.ends_with("c") ? 2 : 1);
      EXPECT_EQ(entry.file_sequence_number, entry.file.data_sequence_number);
    }
  }
  EXPECT_EQ(deleted, 2);
  // The next snapshot forgets what was deleted before it.
  const TableVersion next = Append(version, {File("d")});
  EXPECT_THAT(Locations(next), UnorderedElementsAre("a", "bc", "d"));
  EXPECT_EQ(List(next).size(), 3U);
}

TEST_F(MaintenanceTest, AReplacementThatIsNotOneWritesNothing) {
  const TableVersion base = Append(Value(tables.Create(Orders())), {File("a"), File("b")});
  const auto before = Stored();
  EXPECT_EQ(tables.Replace(base, {File("x").location}, {File("y")}).error().code(),
            Code::kConflict);
  EXPECT_EQ(tables.Replace(base, {File("a").location}, {File("y", 9)}).error().code(),
            Code::kInvalid);
  EXPECT_EQ(Stored(), before);
}

TEST_F(MaintenanceTest, OldSnapshotsGoAndTakeTheirObjectsAlong) {
  TableVersion version = Append(Value(tables.Create(Orders())), {File("a", 4), File("b", 6)});
  version = Value(tables.Replace(version, {File("a").location, File("b").location}, {File("ab")}));
  PutObject(File("ab").location);
  clock.now += hours(100);
  version = Append(version, {File("c")});
  EXPECT_EQ(Value(tables.Expire(version, {})).version.metadata_location, version.metadata_location);

  clock.now += hours(100);  // the first two are older than five days
  const auto expiry = Value(tables.Expire(version, {}));
  EXPECT_EQ(expiry.version.metadata->snapshots.size(), 1U);
  EXPECT_EQ(expiry.version.metadata->snapshot_log.size(), 1U);
  EXPECT_EQ(expiry.version.metadata->current_snapshot_id, version.metadata->current_snapshot_id);
  EXPECT_THAT(expiry.unreachable, testing::IsSupersetOf({File("a").location, File("b").location}));
  Delete(expiry.unreachable);
  Tables fresh(*store, clock, random);
  const auto files = fresh.Files(Value(fresh.Load(expiry.version.metadata_location)));
  ASSERT_TRUE(files.ok()) << files.error().message();
  EXPECT_EQ((*files)->size(), 2U);
  EXPECT_TRUE(Stored().contains(File("ab").location));
  // Nothing is left over: a search for orphans finds none, however young.
  EXPECT_THAT(Value(tables.Orphans(expiry.version, milliseconds(-1))), ElementsAre());
  EXPECT_EQ(Value(tables.Expire(expiry.version, {})).version.metadata_location,
            expiry.version.metadata_location);
}

TEST_F(MaintenanceTest, TheLatestSnapshotsStayWhateverTheirAge) {
  TableVersion version = Value(tables.Create(Orders()));
  for (const char* name : {"a", "b", "c", "d"}) {
    version = Append(version, {File(name)});
    clock.now += hours(1000);
  }
  const auto expiry = Value(tables.Expire(version, {.snapshots_min = 3}));
  EXPECT_EQ(expiry.version.metadata->snapshots.size(), 3U);
  EXPECT_THAT(Locations(expiry.version), UnorderedElementsAre("a", "b", "c", "d"));
  for (const std::string& location : expiry.unreachable) {
    EXPECT_THAT(location, testing::Not(testing::HasSubstr("/data/")));
  }
  const auto forever = Value(tables.Expire(version, {.snapshot_age_max = milliseconds::max()}));
  EXPECT_EQ(forever.version.metadata_location, version.metadata_location);
}

TEST_F(MaintenanceTest, WhatATagOrBranchNeedsStays) {
  TableVersion version = Value(tables.Create(Orders()));
  std::vector<int64_t> ids;
  for (const char* name : {"a", "b", "c"}) {
    version = Append(version, {File(name)});
    ids.push_back(*version.metadata->current_snapshot_id);
  }
  Json json = Json::parse(Get(version.metadata_location));
  json["refs"]["audit"] = {{"snapshot-id", ids[0]}, {"type", "tag"}};
  json["statistics"] = {{{"snapshot-id", ids[1]}, {"statistics-path", "s3://lake/b.puffin"}},
                        {{"snapshot-id", ids[2]}, {"statistics-path", "s3://lake/c.puffin"}}};
  ASSERT_TRUE(store->Put({"lake", "tagged.metadata.json"}, json.dump()).ok());
  version = Value(tables.Load("s3://lake/tagged.metadata.json"));
  clock.now += hours(1000);
  const auto expiry = Value(tables.Expire(version, {}));
  std::vector<int64_t> left;
  for (const Snapshot& snapshot : expiry.version.metadata->snapshots) {
    left.push_back(snapshot.snapshot_id);
  }
  EXPECT_THAT(left, UnorderedElementsAre(ids[0], ids[2]));
  EXPECT_TRUE(expiry.version.metadata->refs.contains("audit"));
  EXPECT_THAT(expiry.unreachable, testing::Contains("s3://lake/b.puffin"));
  EXPECT_THAT(expiry.unreachable, testing::Not(testing::Contains("s3://lake/c.puffin")));
  const Json after = Json::parse(Get(expiry.version.metadata_location));
  EXPECT_EQ(after.at("statistics").size(), 1U);
}

TEST_F(MaintenanceTest, OldMetadataFilesGo) {
  TableVersion version = Value(tables.Create(Orders()));
  const std::string first = version.metadata_location;
  for (int file = 0; file < 10; ++file) version = Append(version, {File(std::to_string(file))});
  const auto expiry = Value(tables.Expire(version, {.metadata_files_max = 4}));
  EXPECT_EQ(expiry.version.metadata->metadata_log.size(), 4U);
  EXPECT_THAT(expiry.unreachable, testing::Contains(first));
  EXPECT_EQ(expiry.unreachable.size(), 7U);
  EXPECT_EQ(expiry.version.metadata->metadata_log.back().location, version.metadata_location);
}

TEST_F(MaintenanceTest, OrphansAreWhatNothingReaches) {
  TableVersion version = Append(Value(tables.Create(Orders())), {File("a")});
  version = Append(version, {File("b")});
  PutObject("s3://lake/sales/orders/data/crashed.parquet");
  PutObject("s3://lake/sales/orders/metadata/00009-lost.metadata.json");
  PutObject("s3://lake/sales/orders_old/data/other-table.parquet");
  clock.now += hours(80);
  PutObject("s3://lake/sales/orders/data/being-written.parquet");
  EXPECT_THAT(Value(tables.Orphans(version, hours(72))),
              UnorderedElementsAre("s3://lake/sales/orders/data/crashed.parquet",
                                   "s3://lake/sales/orders/metadata/00009-lost.metadata.json"));
  // A table that cannot be read whole has no orphans that could be told.
  ASSERT_TRUE(store->Put(Value(objects::ParseLocation(List(version)[0].location)), "?").ok());
  Tables fresh(*store, clock, random);
  EXPECT_EQ(fresh.Orphans(version, hours(72)).error().code(), Code::kCorrupt);
}

}  // namespace
}  // namespace weft::iceberg
