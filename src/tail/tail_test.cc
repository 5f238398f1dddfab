// SPDX-License-Identifier: Apache-2.0
#include "tail/tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tail/record_key.h"
#include "tail/testing/ground.h"

namespace weft::tail {
namespace {

using testing::ElementsAre;

std::string Record(int n) { return fmt::format(R"({{"n":{},"name":"name-{}"}})", n, n); }

std::vector<std::string> Records(int first, int count) {
  std::vector<std::string> records;
  for (int n = first; n < first + count; ++n) records.push_back(Record(n));
  return records;
}

class TailTest : public testing::Test {
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
  }
  Result<TailRows> Rows(int64_t from, int64_t bytes_max = 0) {
    return modules_->tail.Rows(feed_, SchemaOf(*modules_, feed_), {{0, from}}, bytes_max);
  }
  void Append(int first, int count) {
    ASSERT_TRUE(AppendRecords(*modules_, feed_, 1, Records(first, count)).ok());
  }
  // The column n of what Rows gives.
  std::vector<std::string> Numbers(int64_t from) {
    auto rows = Rows(from);
    EXPECT_TRUE(rows.ok()) << rows.error().message();
    return rows.ok() ? ColumnOf(rows->slices, "n") : std::vector<std::string>{};
  }

  Ground ground_;
  std::unique_ptr<Modules> modules_;
  Feed feed_;
};

TEST_F(TailTest, ShowsWhatWasAppendedBeforeTheCall) {
  EXPECT_EQ(Rows(0)->rows, 0);
  Append(0, 2);
  auto rows = Rows(0);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows, 2);
  EXPECT_EQ(rows->end, (catalog::Positions{{0, 2}}));
  EXPECT_EQ(rows->bytes, static_cast<int64_t>(Record(0).size() + Record(1).size()));
  EXPECT_THAT(IdsOf(rows->slices), ElementsAre(stream::RecordId(0, {0}), stream::RecordId(0, {1})));
  EXPECT_THAT(ColumnOf(rows->slices, "name"), ElementsAre("name-0", "name-1"));
  Append(2, 1);
  EXPECT_THAT(Numbers(0), ElementsAre("0", "1", "2"));
}

TEST_F(TailTest, CutsInsideOfAChunk) {
  Append(0, 5);
  EXPECT_EQ(Numbers(0).size(), 5u);
  EXPECT_THAT(Numbers(3), ElementsAre("3", "4"));
  EXPECT_THAT(Numbers(5), ElementsAre());
}

TEST_F(TailTest, RecordsOfOtherObjectsAreNoRows) {
  Append(0, 1);
  Feed other = feed_;
  other.object = "lines";
  ASSERT_TRUE(AppendRecords(*modules_, other, 1, {R"({"x":1})", R"({"x":2})"}).ok());
  Append(1, 1);
  ASSERT_TRUE(AppendRecords(*modules_, other, 1, {R"({"x":3})"}).ok());
  auto rows = Rows(0);
  ASSERT_TRUE(rows.ok());
  EXPECT_THAT(ColumnOf(rows->slices, "n"), ElementsAre("0", "1"));
  EXPECT_EQ(rows->end, (catalog::Positions{{0, 5}}));
  EXPECT_THAT(Numbers(1), ElementsAre("1"));
  EXPECT_THAT(Numbers(4), ElementsAre());
}

TEST_F(TailTest, AnHourOfSingleRecordsIsAFewChunks) {
  for (int n = 0; n < 3000; ++n) {
    Append(n, 1);
    if (n % 3 == 0) {
      ASSERT_TRUE(Rows(0).ok());
    }
  }
  auto rows = Rows(0);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows, 3000);
  EXPECT_LE(rows->slices.size(), 16u);
  const auto numbers = ColumnOf(rows->slices, "n");
  for (int n = 0; n < 3000; ++n) ASSERT_EQ(numbers[static_cast<size_t>(n)], std::to_string(n));
  EXPECT_EQ(Numbers(2999).size(), 1u);
}

TEST_F(TailTest, StopsBehindTheBytesAskedFor) {
  Open({.chunk_bytes = 4096});
  for (int n = 0; n < 100; ++n) Append(n * 20, 20);
  auto some = Rows(0, 5000);
  ASSERT_TRUE(some.ok());
  EXPECT_GE(some->bytes, 5000);
  EXPECT_LT(some->rows, 2000);
  EXPECT_EQ(some->end.at(0), some->rows);
  // Taking it in such bites gives everything once.
  int64_t position = 0;
  int expected = 0;
  while (position < 2000) {
    auto bite = Rows(position, 5000);
    ASSERT_TRUE(bite.ok());
    for (const std::string& n : ColumnOf(bite->slices, "n"))
      ASSERT_EQ(n, std::to_string(expected++));
    ASSERT_GT(bite->end.at(0), position);
    position = bite->end.at(0);
  }
  EXPECT_EQ(expected, 2000);
}

TEST_F(TailTest, ReleaseGivesMemoryBackAndRefusesToGoBack) {
  Append(0, 100);
  auto before = Rows(0);
  ASSERT_TRUE(before.ok());
  EXPECT_GT(modules_->tail.bytes(), 0);
  modules_->tail.Release(feed_.table_id, {{0, 100}});
  EXPECT_EQ(modules_->tail.bytes(), 0);
  EXPECT_EQ(Rows(0).error().code(), Code::kConflict);
  EXPECT_THAT(Numbers(100), ElementsAre());
  Append(100, 1);
  EXPECT_THAT(Numbers(100), ElementsAre("100"));
  // Slices stay valid.
  EXPECT_EQ(ColumnOf(before->slices, "n").size(), 100u);
  modules_->tail.Forget(feed_.table_id);
  EXPECT_EQ(modules_->tail.bytes(), 0);
  EXPECT_THAT(Numbers(99), ElementsAre("99", "100"));
}

TEST_F(TailTest, ReleaseAheadOfWhatWasConverted) {
  Append(0, 10);
  EXPECT_EQ(Numbers(0).size(), 10u);
  Append(10, 10);
  modules_->tail.Release(feed_.table_id, {{0, 15}});
  EXPECT_THAT(Numbers(15), ElementsAre("15", "16", "17", "18", "19"));
}

TEST_F(TailTest, AColumnAddedWhileOldRecordsWait) {
  Append(0, 2);
  EXPECT_EQ(Numbers(0).size(), 2u);
  const auto old_schema = SchemaOf(*modules_, feed_);
  const int version = ChangeContract(
      *modules_, feed_,
      MakeContract("orders", {{"n", "int"}, {"name", "string"}, {"colour", "string"}}));
  ASSERT_EQ(version, 2);
  ASSERT_TRUE(AppendRecords(*modules_, feed_, 2, {R"({"n":2,"colour":"red"})"}).ok());
  auto stale = modules_->tail.Rows(feed_, old_schema, {{0, 0}});
  EXPECT_EQ(stale.error().code(), Code::kConflict);
  auto rows = Rows(0);
  ASSERT_TRUE(rows.ok()) << rows.error().message();
  EXPECT_THAT(ColumnOf(rows->slices, "colour"), ElementsAre("null", "null", "red"));
  EXPECT_THAT(ColumnOf(rows->slices, "n"), ElementsAre("0", "1", "2"));
  EXPECT_EQ(modules_->tail.Rows(feed_, old_schema, {{0, 0}}).error().code(), Code::kConflict);
}

TEST_F(TailTest, ARecordThatDoesNotPassIsLeftOutAndCounted) {
  Append(0, 1);
  ASSERT_TRUE(AppendRecords(*modules_, feed_, 1, {R"({"n":"not a number"})", "no json"}).ok());
  ASSERT_TRUE(AppendWithKey(*modules_, feed_, "k", {"{}"}).ok());
  Append(4, 1);
  auto rows = Rows(0);
  ASSERT_TRUE(rows.ok()) << rows.error().message();
  EXPECT_THAT(ColumnOf(rows->slices, "n"), ElementsAre("0", "4"));
  EXPECT_EQ(rows->end.at(0), 5);
  EXPECT_THAT(modules_->metrics.Text(), testing::HasSubstr("weft_tail_records_refused_total 3"));
}

TEST_F(TailTest, RecordsThatAreGoneAreCorruption) {
  Append(0, 10);
  ASSERT_TRUE(modules_->streams.Trim({feed_.stream, 0}, {5}).ok());
  EXPECT_EQ(Rows(3).error().code(), Code::kCorrupt);
  EXPECT_EQ(Rows(11).error().code(), Code::kCorrupt);
  EXPECT_EQ(Numbers(5).size(), 5u);
}

TEST_F(TailTest, PastItsMemoryItRefusesButDeliversOn) {
  Open({.bytes_max = 1 << 12, .bytes_refuse = 1 << 15, .chunk_bytes = 1 << 12});
  std::atomic<int> pressed = 0;
  modules_->tail.OnPressure([&] { ++pressed; });
  for (int n = 0; n < 50; ++n) Append(n * 100, 100);
  auto all = Rows(0);
  EXPECT_EQ(all.error().code(), Code::kUnavailable);
  EXPECT_GT(pressed, 0);
  int64_t position = 0;
  while (position < 5000) {
    auto bite = Rows(position, 10'000);
    ASSERT_TRUE(bite.ok()) << bite.error().message();
    ASSERT_GT(bite->end.at(0), position);
    position = bite->end.at(0);
    modules_->tail.Release(feed_.table_id, bite->end);
  }
  EXPECT_TRUE(Rows(5000).ok());
}

TEST_F(TailTest, ConvertsAheadOnceItFollows) {
  ASSERT_TRUE(modules_->tail.Follow(feed_, SchemaOf(*modules_, feed_), {{0, 0}}).ok());
  Append(0, 10);
  for (int i = 0; i < 500 && modules_->tail.WaitingBytes(feed_.table_id) == 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_GT(modules_->tail.WaitingBytes(feed_.table_id), 0);
  EXPECT_EQ(Numbers(0).size(), 10u);
}

TEST_F(TailTest, AFailedReadIsPassedUpAndTheNextCallGoesOn) {
  modules_->tail.Stop();
  Append(0, 3);
  ground_.log.FailCall(log::LogCall::kRead, 1, {Code::kUnavailable, "no"});
  EXPECT_EQ(Rows(0).error().code(), Code::kUnavailable);
  EXPECT_EQ(Numbers(0).size(), 3u);
}

TEST_F(TailTest, ManyReadersAndAWriterSeeEachRecordOnceAndInOrder) {
  constexpr int kRecords = 2000;
  std::atomic<bool> done = false;
  std::atomic<int64_t> appended = 0;
  const auto schema = SchemaOf(*modules_, feed_);
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      while (!done) {
        const int64_t least = appended;
        auto rows = modules_->tail.Rows(feed_, schema, {{0, 0}});
        ASSERT_TRUE(rows.ok()) << rows.error().message();
        ASSERT_GE(rows->rows, least);
        const auto numbers = ColumnOf(rows->slices, "n");
        for (size_t n = 0; n < numbers.size(); ++n) ASSERT_EQ(numbers[n], std::to_string(n));
      }
    });
  }
  for (int n = 0; n < kRecords; n += 5) {
    Append(n, 5);
    appended = n + 5;
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(Numbers(0).size(), static_cast<size_t>(kRecords));
}

TEST(RecordKey, GoesThereAndBackAndRefusesDamage) {
  const Bytes bytes = EncodeRecordKey({.contract_version = 70000, .object = "orders"});
  auto key = DecodeRecordKey(bytes);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->contract_version, 70000);
  EXPECT_EQ(key->object, "orders");
  for (const Bytes& bad : {Bytes(), Bytes("\x02\x01\x00\x00\x00x", 6), bytes.substr(0, 5),
                           Bytes("\x01\x00\x00\x00\x00x", 6), Bytes("\x01\xff\xff\xff\xffx", 6)}) {
    EXPECT_EQ(DecodeRecordKey(bad).error().code(), Code::kCorrupt);
  }
}

TEST_F(TailTest, FeedsAreKeptAndFound) {
  EXPECT_EQ(modules_->feeds.Find(feed_.table_id)->object, "orders");
  EXPECT_FALSE(modules_->feeds.Find(feed_.table_id + 1).has_value());
  EXPECT_EQ(modules_->feeds.OfProduct(ProductName("orders")).size(), 1u);
  EXPECT_TRUE(modules_->feeds.OfProduct(ProductName("others")).empty());
  Open({});
  EXPECT_EQ(modules_->feeds.All().size(), 1u);
  auto deleted = modules_->database.Transact(
      [&](meta::Transaction& tx) { return modules_->feeds.Delete(tx, feed_.table_id); });
  ASSERT_TRUE(deleted.ok());
  EXPECT_TRUE(modules_->feeds.All().empty());
}

}  // namespace
}  // namespace weft::tail
