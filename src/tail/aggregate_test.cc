// SPDX-License-Identifier: Apache-2.0
// Records of the log that hold several rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/kpl.h"
#include "stream/record_head.h"
#include "tail/record_key.h"
#include "tail/tail.h"
#include "tail/testing/ground.h"

namespace weft::tail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AggregateTest : public testing::Test {
 protected:
  void SetUp() override {
    modules_ = std::make_unique<Modules>(ground_);
    feed_ = MakeProduct(*modules_, "orders", MakeContract("orders", {{"n", "int"}})).front();
  }

  // Appends one record that holds the numbers; those below 0 are in quarantine.
  void Append(const std::vector<int>& numbers) {
    std::vector<std::string> datas;
    std::vector<bool> taken;
    for (int n : numbers) {
      datas.push_back(fmt::format(R"({{"n":{}}})", n));
      taken.push_back(n >= 0);
    }
    std::vector<codec::UserRecord> users;
    for (const auto& data : datas) users.push_back({"k", "", data});
    AppendAs(taken, codec::MakeAggregate(users));
  }
  void AppendAs(const std::vector<bool>& taken, const std::string& value) {
    const Bytes rest = EncodeRecordKey({1, feed_.object});
    const Bytes key = stream::EncodeRecordHead(
        {.partition_key = "k", .explicit_hash = std::nullopt, .taken = taken, .rest = rest});
    ASSERT_TRUE(AppendWithKey(*modules_, feed_, key, {value}).ok());
  }
  TailRows Rows(int64_t from) {
    auto rows = modules_->tail.Rows(feed_, SchemaOf(*modules_, feed_), {{0, from}}, 0);
    EXPECT_TRUE(rows.ok()) << rows.error().message();
    return rows.ok() ? *rows : TailRows{};
  }
  std::vector<std::string> Numbers(int64_t from) { return ColumnOf(Rows(from).slices, "n"); }

  Ground ground_;
  std::unique_ptr<Modules> modules_;
  Feed feed_;
};

TEST_F(AggregateTest, EachRecordInItIsARowWithAnIdOfItsOwn) {
  Append({1, -1, 2});
  ASSERT_TRUE(AppendRecords(*modules_, feed_, 1, {R"({"n":3})"}).ok());
  const TailRows rows = Rows(0);
  EXPECT_THAT(ColumnOf(rows.slices, "n"), ElementsAre("1", "2", "3"));
  EXPECT_THAT(IdsOf(rows.slices),
              ElementsAre("0000-0000000000000000000-000000", "0000-0000000000000000000-000002",
                          "0000-0000000000000000001"));
  EXPECT_EQ(rows.end.at(0), 2) << "positions count records of the log";
}

// As many rows as records, but not one for each.
TEST_F(AggregateTest, PositionsStayAtTheRecordsOfTheLog) {
  Append({1, 2, 3});
  Append({-1});
  Append({-1, -2});
  Append({4, 5});
  Append({-1});
  EXPECT_THAT(Numbers(0), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(Numbers(1), ElementsAre("4", "5"));
  EXPECT_THAT(Numbers(3), ElementsAre("4", "5"));
  EXPECT_THAT(Numbers(4), IsEmpty());
  for (int round = 0; round < 30; ++round) {
    Append({6, 7});
    EXPECT_THAT(Numbers(5 + round), ElementsAre("6", "7")) << round;
  }
  EXPECT_EQ(Numbers(0).size(), 65U);
  EXPECT_EQ(Numbers(20).size(), 30U);
}

TEST_F(AggregateTest, WhatIsNotWhatItsKeySaysIsLeftOut) {
  AppendAs({true, true}, codec::MakeAggregate({{"k", "", R"({"n":1})"}}));
  AppendAs({true}, R"({"n":2})");
  AppendAs({true, true, true},
           codec::MakeAggregate(
               {{"k", "", R"({"n":3})"}, {"k", "", "no json"}, {"k", "", R"({"n":5})"}}));
  EXPECT_THAT(Numbers(0), ElementsAre("3", "5"));
}

}  // namespace
}  // namespace weft::tail
