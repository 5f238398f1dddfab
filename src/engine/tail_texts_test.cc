// SPDX-License-Identifier: Apache-2.0
// What the tail gives of texts, few or many different ones, is what a file of the same rows gives.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/testing/sample_mesh.h"
#include "engine/text_words_internal.h"

namespace weft::engine {
namespace {

using iceberg::TypeKind;
using testing::MakeField;
using testing::SampleMesh;

constexpr int64_t kRows = 9'000;

// Of every length about what is kept in place, and such that differ only where that ends.
std::string Few(int64_t row) {
  static const std::vector<std::string> kTexts = {
      "",
      "a",
      std::string("a\0", 2),
      "12345678",
      "123456789",
      "0123456789ab",
      "0123456789abc",
      "0123456789abcdef",
      "0123456789abcdefX",
      "0123456789abcdefY",
      std::string(100, 'z'),
      "\xc3\xa4\xe2\x82\xac",
  };
  return kTexts[static_cast<size_t>(row * row + row / 7) % kTexts.size()];
}

// New ones, and the first null (""), long after the beginning.
std::string Late(int64_t row) {
  if (row > 7'000 && row % 3 == 0) return "";
  return row < 4'000 ? "early" : "late " + std::to_string(row % 5);
}

// Too many from some row on.
std::string Many(int64_t row) {
  return row < 3'000 ? "same" : "text number " + std::to_string(row / 2);
}

std::string Hex(const std::string& text) {
  std::string hex;
  for (char c : text) hex += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return hex;
}

std::string About(std::string sql, const std::string& column) {
  for (size_t at = sql.find('@'); at != std::string::npos; at = sql.find('@', at)) {
    sql.replace(at, 1, column);
  }
  return sql;
}

std::shared_ptr<const iceberg::ColumnChunk> MakeRows(const std::vector<iceberg::Field>& fields) {
  auto schema = std::make_shared<iceberg::Schema>();
  schema->fields = fields;
  auto builder = iceberg::ColumnBuilder::Make(schema);
  for (int64_t row = 0; row < kRows; ++row) {
    builder->column(0).AppendInteger(row);
    if (row % 13 == 5) {
      builder->column(1).AppendNull();
    } else {
      builder->column(1).AppendBytes(Few(row));
    }
    if (Late(row).empty()) {
      builder->column(2).AppendNull();
    } else {
      builder->column(2).AppendBytes(Late(row));
    }
    builder->column(3).AppendBytes(Many(row));
    builder->FinishRow();
  }
  auto chunk = builder->Seal();
  EXPECT_TRUE(chunk.ok());
  return *chunk;
}

class TailTextsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    mesh_ = new SampleMesh();
    const std::vector<iceberg::Field> fields = {
        MakeField(1, "n", TypeKind::kLong), MakeField(2, "few", TypeKind::kString),
        MakeField(3, "late", TypeKind::kString), MakeField(4, "many", TypeKind::kString)};
    iceberg::Schema schema;
    schema.fields = fields;
    const auto rows = MakeRows(fields);
    // Not from where an octet of the map of nulls begins, and once from there.
    const std::vector<ColumnSlice> slices = {
        {rows, 3, 4'100}, {rows, 4'104, 6'001}, {rows, 6'001, kRows}};
    auto files = mesh_->Write(schema, {}, slices, "same");
    ASSERT_TRUE(files.ok()) << files.error().message();
    Relation file, tail;
    file.columns = tail.columns = fields;
    file.files = std::make_shared<const std::vector<iceberg::DataFile>>(*files);
    tail.tail = slices;
    mesh_->relations.all[{"texts", "file"}] = file;
    mesh_->relations.all[{"texts", "tail"}] = tail;
  }
  static void TearDownTestSuite() {
    delete mesh_;
    mesh_ = nullptr;
  }
  static std::string Ask(const std::string& sql, const std::string& table) {
    auto text = sql;
    text.replace(text.find('$'), 1, "texts." + table);
    return mesh_->Ask(text);
  }
  static SampleMesh* mesh_;
};
SampleMesh* TailTextsTest::mesh_ = nullptr;

TEST_F(TailTextsTest, EveryValueIsWhatWasAppended) {
  std::string expected;
  for (int64_t row = 3; row < kRows; ++row) {
    if (row >= 4'100 && row < 4'104) continue;
    expected += fmt::format(R"({{"n":{},"few":{},"late":{},"many":"{}"}})", row,
                            row % 13 == 5 ? "null" : "\"" + Hex(Few(row)) + "\"",
                            Late(row).empty() ? "null" : "\"" + Late(row) + "\"", Many(row));
    expected += '\n';
  }
  const std::string sql = "select n, hex(few) few, late, many from $ order by n";
  EXPECT_EQ(Ask(sql, "tail"), expected);
  EXPECT_EQ(Ask(sql, "file"), expected);
}

TEST_F(TailTextsTest, WhatIsComputedOfThemIsTheFiles) {
  for (const std::string column : {"few", "late", "many"}) {
    for (const char* sql :
         {"select @ t, count(*) c, sum(n) s from $ group by 1 order by 1 nulls last",
          "select @ t, late, count(*) c from $ group by all order by all",
          "select count(distinct @) d, min(@) l, max(@) h, count(@) c from $",
          "select upper(@) t, count(*) c, sum(length(@)) s from $ group by 1 order by 1",
          "select n from $ where @ = '0123456789abcdefX' order by n",
          "select n from $ where @ > 'late 2' order by n",
          "select n from $ where @ is null order by n",
          "select n from $ where @ in ('', 'a', 'early', 'text number 2000') order by n",
          "select n, @ from $ where n % 17 = 3 and @ like '%2%' order by n",
          "select n, @ from $ order by @ desc nulls first, n limit 50"}) {
      const auto text = About(sql, column);
      const auto tail = Ask(text, "tail");
      EXPECT_EQ(tail, Ask(text, "file")) << text;
      EXPECT_EQ(tail.find("invalid"), std::string::npos) << tail;
    }
  }
}

TEST_F(TailTextsTest, EachTextIsCountedOnce) {
  EXPECT_EQ(Ask("select count(distinct few) d, count(distinct late) l from $", "tail"),
            "{\"d\":12,\"l\":6}\n");
  EXPECT_EQ(Ask("select count(*) c from $ where few = 'a'", "tail"),
            Ask("select count(*) c from $ where few = 'a'", "file"));
}

TEST(TextColumn, ReadsNothingBehindTheLastText) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* memory =
      ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* end = static_cast<uint8_t*>(memory) + page;
  ASSERT_EQ(::mprotect(end, page, PROT_NONE), 0);
  const std::vector<std::string> texts = {"0123456789abcdefg", "0123456789ab", "xy", "", "z"};
  std::vector<int32_t> offsets = {0};
  std::string all;
  for (const auto& text : texts) offsets.push_back(static_cast<int32_t>((all += text).size()));
  std::memcpy(end - all.size(), all.data(), all.size());
  iceberg::ColumnView view;
  view.length = static_cast<int64_t>(texts.size());
  view.offsets = offsets.data();
  view.values = end - all.size();
  const TextColumn column(view);
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(column.At(static_cast<int64_t>(i)).string().GetString(), texts[i]);
  }
  ::munmap(memory, 2 * page);
}

}  // namespace
}  // namespace weft::engine
