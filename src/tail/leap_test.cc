// SPDX-License-Identifier: Apache-2.0
// What several threads make of a long stretch of the log is what one would.
#include <gtest/gtest.h>

#include "tail/tail.h"
#include "tail/testing/ground.h"

namespace weft::tail {
namespace {

constexpr int kRecords = 4'000;
constexpr Tail::Options kSmall{.chunk_bytes = 1 << 14};

class LeapTest : public testing::Test {
 protected:
  // Records of the table and of another object, small ones and then some that are far larger than
  // the average; `rows_` are the table's offsets.
  void SetUp() override {
    Open();
    feed_ =
        MakeProduct(*modules_, "orders", MakeContract("orders", {{"n", "int"}, {"name", "string"}}))
            .front();
    Feed other = feed_;
    other.object = "lines";
    for (int64_t offset = 0; offset < kRecords; offset += 20) {
      std::vector<std::string> records;
      for (int64_t n = offset; n < offset + 20; ++n) {
        const auto length = static_cast<size_t>(n > 3'000 && n % 50 == 0 ? 20'000 : n * n % 60);
        records.push_back(fmt::format(R"({{"n":{},"name":"{}"}})", n, std::string(length, 'x')));
      }
      const bool ours = offset / 20 % 7 != 3;
      for (int64_t n = offset; ours && n < offset + 20; ++n) rows_.push_back(n);
      ASSERT_TRUE(AppendRecords(*modules_, ours ? feed_ : other, 1, records).ok());
    }
  }
  void Open(const Tail::Options& options = kSmall) {
    modules_.reset();
    modules_ = std::make_unique<Modules>(ground_, options);
    modules_->tail.Stop();
  }
  Result<TailRows> Rows(int64_t from, int64_t bytes_max = 0) {
    return modules_->tail.Rows(feed_, SchemaOf(*modules_, feed_), {{0, from}}, bytes_max);
  }
  // That `rows` are those of the records from `from` to `end`.
  void Expect(const Result<TailRows>& rows, int64_t from, int64_t end) {
    ASSERT_TRUE(rows.ok()) << rows.error().message();
    EXPECT_EQ(rows->end.at(0), end);
    std::vector<std::string> ids, numbers;
    for (int64_t row : rows_) {
      if (row < from || row >= end) continue;
      ids.push_back(stream::RecordId(0, {row}));
      numbers.push_back(std::to_string(row));
    }
    EXPECT_EQ(IdsOf(rows->slices), ids);
    EXPECT_EQ(ColumnOf(rows->slices, "n"), numbers);
  }

  Ground ground_;
  std::unique_ptr<Modules> modules_;
  Feed feed_;
  std::vector<int64_t> rows_;
};

TEST_F(LeapTest, AfterARestartEachRecordIsARowOnceAndInOrder) {
  Open();
  Expect(Rows(0), 0, kRecords);
  for (int64_t from : {1, 59, 60, 79, 81, 1'999, 3'500, 3'999}) Expect(Rows(from), from, kRecords);
  const auto rows = Rows(0);
  for (const auto& slice : rows->slices) EXPECT_LT(slice.chunk->bytes(), 1 << 16);
}

TEST_F(LeapTest, FromTheMiddleItBeginsThere) {
  Open();
  Expect(Rows(1'234), 1'234, kRecords);
}

TEST_F(LeapTest, InBitesItGivesEverythingOnce) {
  Open();
  for (int64_t position = 0; position < kRecords;) {
    auto bite = Rows(position, 30'000);
    ASSERT_TRUE(bite.ok()) << bite.error().message();
    const int64_t end = bite->end.at(0);
    ASSERT_GT(end, position);
    Expect(bite, position, end);
    EXPECT_LT(bite->bytes, 30'000 + 2 * kSmall.chunk_bytes + 20'000);
    modules_->tail.Release(feed_.table_id, bite->end);
    position = end;
  }
}

TEST_F(LeapTest, AFailureLosesAndDoublesNothing) {
  for (int nth = 1; nth < 12; ++nth) {
    Open();
    ground_.log.FailCall(log::LogCall::kRead, nth, {Code::kUnavailable, "no"});
    auto rows = Rows(0);
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.error().code(), Code::kUnavailable);
    Expect(Rows(0), 0, kRecords);
  }
}

TEST_F(LeapTest, MemoryBoundsWhatAQueryMakesOfIt) {
  Open({.bytes_max = 1 << 15, .bytes_refuse = 1 << 16, .chunk_bytes = 1 << 13});
  EXPECT_EQ(Rows(0).error().code(), Code::kUnavailable);
  EXPECT_LT(modules_->tail.bytes(), 1 << 18);
}

}  // namespace
}  // namespace weft::tail
