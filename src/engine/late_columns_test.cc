// SPDX-License-Identifier: Apache-2.0
// Of a few chosen rows the other columns are fetched at the end: from the very rows that were
// chosen, whichever files each of the two scans left out.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing/sample_mesh.h"

namespace weft::engine {
namespace {

using iceberg::TypeKind;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing::MakeField;
using ::testing::Not;
using testing::SampleMesh;
using ::testing::StartsWith;

constexpr int64_t kRowsOfEach = 3'000;

class LateColumnsTest : public ::testing::Test {
 protected:
  // s.t: three files, each of other n, and two pieces of a tail; k is unique and in no order.
  static void SetUpTestSuite() {
    mesh_ = new SampleMesh();
    iceberg::Schema schema;
    schema.fields = {
        MakeField(1, "n", TypeKind::kLong),      MakeField(2, "k", TypeKind::kLong),
        MakeField(3, "few", TypeKind::kString),  MakeField(4, "many", TypeKind::kString),
        MakeField(5, "part", TypeKind::kDouble), MakeField(90, "_id", TypeKind::kString)};
    Relation relation;
    relation.columns = {schema.fields.begin(), schema.fields.end() - 1};
    relation.hidden = {schema.fields.back()};
    auto files = std::make_shared<std::vector<iceberg::DataFile>>();
    for (int64_t part = 0; part < 5; ++part) {
      std::string csv;
      for (int64_t n = part * kRowsOfEach; n < (part + 1) * kRowsOfEach; ++n) {
        csv += fmt::format("{},{},{},m{},{},id{}\n", n, n * 7'919 % (5 * kRowsOfEach),
                           n % 4 == 1 ? "" : fmt::format("f{}", n % 5), n, n / 2, n);
      }
      const auto rows = testing::Rows(schema.fields, csv);
      if (part >= 3) {
        relation.tail.push_back({rows, 0, rows->rows()});
        continue;
      }
      auto made = mesh_->Write(schema, {}, {{rows, 0, rows->rows()}}, fmt::format("f{}", part));
      ASSERT_TRUE(made.ok()) << made.error().message();
      files->insert(files->end(), made->begin(), made->end());
    }
    relation.files = files;
    mesh_->relations.all[{"s", "t"}] = relation;
    relation.files = nullptr;
    mesh_->relations.all[{"s", "late"}] = relation;
  }
  static void TearDownTestSuite() {
    delete mesh_;
    mesh_ = nullptr;
  }
  // The lines of `text` from `first` on, `count` of them.
  static std::string Lines(const std::string& text, int first, int count) {
    size_t at = 0;
    for (; first > 0; --first) at = text.find('\n', at) + 1;
    size_t end = at;
    for (; count > 0; --count) end = text.find('\n', end) + 1;
    return text.substr(at, end - at);
  }
  static SampleMesh* mesh_;
};
SampleMesh* LateColumnsTest::mesh_ = nullptr;

TEST_F(LateColumnsTest, TheFirstOfAllAreThoseOfTheWholeResult) {
  for (const std::string sql :
       {"select * from s.t order by k", "select * from s.t order by k desc",
        "select _id, * from s.t order by k", "select many, part from s.t order by k",
        "select * from s.t where n >= 5000 order by k",
        "select * from s.t where n between 4000 and 10000 order by k desc",
        "select * from s.t where n > 10000 order by k", "select * from s.t where n < 2 order by k",
        "select * from s.t where few = 'f3' order by k",
        "select * from s.t where few is null and n % 3 = 0 order by k",
        "select upper(many) u, n + 1 m, few from s.t order by k", "select * from s.late order by k",
        "select * from s.late where few = 'f2' order by k",
        "select a.*, b.many as other from s.t a join s.t b on a.n = b.k order by a.k",
        "select * from (select * from s.t where n > 2500 union all from s.late) order by k, n, "
        "part",
        "from s.t"}) {
    const auto all = mesh_->Ask(sql);
    ASSERT_THAT(all, StartsWith("{")) << sql;
    const auto rows = static_cast<int>(std::count(all.begin(), all.end(), '\n'));
    for (auto [first, count] : {std::pair(0, 1), {0, 7}, {3, 5}, {1'900, 40}}) {
      const auto some = mesh_->Ask(fmt::format("{} limit {} offset {}", sql, count, first));
      const int begin = std::min(first, rows);
      EXPECT_EQ(some, Lines(all, begin, std::min(count, rows - begin))) << sql << first;
    }
  }
}

TEST_F(LateColumnsTest, TheyAreFetchedLate) {
  EXPECT_THAT(mesh_->Ask("explain select * from s.t order by k limit 5"), HasSubstr("SEMI"));
}

TEST_F(LateColumnsTest, WhatTellsRowsApartCannotBeNamed) {
  for (const char* name : {"row_file", "row_number", "file_row_number", "file_index", "rowid"}) {
    const auto said = mesh_->Ask(fmt::format("select {} from s.t limit 1", name));
    EXPECT_THAT(said, StartsWith("invalid")) << name;
    EXPECT_THAT(said.substr(0, said.find("\n\nLINE")),
                Not(ContainsRegex("bindings:.*(row_|file_)")))
        << said;
    EXPECT_THAT(mesh_->Ask(fmt::format("select * from s.t where \"{}\" = 1", name)),
                StartsWith("invalid"));
  }
}

}  // namespace
}  // namespace weft::engine
