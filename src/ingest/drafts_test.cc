// SPDX-License-Identifier: Apache-2.0
// Records that are checked and made into rows in one pass, against the same ones taken one by one.
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "ingest/testing/product.h"
#include "tail/tail.h"

namespace weft::ingest {
namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;

// A product whose table is followed.
class DraftsTest : public testing::Test {
 protected:
  DraftsTest() {
    tail_.Stop();  // so that rows are made here or when they are asked for
    const auto contract = product_.contracts->FindCurrent(product_.intake.product);
    schema_ = std::make_shared<const iceberg::Schema>(
        contract::MakeTableSchema(contract->contract->objects[0]).schema);
    EXPECT_TRUE(tail_.Follow(feed_, schema_, {{0, 0}}).ok());
  }
  Result<Outcome> Publish(std::string text, codec::RecordFormat format) {
    text.reserve(text.size() + 64);
    auto body = std::make_shared<const Bytes>(std::move(text));
    std::promise<Result<Outcome>> answer;
    ingest_.Accept({.intake = std::make_shared<const Intake>(product_.intake),
                    .object = "",
                    .format = format,
                    .body = body,
                    .records = *body},
                   [&](Result<Outcome> outcome) { answer.set_value(std::move(outcome)); });
    return answer.get_future().get();
  }
  std::vector<std::string> RowsFrom(int64_t position, const std::string& column) {
    auto rows = tail_.Rows(feed_, schema_, {{0, position}});
    EXPECT_TRUE(rows.ok()) << rows.error().message();
    std::vector<std::string> values;
    for (const auto& slice : rows->slices) {
      for (const auto& view : slice.chunk->columns()) {
        if (view.field->name != column) continue;
        for (int64_t row = slice.first_row; row < slice.end_row; ++row) {
          values.push_back(
              view.valid(row)
                  ? std::string(reinterpret_cast<const char*>(view.values) + view.offsets[row],
                                static_cast<size_t>(view.offsets[row + 1] - view.offsets[row]))
                  : "null");
        }
      }
    }
    return values;
  }
  int64_t End() { return product_.streams->BoundsOf({product_.intake.stream, 0})->end.value; }

  TestProduct product_{Mode::kPartial};
  Metrics metrics_;
  tail::Tail tail_{{}, *product_.streams, *product_.contracts, metrics_};
  Ingest ingest_{*product_.contracts,
                 *product_.intakes,
                 *product_.streams,
                 SystemClock(),
                 SystemRandom(),
                 metrics_,
                 &tail_};
  const tail::Feed feed_{.table_id = 1,
                         .product = product_.intake.product,
                         .stream = product_.intake.stream,
                         .object = "orders"};
  std::shared_ptr<const iceberg::Schema> schema_;
};

struct Case {
  const char* name;
  std::vector<std::string> records;
};

std::vector<std::string> Good(int count) {
  std::vector<std::string> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(fmt::format(R"({{"id":{},"name":"a name that is number {}"}})", i, i));
  }
  return records;
}

std::vector<Case> Cases() {
  std::vector<Case> cases = {{"good", Good(500)}, {"bad", Good(500)}, {"broken", Good(500)}};
  for (size_t i = 3; i < 500; i += 50) cases[1].records[i] = R"({"id":"x","other":1})";
  cases[1].records[0] = R"({"name":7})";
  cases[1].records[499] = "{}";
  cases[2].records[77] = R"({"id":"\ud800"})";
  cases[2].records[78] = R"({"id":01})";
  cases[2].records[79] = "[1,2]";
  cases[2].records[80] = "{\"id\":1,\"name\":\"\xff\"}";
  return cases;
}

TEST_F(DraftsTest, AnArrayGivesWhatItsRecordsGiveOneByOne) {
  for (const Case& one : Cases()) {
    const std::string array = "[" + fmt::format("{}", fmt::join(one.records, " ,\n")) + "]\n";
    const std::string lines = fmt::format("{}", fmt::join(one.records, "\n"));
    const int64_t first = End();
    auto together = Publish(array, codec::RecordFormat::kJson);
    const int64_t second = End();
    auto single = Publish(lines, codec::RecordFormat::kNdjson);
    ASSERT_TRUE(together.ok()) << one.name << ": " << together.error().message();
    ASSERT_TRUE(single.ok()) << one.name;
    EXPECT_EQ(together->accepted, single->accepted) << one.name;
    EXPECT_EQ(together->quarantined, single->quarantined) << one.name;
    EXPECT_EQ(together->errors, single->errors) << one.name;
    EXPECT_EQ(together->errors_total, single->errors_total) << one.name;
    const auto values = product_.Values(product_.intake.stream);
    const auto begin = values.begin();
    EXPECT_TRUE(std::equal(begin + first, begin + second, begin + second, values.end()))
        << one.name;
    const auto names = RowsFrom(first, "name");
    const auto count = static_cast<size_t>(second - first);
    ASSERT_EQ(names.size(), 2 * count) << one.name;
    EXPECT_TRUE(
        std::equal(names.begin(), names.begin() + second - first, names.begin() + second - first))
        << one.name;
    const auto ids = RowsFrom(first, "_id");
    for (size_t i = 0; i < ids.size(); ++i) {
      ASSERT_EQ(ids[i], stream::RecordId(0, {first + static_cast<int64_t>(i)})) << one.name;
    }
  }
}

// What the log keeps, made into rows from the log, is what the drafts said.
TEST_F(DraftsTest, ARestartGivesTheSameRows) {
  for (const Case& one : Cases()) {
    const std::string array = "[" + fmt::format("{}", fmt::join(one.records, ",")) + "]";
    ASSERT_TRUE(Publish(array, codec::RecordFormat::kJson).ok());
    EXPECT_GT(tail_.bytes(), 0) << "no draft was made";
  }
  const auto names = RowsFrom(0, "name"), ids = RowsFrom(0, "_id");
  EXPECT_EQ(names.size(), static_cast<size_t>(End()));
  tail_.Forget(feed_.table_id);
  ASSERT_TRUE(tail_.Follow(feed_, schema_, {{0, 0}}).ok());
  EXPECT_THAT(RowsFrom(0, "name"), ElementsAreArray(names));
  EXPECT_THAT(RowsFrom(0, "_id"), ElementsAreArray(ids));
}

TEST_F(DraftsTest, ARefusedOrFailedBatchLeavesNoRows) {
  product_.intake.mode = Mode::kAtomic;
  auto records = Good(500);
  records[250] = "{\"id\":\"x\"}";
  auto refused =
      Publish("[" + fmt::format("{}", fmt::join(records, ",")) + "]", codec::RecordFormat::kJson);
  ASSERT_TRUE(refused.ok());
  EXPECT_TRUE(refused->refused);
  EXPECT_EQ(refused->errors.at(0).index, 250);
  product_.log.FailCall(log::LogCall::kAppend, 1, Error(Code::kUnavailable, "full"));
  EXPECT_FALSE(
      Publish("[" + fmt::format("{}", fmt::join(Good(500), ",")) + "]", codec::RecordFormat::kJson)
          .ok());
  EXPECT_THAT(RowsFrom(0, "name"), IsEmpty());
  EXPECT_EQ(tail_.bytes(), 0);
}

// Records of three octets that make rows of many columns.
TEST(Drafts, TinyRecordsOfAWideTableTakeNoMoreThanTheirShare) {
  std::vector<contract::ShortColumn> columns;
  for (int i = 0; i < 500; ++i) columns.push_back({fmt::format("c{}", i), "bigint"});
  TestProduct product(Mode::kPartial, columns);
  Metrics metrics;
  tail::Tail tail({}, *product.streams, *product.contracts, metrics);
  tail.Stop();
  Ingest ingest(*product.contracts, *product.intakes, *product.streams, SystemClock(),
                SystemRandom(), metrics, &tail);
  const auto contract = product.contracts->FindCurrent(product.intake.product);
  auto schema = std::make_shared<const iceberg::Schema>(
      contract::MakeTableSchema(contract->contract->objects[0]).schema);
  const tail::Feed feed{.table_id = 1,
                        .product = product.intake.product,
                        .stream = product.intake.stream,
                        .object = "orders"};
  ASSERT_TRUE(tail.Follow(feed, schema, {{0, 0}}).ok());
  for (const auto format : {codec::RecordFormat::kJson, codec::RecordFormat::kNdjson}) {
    const bool array = format == codec::RecordFormat::kJson;
    std::string text = array ? "[{}" : "{}\n";
    for (int i = 1; i < 20'000; ++i) text += array ? ",{}" : "{}\n";
    if (array) text += "]";
    auto body = std::make_shared<const Bytes>(text);
    std::promise<Result<Outcome>> answer;
    ingest.Accept({.intake = std::make_shared<const Intake>(product.intake),
                   .object = "",
                   .format = format,
                   .body = body,
                   .records = *body},
                  [&](Result<Outcome> outcome) { answer.set_value(std::move(outcome)); });
    auto outcome = answer.get_future().get();
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->accepted, 20'000);
    EXPECT_LT(tail.bytes(), 1 << 20);
  }
}

}  // namespace
}  // namespace weft::ingest
