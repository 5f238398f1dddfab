// SPDX-License-Identifier: Apache-2.0
// Which files a query opens. The files here do not exist: a query that opens one fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing/sample_mesh.h"
#include "iceberg/single_value.h"

namespace weft::engine {
namespace {

using iceberg::Transform;
using iceberg::TypeKind;
using testing::MakeField;
using testing::SampleMesh;

class FilePruningTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { mesh_ = new SampleMesh({.workers = 1}); }
  static void TearDownTestSuite() { delete mesh_; }

  static iceberg::DataFile File() {
    iceberg::DataFile file;
    file.location = "s3://mesh/none.parquet";
    file.record_count = 10;
    file.file_bytes = 1000;
    return file;
  }
  // Whether a query of this table of one file, with this condition, wants to read the file.
  static bool Opens(const iceberg::Field& field, const iceberg::DataFile& file,
                    const std::string& condition, const iceberg::PartitionSpec& spec = {}) {
    Relation relation;
    relation.columns = {field};
    relation.spec = spec;
    relation.files = std::make_shared<const std::vector<iceberg::DataFile>>(
        std::vector<iceberg::DataFile>{file});
    mesh_->relations.all[{"d", "t"}] = relation;
    auto said = mesh_->Ask("select count(*) c from d.t where " + condition);
    if (said == "{\"c\":0}\n") return false;
    EXPECT_TRUE(said.starts_with("unavailable")) << said;
    return true;
  }
  // As above, of a file in one partition.
  static bool OpensIn(TypeKind kind, Transform transform, int64_t value,
                      const std::string& condition) {
    auto field = MakeField(1, "a", kind);
    iceberg::PartitionSpec spec;
    spec.fields = {iceberg::MakePartitionField(field, transform, 1000)};
    auto file = File();
    file.partition = {
        iceberg::EncodeSingleValue(iceberg::ResultType(spec.fields[0], field.type), value)};
    return Opens(field, file, condition, spec);
  }
  static SampleMesh* mesh_;
};
SampleMesh* FilePruningTest::mesh_ = nullptr;

TEST_F(FilePruningTest, ByTheDayOfItsPartition) {
  // 20000 days after 1970: 2024-10-04.
  for (auto kind : {TypeKind::kTimestamp, TypeKind::kTimestampTz, TypeKind::kDate}) {
    auto opens = [&](const std::string& condition) {
      return OpensIn(kind, Transform::kDay, 20'000, condition);
    };
    EXPECT_TRUE(opens("a = '2024-10-04'"));
    EXPECT_TRUE(opens("a >= '2024-10-04'"));
    EXPECT_TRUE(opens("a > '2024-10-03' and a < '2024-10-05'"));
    EXPECT_FALSE(opens("a >= '2024-10-05'"));
    EXPECT_FALSE(opens("a < '2024-10-04'"));
    EXPECT_FALSE(opens("a = '2023-10-04'"));
  }
  EXPECT_TRUE(
      OpensIn(TypeKind::kTimestamp, Transform::kDay, 20'000, "a >= '2024-10-04 23:59:59.999999'"));
}

TEST_F(FilePruningTest, ByTheHourMonthAndYearOfItsPartition) {
  auto hour = [](const std::string& condition) {
    return OpensIn(TypeKind::kTimestampTz, Transform::kHour, 480'001, condition);
  };
  EXPECT_TRUE(hour("a >= '2024-10-04 01:59:59.999999+00'"));
  EXPECT_FALSE(hour("a >= '2024-10-04 02:00:00+00'"));
  EXPECT_TRUE(hour("a <= '2024-10-04 01:00:00+00'"));
  EXPECT_FALSE(hour("a < '2024-10-04 01:00:00+00'"));
  auto month = [](const std::string& condition) {  // 2024-02
    return OpensIn(TypeKind::kDate, Transform::kMonth, 54 * 12 + 1, condition);
  };
  EXPECT_TRUE(month("a = '2024-02-29'"));
  EXPECT_TRUE(month("a = '2024-02-01'"));
  EXPECT_FALSE(month("a = '2024-03-01'"));
  EXPECT_FALSE(month("a = '2024-01-31'"));
  auto year = [](const std::string& condition) {  // 2024
    return OpensIn(TypeKind::kTimestamp, Transform::kYear, 54, condition);
  };
  EXPECT_TRUE(year("a >= '2024-12-31 23:59:59'"));
  EXPECT_FALSE(year("a >= '2025-01-01'"));
  EXPECT_FALSE(year("a < '2024-01-01'"));
}

TEST_F(FilePruningTest, TimesBefore1970AreKeptByEitherWayOfRounding) {
  EXPECT_TRUE(OpensIn(TypeKind::kTimestamp, Transform::kDay, 0, "a < '1970-01-01'"));
  EXPECT_FALSE(OpensIn(TypeKind::kTimestamp, Transform::kDay, 0, "a < '1969-12-31'"));
  EXPECT_TRUE(OpensIn(TypeKind::kTimestamp, Transform::kDay, -10, "a = '1969-12-22 12:00:00'"));
  EXPECT_TRUE(OpensIn(TypeKind::kDate, Transform::kYear, -70, "a = '1900-06-01'"));
  EXPECT_FALSE(OpensIn(TypeKind::kDate, Transform::kYear, -70, "a = '1901-06-01'"));
  // Numbers that are no such period say nothing.
  for (int64_t odd : {int64_t{2'147'483'647}, int64_t{-2'147'483'648}, int64_t{9'000'000}}) {
    EXPECT_TRUE(OpensIn(TypeKind::kTimestamp, Transform::kYear, odd, "a = '2024-10-04'"));
    EXPECT_TRUE(OpensIn(TypeKind::kTimestamp, Transform::kMonth, odd, "a = '2024-10-04'"));
  }
  EXPECT_TRUE(OpensIn(TypeKind::kTimestamp, Transform::kHour, 2'147'483'647, "a = '2024-10-04'"));
}

TEST_F(FilePruningTest, ByBoundsOfEveryKindThatHasThem) {
  auto bounded = [](TypeKind kind, const iceberg::PrimitiveValue& lower,
                    const iceberg::PrimitiveValue& upper) {
    auto file = File();
    auto field = MakeField(1, "a", kind);
    file.lower_bounds[1] = iceberg::EncodeSingleValue(field.type, lower);
    file.upper_bounds[1] = iceberg::EncodeSingleValue(field.type, upper);
    return std::pair(field, file);
  };
  auto [flag, flags] = bounded(TypeKind::kBoolean, false, false);
  EXPECT_TRUE(Opens(flag, flags, "a = true")) << "these have no use";
  EXPECT_TRUE(Opens(flag, flags, "a in (true, false)"));
  auto [time, times] = bounded(TypeKind::kTime, int64_t{3'600'000'000}, int64_t{7'200'000'000});
  EXPECT_FALSE(Opens(time, times, "a > '02:00:00'"));
  EXPECT_TRUE(Opens(time, times, "a = '01:30:00'"));
  EXPECT_FALSE(Opens(time, times, "a < '01:00:00'"));
  for (auto kind : {TypeKind::kFloat, TypeKind::kDouble}) {
    auto [real, reals] = bounded(kind, -1.5, 2.5);
    EXPECT_TRUE(Opens(real, reals, "a > 3")) << "there may be a NaN";
    reals.nan_counts[1] = 1;
    EXPECT_TRUE(Opens(real, reals, "a > 3")) << "there is a NaN";
    reals.nan_counts[1] = 0;
    EXPECT_FALSE(Opens(real, reals, "a > 3"));
    EXPECT_FALSE(Opens(real, reals, "a < -1.5"));
    EXPECT_TRUE(Opens(real, reals, "a >= 2.5"));
    EXPECT_TRUE(Opens(real, reals, "a = 0"));
  }
  // A double's bounds from when it was a float.
  auto [grown, files] = bounded(TypeKind::kFloat, -1.5, 2.5);
  grown.type.kind = TypeKind::kDouble;
  files.nan_counts[1] = 0;
  EXPECT_FALSE(Opens(grown, files, "a > 3"));
  EXPECT_TRUE(Opens(grown, files, "a > 2"));
  // Bounds that are none are no reason to leave anything out.
  for (const char* bytes : {"", "x", "four", "seven..", "more than eight"}) {
    for (auto kind : {TypeKind::kLong, TypeKind::kTime, TypeKind::kTimestamp, TypeKind::kDate,
                      TypeKind::kBoolean}) {
      auto file = File();
      file.lower_bounds[1] = file.upper_bounds[1] = bytes;
      if (std::string(bytes) == "x" && kind == TypeKind::kBoolean) continue;
      if (std::string(bytes) == "four" && kind != TypeKind::kTime && kind != TypeKind::kTimestamp &&
          kind != TypeKind::kBoolean)
        continue;
      EXPECT_TRUE(Opens(MakeField(1, "a", kind), file,
                        kind == TypeKind::kLong      ? "a = 1"
                        : kind == TypeKind::kTime    ? "a = '01:00:00'"
                        : kind == TypeKind::kBoolean ? "a = true"
                                                     : "a = '2024-01-01'"))
          << bytes << static_cast<int>(kind);
    }
  }
}

TEST_F(FilePruningTest, APartitionOfAnotherSpecSaysNothing) {
  auto field = MakeField(1, "a", TypeKind::kDate);
  iceberg::PartitionSpec spec;
  spec.spec_id = 2;
  spec.fields = {iceberg::MakePartitionField(field, Transform::kDay, 1000)};
  auto file = File();
  file.partition = {iceberg::EncodeSingleValue(field.type, int64_t{20'000})};
  file.spec_id = 1;
  EXPECT_TRUE(Opens(field, file, "a = '2020-01-01'", spec));
  file.spec_id = 2;
  EXPECT_FALSE(Opens(field, file, "a = '2020-01-01'", spec));
  file.partition = {std::nullopt};
  EXPECT_TRUE(Opens(field, file, "a = '2020-01-01'", spec));
}

}  // namespace
}  // namespace weft::engine
