// SPDX-License-Identifier: Apache-2.0
// Runs tests/sql/*.test. A block is a line that says what to expect, the statement, a line "----"
// and what comes of it; an empty line ends it, "#" begins a comment between blocks:
//
//   query [ndjson|json|csv]     then exactly these lines
//   error CODE                  then a part of the message; nothing: any
//
// The tables are those of MakeTables, below.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/testing/sample_mesh.h"

namespace weft::engine {
namespace {

using iceberg::TypeKind;
using ::testing::HasSubstr;
using testing::MakeField;
using testing::SampleMesh;
using ::testing::StartsWith;

struct Block {
  std::string expectation;  // "query csv"
  std::string sql;
  std::string outcome;
  int line = 0;
};

std::vector<Block> ReadBlocks(const std::string& path) {
  std::vector<Block> blocks;
  std::ifstream file(path);
  Block block;
  bool past = false;
  int number = 0;
  auto finish = [&] {
    if (!block.expectation.empty()) blocks.push_back(block);
    block = Block();
    past = false;
  };
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty()) {
      finish();
    } else if (block.expectation.empty()) {
      if (line[0] == '#') continue;
      block.expectation = line;
      block.line = number;
    } else if (!past && line == "----") {
      past = true;
    } else {
      (past ? block.outcome : block.sql) += line + "\n";
    }
  }
  finish();
  return blocks;
}

void Add(SampleMesh& mesh, const RelationSource::Name& name, std::vector<iceberg::Field> fields,
         const std::string& in_file, const std::string& in_tail, size_t hidden) {
  iceberg::Schema schema;
  schema.fields = fields;
  Relation relation;
  if (!in_file.empty()) {
    auto rows = testing::Rows(fields, in_file);
    auto files = mesh.Write(schema, {}, {{rows, 0, rows->rows()}}, name.first + name.second);
    ASSERT_TRUE(files.ok()) << files.error().message();
    relation.files = std::make_shared<const std::vector<iceberg::DataFile>>(*files);
  }
  if (!in_tail.empty()) {
    auto rows = testing::Rows(fields, in_tail);
    relation.tail = {{rows, 0, rows->rows()}};
  }
  auto cut = fields.end() - static_cast<std::ptrdiff_t>(hidden);
  relation.columns.assign(fields.begin(), cut);
  relation.hidden.assign(cut, fields.end());
  mesh.relations.all[name] = relation;
}

// sales.orders(order_id, country, total, day, n), with _id and _arrival hidden: four rows in a
// file, two in the tail. crm.customers(code, name): in the tail. crm.orders(order_id): empty.
void MakeTables(SampleMesh& mesh) {
  auto total = MakeField(3, "total", TypeKind::kDecimal);
  total.type.precision = 12;
  total.type.scale = 2;
  Add(mesh, {"sales", "orders"},
      {MakeField(1, "order_id", TypeKind::kString), MakeField(2, "country", TypeKind::kString),
       total, MakeField(4, "day", TypeKind::kDate), MakeField(5, "n", TypeKind::kLong),
       MakeField(90, "_id", TypeKind::kString), MakeField(91, "_arrival", TypeKind::kTimestampTz)},
      "a1,CH,150,20000,1,id1,1000000\na2,DE,250,20001,2,id2,2000000\n"
      "b1,CH,1050,20100,11,id3,3000000\nb2,,,,,id4,4000000\n",
      "t1,FR,10000,20200,21,id5,5000000\nt2,CH,20000,20201,22,id6,6000000\n", 2);
  Add(mesh, {"crm", "customers"},
      {MakeField(1, "code", TypeKind::kString), MakeField(2, "name", TypeKind::kString)}, "",
      "CH,Zora\nDE,Emil\nIT,Ada\n", 0);
  Add(mesh, {"crm", "orders"}, {MakeField(1, "order_id", TypeKind::kString)}, "", "", 0);
}

class SqlTextTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    mesh_ = new SampleMesh({.workers = 1});
    MakeTables(*mesh_);
  }
  static void TearDownTestSuite() { delete mesh_; }

  static void Check(const Block& block) {
    std::istringstream words(block.expectation);
    std::string kind, argument;
    words >> kind >> argument;
    if (kind == "error") {
      ASSERT_FALSE(argument.empty()) << "an error has a code";
      auto said = mesh_->Ask(block.sql);
      EXPECT_THAT(said, StartsWith(argument + ": "));
      auto part = block.outcome.substr(0, block.outcome.find_last_not_of('\n') + 1);
      EXPECT_THAT(said, HasSubstr(part));
      return;
    }
    ASSERT_EQ(kind, "query");
    auto format = argument == "csv"    ? ResultFormat::kCsv
                  : argument == "json" ? ResultFormat::kJson
                                       : ResultFormat::kNdjson;
    auto text = mesh_->Ask(block.sql, format);
    std::erase(text, '\r');
    EXPECT_EQ(text, block.outcome);
  }
  static SampleMesh* mesh_;
};
SampleMesh* SqlTextTest::mesh_ = nullptr;

TEST_P(SqlTextTest, SaysWhatTheFileSays) {
  auto blocks = ReadBlocks(GetParam());
  ASSERT_FALSE(blocks.empty()) << GetParam();
  for (const auto& block : blocks) {
    SCOPED_TRACE(GetParam() + ":" + std::to_string(block.line) + "\n" + block.sql);
    Check(block);
  }
}

std::vector<std::string> Paths() {
  std::vector<std::string> paths;
  std::error_code problem;
  for (const auto& entry :
       std::filesystem::directory_iterator(WEFT_SOURCE_DIR "/tests/sql", problem)) {
    if (entry.path().extension() == ".test") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string Stem(const ::testing::TestParamInfo<std::string>& file) {
  return std::filesystem::path(file.param).stem().string();
}

INSTANTIATE_TEST_SUITE_P(Files, SqlTextTest, ::testing::ValuesIn(Paths()), Stem);

}  // namespace
}  // namespace weft::engine
