// SPDX-License-Identifier: Apache-2.0
#include "ingest/quarantine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/done_ranges.h"
#include "ingest/quarantine_record.h"
#include "ingest/testing/product.h"

namespace weft::ingest {
namespace {

using codec::RecordFormat;
using testing::ElementsAre;
using testing::IsEmpty;

// A product with three records in quarantine, of which a contract with a text `id` would take the
// first two.
class QuarantineTest : public testing::Test {
 protected:
  QuarantineTest() {
    EXPECT_TRUE(
        product_.Publish("{\"id\":\"x\"}\n{\"id\":\"y\"}\n{\"id\":[]}\n", RecordFormat::kNdjson)
            .ok());
  }
  void Mend() {
    auto contract = contract::FromShortForm("orders", {{"id", "string"}, {"name", "string"}});
    ASSERT_TRUE(contract.ok());
    product_.SetContract(*contract);
  }
  std::vector<QuarantinedRecord> All() {
    auto listed = product_.quarantine->List(product_.intake, "", 100);
    EXPECT_TRUE(listed.ok());
    return std::move(*listed);
  }
  std::vector<std::string> Stored() { return product_.Values(product_.intake.stream); }

  TestProduct product_{Mode::kPartial};
};

TEST_F(QuarantineTest, ListsWhatWasSentAndWhy) {
  auto all = All();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].original, R"({"id":"x"})");
  EXPECT_EQ(all[0].errors[0].field, "id");
  EXPECT_LT(all[0].id, all[1].id);
  auto rest = product_.quarantine->List(product_.intake, all[0].id, 1);
  ASSERT_EQ(rest->size(), 1U);
  EXPECT_EQ(rest->front().id, all[1].id);
  EXPECT_EQ(product_.quarantine->Find(product_.intake, all[2].id)->original, R"({"id":[]})");
  EXPECT_EQ(product_.quarantine->Find(product_.intake, "nonsense").error().code(), Code::kNotFound);
}

TEST_F(QuarantineTest, RedrivesWhatTheContractNowTakes) {
  Mend();
  auto redriven = product_.quarantine->Redrive(product_.intake, {}, nullptr);
  ASSERT_TRUE(redriven.ok()) << redriven.error().message();
  EXPECT_EQ(redriven->accepted, 2);
  EXPECT_EQ(redriven->still_bad, 1);
  ASSERT_EQ(redriven->failures.size(), 1U);
  EXPECT_THAT(Stored(), ElementsAre(R"({"id":"x"})", R"({"id":"y"})"));
  EXPECT_EQ(*product_.quarantine->Count(product_.intake), 1);
  // The first two are done with, and their room is given back.
  EXPECT_EQ(product_.streams->BoundsOf({product_.intake.quarantine, 0})->begin.value, 2);
  EXPECT_EQ(product_.quarantine->Redrive(product_.intake, {}, nullptr)->accepted, 0);
}

TEST_F(QuarantineTest, AReplacementIsSentInPlaceOfOne) {
  auto all = All();
  const Bytes good = R"({"id":7})";
  auto redriven = product_.quarantine->Redrive(product_.intake, {all[1].id}, &good);
  ASSERT_TRUE(redriven.ok());
  EXPECT_EQ(redriven->accepted, 1);
  EXPECT_THAT(Stored(), ElementsAre(good));
  EXPECT_EQ(All().size(), 2U);
  EXPECT_EQ(product_.quarantine->Redrive(product_.intake, {}, &good).error().code(),
            Code::kInvalid);
  const Bytes two = R"([{"id":7},{"id":8}])";
  EXPECT_EQ(product_.quarantine->Redrive(product_.intake, {all[0].id}, &two)->still_bad, 1);
}

TEST_F(QuarantineTest, WhatIsStillBadShowsTheNewReasonsUnderItsId) {
  const auto before = All();
  auto contract = contract::FromShortForm("orders", {{"name", "string"}, {"when", "date"}});
  ASSERT_TRUE(contract.ok());
  product_.SetContract(*contract);
  auto redriven = product_.quarantine->Redrive(product_.intake, {}, nullptr);
  ASSERT_TRUE(redriven.ok()) << redriven.error().message();
  EXPECT_EQ(redriven->still_bad, 3);
  for (int again = 0; again < 2; ++again) {
    auto after = All();
    ASSERT_EQ(after.size(), 3U);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(after[i].id, before[i].id);
      EXPECT_EQ(after[i].original, before[i].original);
      EXPECT_THAT(after[i].errors, ElementsAre(RecordError{static_cast<int64_t>(i), "id",
                                                           "is not in the contract"}));
      EXPECT_EQ(product_.quarantine->Find(product_.intake, after[i].id)->errors, after[i].errors);
    }
    product_.Restart();
  }
  // Only those that were sent again, and what is right at last leaves with its reasons.
  Mend();
  ASSERT_EQ(product_.quarantine->Redrive(product_.intake, {before[2].id}, nullptr)->still_bad, 1);
  EXPECT_EQ(All()[0].errors[0].reason, "is not in the contract");
  EXPECT_THAT(All()[2].errors, ElementsAre(RecordError{2, "id", "is not a text"}));
  EXPECT_EQ(product_.quarantine->Redrive(product_.intake, {}, nullptr)->accepted, 2);
  std::vector<int64_t> kept;
  ASSERT_TRUE(product_.database
                  .Read([&](meta::Transaction& tx) -> Status {
                    kept.clear();
                    auto rows = TRY(tx.Query("SELECT record FROM quarantine_reasons"));
                    for (const auto& row : rows) kept.push_back(row.integer(0));
                    return {};
                  })
                  .ok());
  EXPECT_THAT(kept, ElementsAre(2));
}

TEST_F(QuarantineTest, ABadReplacementSaysNothingOfTheRecord) {
  auto all = All();
  const Bytes bad = R"({"id":7,"colour":1})";
  auto redriven = product_.quarantine->Redrive(product_.intake, {all[1].id}, &bad);
  ASSERT_EQ(redriven->still_bad, 1);
  EXPECT_EQ(redriven->failures[0].errors[0].field, "colour");
  EXPECT_EQ(All()[1].errors, all[1].errors);
}

TEST_F(QuarantineTest, DropsAllOrNone) {
  auto all = All();
  EXPECT_EQ(product_.quarantine->Drop(product_.intake, {all[0].id, "0000-0000000000000000099"})
                .error()
                .code(),
            Code::kNotFound);
  EXPECT_EQ(All().size(), 3U);
  EXPECT_EQ(*product_.quarantine->Drop(product_.intake, {all[1].id, all[1].id}), 1);
  EXPECT_EQ(*product_.quarantine->Count(product_.intake), 2);
  EXPECT_EQ(product_.quarantine->Find(product_.intake, all[1].id).error().code(), Code::kNotFound);
  product_.Restart();
  EXPECT_EQ(*product_.quarantine->Count(product_.intake), 2);
}

TEST_F(QuarantineTest, RowsOfCsvAreSentAgainWithTheirHeader) {
  ASSERT_TRUE(product_.Publish("name,id\nann,q\n", RecordFormat::kCsv).ok());
  Mend();
  ASSERT_EQ(product_.quarantine->Redrive(product_.intake, {All()[3].id}, nullptr)->accepted, 1);
  EXPECT_THAT(Stored(), ElementsAre(R"({"name":"ann","id":"q"})"));
}

TEST_F(QuarantineTest, AFailedAppendLeavesEverythingInQuarantine) {
  Mend();
  product_.log.FailCall(log::LogCall::kAppend, 1, Error(Code::kUnavailable, "full"));
  EXPECT_EQ(product_.quarantine->Redrive(product_.intake, {}, nullptr).error().code(),
            Code::kUnavailable);
  EXPECT_EQ(*product_.quarantine->Count(product_.intake), 3);
  EXPECT_EQ(product_.quarantine->Redrive(product_.intake, {}, nullptr)->accepted, 2);
}

// Whatever call of the database fails, and whether or not the process ends there, no record is
// stored twice or lost.
TEST_F(QuarantineTest, StoresEachRecordOnceWhereverItStops) {
  using Call = meta::FailingDatabase::Call;
  Mend();
  for (int nth = 1; nth < 60; ++nth) {
    product_.database.FailNth(Call::kAny, nth);
    auto redriven = product_.quarantine->Redrive(product_.intake, {}, nullptr);
    const bool failed = !product_.database.armed();
    product_.database.FailNth(Call::kAny, 0);
    if (nth % 2 == 0) product_.Restart();
    ASSERT_TRUE(product_.quarantine->Recover(*product_.intakes).ok());
    EXPECT_EQ(*product_.quarantine->Count(product_.intake) + static_cast<int64_t>(Stored().size()),
              3);
    if (!failed) break;
    // The same again, with a fresh one.
    if (*product_.quarantine->Count(product_.intake) == 1) break;
  }
  EXPECT_TRUE(product_.quarantine->Redrive(product_.intake, {}, nullptr).ok());
  EXPECT_THAT(Stored(), ElementsAre(R"({"id":"x"})", R"({"id":"y"})"));
  EXPECT_EQ(*product_.quarantine->Count(product_.intake), 1);
}

TEST_F(QuarantineTest, ForgetsAProduct) {
  ASSERT_TRUE(product_.quarantine->Drop(product_.intake, {All()[1].id}).ok());
  ASSERT_TRUE(product_.database
                  .Transact([&](meta::Transaction& tx) {
                    return product_.quarantine->Forget(tx, product_.intake.product);
                  })
                  .ok());
  EXPECT_EQ(*product_.quarantine->Count(product_.intake), 3);
}

TEST(OffsetRanges, JoinAndCount) {
  OffsetRanges ranges;
  ranges.Add(5, 5);
  ranges.Add(1, 2);
  ranges.Add(3, 4);
  ranges.Add(9, 12);
  EXPECT_THAT(ranges.ranges(), ElementsAre(testing::Pair(1, 5), testing::Pair(9, 12)));
  EXPECT_EQ(ranges.CountWithin(0, 10), 6);
  EXPECT_EQ(ranges.FirstNotIn(0), 0);
  EXPECT_EQ(ranges.FirstNotIn(2), 6);
  EXPECT_TRUE(ranges.Contains(12));
  EXPECT_FALSE(ranges.Contains(13));
}

TEST(QuarantineRecord, RefusesDamage) {
  const RecordError error{3, "a.b", "is required"};
  const Bytes bytes = EncodeQuarantineEntry("orders", RecordFormat::kCsv, "a,b", "1,2", &error, 1);
  auto entry = DecodeQuarantineEntry(bytes);
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(entry->head, "a,b");
  EXPECT_EQ(entry->errors[0].reason, "is required");
  const size_t whole = bytes.size() - 3;  // the original may have any length
  for (size_t size = 0; size < whole; ++size)
    EXPECT_FALSE(DecodeQuarantineEntry(bytes.substr(0, size)).ok()) << size;
  Bytes newer = bytes;
  newer[0] = 2;
  EXPECT_EQ(DecodeQuarantineEntry(newer).error().code(), Code::kNotOffered);
}

}  // namespace
}  // namespace weft::ingest
