// SPDX-License-Identifier: Apache-2.0
// Rows that were made before the log had their records. Those of these tests say "drafted" where
// the log says something else, so that it shows which of the two was taken.
#include "tail/draft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tail/shard_columns.h"
#include "tail/table_columns.h"
#include "tail/tail.h"
#include "tail/testing/ground.h"

namespace weft::tail {
namespace {

using testing::ElementsAre;

class DraftTest : public testing::Test {
 protected:
  void SetUp() override { Open({}); }
  void Open(const Tail::Options& options) {
    modules_.reset();
    modules_ = std::make_unique<Modules>(ground_, options);
    if (feed_.table_id == 0) {
      feed_ = MakeProduct(*modules_, "orders",
                          MakeContract("orders", {{"n", "int"}, {"name", "string"}}))
                  .front();
    }
    Follow();
  }
  void Follow() {
    ASSERT_TRUE(modules_->tail.Follow(feed_, SchemaOf(*modules_, feed_), {{0, 0}}).ok());
  }
  int64_t Append(int first, int count) {
    std::vector<std::string> records;
    for (int n = first; n < first + count; ++n) {
      records.push_back(fmt::format(R"({{"n":{},"name":"logged-{}"}})", n, n));
    }
    auto at = AppendRecords(*modules_, feed_, 1, records);
    EXPECT_TRUE(at.ok());
    return at.ok() ? *at : -1;
  }
  std::unique_ptr<Draft> Begin(int first, int count) {
    auto draft = modules_->tail.Begin(feed_.stream, feed_.object, 30 * count);
    if (draft == nullptr) return nullptr;
    for (int n = first; n < first + count; ++n) {
      draft->rows().column(0).AppendInteger(n);
      draft->rows().column(1).AppendBytes("drafted-" + std::to_string(n));
      draft->rows().FinishRow();
    }
    return draft;
  }
  void Offer(std::unique_ptr<Draft> draft, int64_t first) {
    modules_->tail.Offer(std::move(draft), 0, {.first = {first}, .arrival = Timestamp{}}, 100);
  }
  void AppendDrafted(int first, int count) {
    auto draft = Begin(first, count);
    ASSERT_NE(draft, nullptr);
    Offer(std::move(draft), Append(first, count));
  }
  std::vector<std::string> Names(int64_t from = 0) {
    auto rows = modules_->tail.Rows(feed_, SchemaOf(*modules_, feed_), {{0, from}});
    EXPECT_TRUE(rows.ok()) << rows.error().message();
    return rows.ok() ? ColumnOf(rows->slices, "name") : std::vector<std::string>{};
  }

  Ground ground_;
  std::unique_ptr<Modules> modules_;
  Feed feed_;
};

TEST_F(DraftTest, IsTakenForItsRecords) {
  modules_->tail.Stop();  // so that only what is asked for is converted
  AppendDrafted(0, 2);
  AppendDrafted(2, 1);
  auto rows = modules_->tail.Rows(feed_, SchemaOf(*modules_, feed_), {{0, 0}});
  ASSERT_TRUE(rows.ok());
  EXPECT_THAT(ColumnOf(rows->slices, "name"), ElementsAre("drafted-0", "drafted-1", "drafted-2"));
  EXPECT_THAT(IdsOf(rows->slices), ElementsAre(stream::RecordId(0, {0}), stream::RecordId(0, {1}),
                                               stream::RecordId(0, {2})));
  EXPECT_THAT(ColumnOf(rows->slices, "_arrival"), ElementsAre("0", "0", "0"));
  EXPECT_EQ(rows->bytes, 200);
  EXPECT_EQ(rows->end, (catalog::Positions{{0, 3}}));
}

TEST_F(DraftTest, CountsItsIdsOverEveryDigit) {
  modules_->tail.Stop();
  Append(0, 95);
  AppendDrafted(95, 10);
  auto rows = modules_->tail.Rows(feed_, SchemaOf(*modules_, feed_), {{0, 0}});
  ASSERT_TRUE(rows.ok());
  const auto ids = IdsOf(rows->slices);
  ASSERT_EQ(ids.size(), 105u);
  for (int64_t n = 0; n < 105; ++n)
    EXPECT_EQ(ids[static_cast<size_t>(n)], stream::RecordId(0, {n}));
}

TEST_F(DraftTest, WhatLiesBetweenComesFromTheLog) {
  modules_->tail.Stop();
  Append(0, 1);
  AppendDrafted(1, 1);
  Append(2, 2);
  AppendDrafted(4, 1);
  Append(5, 1);
  EXPECT_THAT(Names(), ElementsAre("logged-0", "drafted-1", "logged-2", "logged-3", "drafted-4",
                                   "logged-5"));
  EXPECT_THAT(Names(4), ElementsAre("drafted-4", "logged-5"));
}

TEST_F(DraftTest, IsDroppedWhenItsRecordsWereReadAlready) {
  modules_->tail.Stop();
  auto late = Begin(0, 2);
  Append(0, 2);
  EXPECT_THAT(Names(), ElementsAre("logged-0", "logged-1"));
  const int64_t before = modules_->tail.bytes();
  Offer(std::move(late), 0);
  AppendDrafted(2, 1);
  EXPECT_THAT(Names(), ElementsAre("logged-0", "logged-1", "drafted-2"));
  EXPECT_LT(modules_->tail.bytes(), before + 4096);
}

TEST_F(DraftTest, IsDroppedWhenTheSchemaChanged) {
  modules_->tail.Stop();
  auto old = Begin(0, 1);
  AppendDrafted(0, 1);
  AppendDrafted(1, 1);
  ChangeContract(*modules_, feed_,
                 MakeContract("orders", {{"n", "int"}, {"name", "string"}, {"c", "string"}}));
  Follow();
  Offer(std::move(old), 0);
  EXPECT_THAT(Names(), ElementsAre("logged-0", "logged-1"));
  Append(2, 1);
  EXPECT_THAT(Names(), ElementsAre("logged-0", "logged-1", "logged-2"));
}

TEST_F(DraftTest, IsGivenOnlyWhereTheTableIsFollowed) {
  EXPECT_EQ(modules_->tail.Begin(feed_.stream, "another", 10), nullptr);
  EXPECT_EQ(modules_->tail.Begin(stream::StreamName("another"), feed_.object, 10), nullptr);
  auto draft = Begin(0, 1);
  ASSERT_NE(draft, nullptr);
  modules_->tail.Forget(feed_.table_id);
  EXPECT_EQ(modules_->tail.Begin(feed_.stream, feed_.object, 10), nullptr);
  Offer(std::move(draft), Append(0, 1));
  EXPECT_EQ(modules_->tail.bytes(), 0);
  Follow();
  EXPECT_THAT(Names(), ElementsAre("logged-0"));
}

TEST_F(DraftTest, CountsAgainstTheMemoryAndOutlivesTheTail) {
  Open({.bytes_max = 1000});
  std::atomic<int> pressed = 0;
  modules_->tail.OnPressure([&] { ++pressed; });
  auto draft = Begin(0, 20);
  ASSERT_NE(draft, nullptr);
  EXPECT_GE(modules_->tail.bytes(), 600);
  EXPECT_EQ(Begin(20, 20), nullptr);
  for (int i = 0; i < 500 && pressed == 0; ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_GT(pressed, 0);
  EXPECT_TRUE(draft->Fits());
  for (int n = 0; n < 20'000; ++n) {
    for (size_t column = 0; column < 4; ++column) draft->rows().column(column).AppendNull();
    draft->rows().FinishRow();
  }
  draft->rows().column(1).AppendBytes(std::string(1 << 20, 'x'));
  EXPECT_FALSE(draft->Fits());
  modules_.reset();
  draft.reset();
}

TEST_F(DraftTest, TakenWhileReadersAskLosesAndDoublesNothing) {
  constexpr int kRecords = 3000;
  std::atomic<bool> done = false;
  std::atomic<int64_t> appended = 0;
  const auto schema = SchemaOf(*modules_, feed_);
  std::thread reader([&] {
    while (!done) {
      const int64_t least = appended;
      auto rows = modules_->tail.Rows(feed_, schema, {{0, 0}});
      ASSERT_TRUE(rows.ok()) << rows.error().message();
      ASSERT_GE(rows->rows, least);
      const auto numbers = ColumnOf(rows->slices, "n");
      for (size_t n = 0; n < numbers.size(); ++n) ASSERT_EQ(numbers[n], std::to_string(n));
    }
  });
  for (int n = 0; n < kRecords; n += 10) {
    if (n % 30 == 0) {
      Append(n, 10);
    } else {
      AppendDrafted(n, 10);
    }
    appended = n + 10;
  }
  done = true;
  reader.join();
  EXPECT_EQ(Names().size(), static_cast<size_t>(kRecords));
}

// A record is durable before whoever made its row is told so.
TEST_F(DraftTest, IsWaitedForBeforeTheLogIsRead) {
  modules_->tail.Stop();
  auto& refused = modules_->metrics.AddCounter("refused_here", "For this test.");
  TableColumns columns(feed_, {},
                       {.streams = modules_->streams,
                        .contracts = modules_->contracts,
                        .refused = refused,
                        .bytes = std::make_shared<std::atomic<int64_t>>(0)});
  const auto schema = SchemaOf(*modules_, feed_);
  ASSERT_TRUE(columns.Follow(schema, {{0, 0}}).ok());
  auto ahead = [&](bool due) {
    auto any = columns.Ahead({.convert = true, .lazily = false, .due = due});
    return any.ok() && *any;
  };
  auto names = [&] {
    auto rows = columns.Rows(schema, {{0, 0}}, 0);
    return rows.ok() ? ColumnOf(rows->slices, "name") : std::vector<std::string>{};
  };
  auto draft = columns.Begin(100);
  ASSERT_NE(draft, nullptr);
  draft->rows().column(0).AppendInteger(0);
  draft->rows().column(1).AppendBytes("drafted-0");
  draft->rows().FinishRow();
  Append(0, 1);
  EXPECT_FALSE(ahead(true));
  EXPECT_FALSE(ahead(false));
  EXPECT_FALSE(ahead(false));
  draft->Place(0, 0, 0, 100);
  columns.Offer(std::move(draft));
  EXPECT_TRUE(ahead(false));
  EXPECT_THAT(names(), ElementsAre("drafted-0"));
  // There is none: the log is read after a while.
  Append(1, 1);
  EXPECT_FALSE(ahead(true));
  EXPECT_FALSE(ahead(false));
  EXPECT_TRUE(ahead(true));
  EXPECT_FALSE(ahead(true));
  EXPECT_THAT(names(), ElementsAre("drafted-0", "logged-1"));
}

// A record may be no row, or several: as many rows as records does not mean one each.
TEST(ShardColumns, KnowWhichRecordARowIsOf) {
  auto schema = std::make_shared<iceberg::Schema>();
  schema->fields.emplace_back();
  schema->fields[0].name = "n";
  schema->fields[0].type.kind = iceberg::TypeKind::kLong;
  auto piece = iceberg::ColumnBuilder::Make(schema);
  ShardColumns columns(10);
  auto add = [&](int64_t rows, int64_t end, const std::vector<int64_t>& offsets) {
    piece->Clear();
    for (int64_t row = 0; row < rows; ++row) {
      piece->column(0).AppendInteger(row);
      piece->FinishRow();
    }
    columns.Append(schema, piece->Views(), end, offsets, rows);
  };
  auto rows_from = [&](int64_t from) {
    std::vector<engine::ColumnSlice> slices;
    int64_t rows = 0, bytes = 0;
    EXPECT_EQ(columns.Collect(from, 0, slices, rows, bytes), columns.end());
    return rows;
  };
  add(2, 12, {});        // 10, 11
  add(2, 14, {12, 12});  // two of 12, none of 13
  add(0, 16, {});        // none
  add(2, 18, {});        // 16, 17
  ASSERT_TRUE(columns.Close().ok());
  EXPECT_EQ(columns.end(), 18);
  EXPECT_EQ(columns.record_bytes(), 6);
  EXPECT_EQ(rows_from(10), 6);
  EXPECT_EQ(rows_from(11), 5);
  EXPECT_EQ(rows_from(12), 4);
  EXPECT_EQ(rows_from(13), 2);
  EXPECT_EQ(rows_from(17), 1);
  add(6, 24, {18, 19, 20, 21, 22, 23});
  ASSERT_TRUE(columns.Close().ok());
  EXPECT_EQ(columns.MergeCount(1 << 20), 2u);
  ASSERT_TRUE(columns.MergeLast(2, *iceberg::ColumnBuilder::Make(schema)).ok());
  EXPECT_EQ(rows_from(13), 8);
  EXPECT_EQ(rows_from(23), 1);
  add(1, 25, {});
  columns.Release(30);
  EXPECT_EQ(columns.bytes(), 0);
  EXPECT_EQ(columns.record_bytes(), 0);
  EXPECT_EQ(columns.end(), 30);
}

}  // namespace
}  // namespace weft::tail
