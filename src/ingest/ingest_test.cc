// SPDX-License-Identifier: Apache-2.0
#include "ingest/ingest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "ingest/pieces.h"
#include "ingest/quarantine_record.h"
#include "ingest/record_budget.h"
#include "ingest/testing/product.h"

namespace weft::ingest {
namespace {

using codec::RecordFormat;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Ingest, StoresGoodRecordsAsTheyWereSent) {
  TestProduct product(Mode::kAtomic);
  auto outcome = product.Publish(R"([{"id": 1, "name":"a"}, {"id":2}])");
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->accepted, 2);
  EXPECT_EQ(outcome->quarantined, 0);
  EXPECT_FALSE(outcome->refused);
  EXPECT_THAT(product.Values(product.intake.stream),
              ElementsAre(R"({"id": 1, "name":"a"})", R"({"id":2})"));
}

TEST(Ingest, StoresOneRecordWithoutTheBlanksAroundIt) {
  TestProduct product(Mode::kPartial);
  for (const char* body : {R"({"id":1})", " \r\n\t{\"id\":2} \n"}) {
    auto outcome = product.Publish(body);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message();
    EXPECT_EQ(outcome->accepted, 1);
    EXPECT_EQ(outcome->errors_total, 0);
  }
  EXPECT_THAT(product.Values(product.intake.stream), ElementsAre(R"({"id":1})", R"({"id":2})"));
}

TEST(Ingest, TakesJsonObjectsOneBehindTheOther) {
  TestProduct product(Mode::kPartial);
  auto outcome = product.Publish(R"({"id":1}{"id":"x"} {"id":2})");
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->accepted, 2);
  EXPECT_EQ(outcome->quarantined, 1);
  ASSERT_EQ(outcome->errors.size(), 1U);
  EXPECT_EQ(outcome->errors[0].index, 1);
  EXPECT_EQ(outcome->errors[0].field, "id");
  EXPECT_THAT(product.Values(product.intake.stream), ElementsAre(R"({"id":1})", R"({"id":2})"));
}

TEST(Ingest, TellsEachFaultOfOneBadRecordOnce) {
  TestProduct product(Mode::kPartial);
  auto outcome = product.Publish(R"({"id":"x","name":7})");
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->accepted, 0);
  EXPECT_EQ(outcome->quarantined, 1);
  EXPECT_EQ(outcome->errors_total, 2);
  EXPECT_THAT(product.Values(product.intake.stream), IsEmpty());
  EXPECT_EQ(product.Values(product.intake.quarantine).size(), 1U);
}

TEST(Ingest, AtomicModeStoresNothingWithOneBadRecord) {
  TestProduct product(Mode::kAtomic);
  auto outcome = product.Publish(R"([{"id":1},{"id":"x","name":7},{"id":3}])");
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome->refused);
  EXPECT_EQ(outcome->accepted, 0);
  EXPECT_EQ(outcome->quarantined, 0);
  EXPECT_EQ(outcome->errors_total, 2);
  ASSERT_EQ(outcome->errors.size(), 2U);
  EXPECT_EQ(outcome->errors[0].index, 1);
  EXPECT_EQ(outcome->errors[0].field, "id");
  EXPECT_EQ(outcome->errors[1].field, "name");
  EXPECT_THAT(product.Values(product.intake.stream), IsEmpty());
  EXPECT_THAT(product.Values(product.intake.quarantine), IsEmpty());
}

TEST(Ingest, PartialModeStoresTheGoodAndKeepsTheBad) {
  TestProduct product(Mode::kPartial);
  auto outcome =
      product.Publish("{\"id\":1}\nnonsense\n{\"id\":\"x\"}\n{\"id\":2}\n", RecordFormat::kNdjson);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->accepted, 2);
  EXPECT_EQ(outcome->quarantined, 2);
  EXPECT_THAT(product.Values(product.intake.stream), ElementsAre(R"({"id":1})", R"({"id":2})"));
  auto bad = product.Values(product.intake.quarantine);
  ASSERT_EQ(bad.size(), 2U);
  auto entry = DecodeQuarantineEntry(bad[0]);
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(entry->original, "nonsense");
  EXPECT_EQ(entry->object, "orders");
  ASSERT_FALSE(entry->errors.empty());
  EXPECT_EQ(entry->errors[0].index, 1);
}

TEST(Ingest, TakesAnEmptyBodyAsNoRecords) {
  TestProduct product(Mode::kAtomic);
  for (const char* body : {"", " \n ", "[]"}) {
    auto outcome = product.Publish(body);
    ASSERT_TRUE(outcome.ok()) << body << outcome.error().message();
    EXPECT_EQ(outcome->accepted, 0);
    EXPECT_FALSE(outcome->id.empty());
  }
  EXPECT_EQ(product.log.Calls(log::LogCall::kAppend), 0);
}

TEST(Ingest, RefusesABodyThatCannotBeTakenApart) {
  TestProduct product(Mode::kPartial);
  for (const char* body : {"[{\"id\":1}", "{\"id\":1", "nonsense"}) {
    auto outcome = product.Publish(body);
    ASSERT_FALSE(outcome.ok()) << body;
    EXPECT_EQ(outcome.error().code(), Code::kInvalid);
  }
}

TEST(Ingest, CsvRowsBecomeRecordsOfTheirTypes) {
  TestProduct product(Mode::kPartial);
  auto outcome = product.Publish("id,name\r\n1,a\r\nx,b\r\n3\r\n", RecordFormat::kCsv);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->accepted, 1);
  EXPECT_EQ(outcome->quarantined, 2);
  EXPECT_THAT(product.Values(product.intake.stream), ElementsAre(R"({"id":1,"name":"a"})"));
  auto entry = DecodeQuarantineEntry(product.Values(product.intake.quarantine)[0]);
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(entry->original, "x,b");
  EXPECT_EQ(entry->head, "id,name");
}

TEST(Ingest, RecordsLargerThanTheProductTakesAreBad) {
  TestProduct product(Mode::kPartial);
  product.intake.record_bytes_max = 1024;
  auto outcome = product.Publish(R"([{"id":1},{"name":")" + std::string(2000, 'a') + "\"}]");
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->accepted, 1);
  ASSERT_EQ(outcome->errors.size(), 1U);
  EXPECT_EQ(outcome->errors[0].reason, "is larger than 1 KiB");
}

TEST(Ingest, ListsAThousandErrorsAndCountsAll) {
  TestProduct product(Mode::kPartial);
  std::string body;
  for (int i = 0; i < 2'500; ++i) body += "{\"id\":\"x\"}\n";
  auto outcome = product.Publish(body, RecordFormat::kNdjson);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->errors.size(), 1'000U);
  EXPECT_EQ(outcome->errors_total, 2'500);
  EXPECT_EQ(outcome->quarantined, 2'500);
}

TEST(Ingest, AnswersAFailureWhenTheLogFails) {
  TestProduct product(Mode::kPartial);
  const std::string body = R"([{"id":1},{"id":"x"}])";
  product.log.FailCall(log::LogCall::kAppend, 1, Error(Code::kThrottled, "behind"));
  auto outcome = product.Publish(body);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), Code::kThrottled);
  // Who sends it again must find neither record there already.
  EXPECT_THAT(product.Values(product.intake.stream), IsEmpty());
  EXPECT_EQ(*product.quarantine->Count(product.intake), 0);
  EXPECT_TRUE(product.Publish(body).ok());
  EXPECT_EQ(product.Values(product.intake.stream).size(), 1U);
  EXPECT_EQ(*product.quarantine->Count(product.intake), 1);
}

TEST(Ingest, SaysWhyAProductWithoutATableTakesNothing) {
  TestProduct product(Mode::kAtomic);
  auto contract = contract::FromShortForm("orders", {{"id", "int"}});
  ASSERT_TRUE(contract.ok());
  auto without = contract::ParseOdcs(
      "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\n");
  ASSERT_TRUE(without.ok()) << without.error().message();
  product.SetContract(*without);
  auto outcome = product.Publish("{}");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), Code::kInvalid);
  EXPECT_THAT(outcome.error().message(), HasSubstr("no schema objects"));
}

TEST(Ingest, OfSeveralObjectsOneIsNamed) {
  TestProduct product(Mode::kAtomic);
  auto contract = contract::ParseOdcs(
      "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\nschema:\n"
      "  - { name: big-orders, logicalType: object, properties: [{ name: a, logicalType: integer "
      "}] }\n"
      "  - { name: lines, logicalType: object, properties: [{ name: b, logicalType: integer }] }\n"
      "  - { name: empty, logicalType: object }\n");
  ASSERT_TRUE(contract.ok()) << contract.error().message();
  product.SetContract(*contract);
  EXPECT_EQ(product.Publish("{}").error().message(),
            "'orders' has several tables; name one as schema: big-orders, lines");
  EXPECT_TRUE(product.Publish(R"({"a":1})", RecordFormat::kJson, "big_orders").ok());
  EXPECT_TRUE(product.Publish(R"({"b":1})", RecordFormat::kJson, "lines")->accepted == 1);
  EXPECT_THAT(product.Publish("{}", RecordFormat::kJson, "empty").error().message(),
              HasSubstr("no properties"));
  EXPECT_THAT(product.Publish("{}", RecordFormat::kJson, "other").error().message(),
              HasSubstr("no schema 'other'"));
}

TEST(Ingest, ManyCallersAtOnce) {
  TestProduct product(Mode::kPartial);
  std::vector<std::thread> callers;
  for (int c = 0; c < 8; ++c) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        auto outcome = product.Publish(R"([{"id":1},{"id":"x"}])");
        EXPECT_TRUE(outcome.ok() && outcome->accepted == 1 && outcome->quarantined == 1);
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(product.Values(product.intake.stream).size(), 400U);
  EXPECT_EQ(*product.quarantine->Count(product.intake), 400);
}

TEST(Ingest, BatchIdsRise) {
  TestProduct product(Mode::kAtomic);
  auto first = product.ingest->NewBatchId();
  std::this_thread::sleep_for(milliseconds(3));
  EXPECT_LT(first, product.ingest->NewBatchId());
}

TEST(Ingest, BatchIdsDifferBetweenThreadsAndRuns) {
  constexpr size_t kThreads = 4, kIds = 5'000;
  std::vector<std::string> ids(2 * kThreads * kIds);
  size_t at = 0;
  for (int run = 0; run < 2; ++run) {
    TestProduct product(Mode::kAtomic);
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < kThreads; ++t, at += kIds) {
      threads.emplace_back([&product, own = ids.begin() + static_cast<std::ptrdiff_t>(at)] {
        for (size_t i = 0; i < kIds; ++i) {
          own[static_cast<std::ptrdiff_t>(i)] = product.ingest->NewBatchId();
        }
      });
    }
  }
  for (const std::string& id : ids) {
    ASSERT_EQ(id.size(), 36U) << id;
    ASSERT_TRUE(id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-') << id;
    ASSERT_TRUE(id[14] == '7' && std::string_view("89ab").find(id[19]) != std::string_view::npos)
        << "version and variant: " << id;
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

TEST(RecordBudget, BoundsWhatIsInWorkAndLetsAnyoneWorkAlone) {
  RecordBudget budget(10);
  auto large = budget.Take(25);
  ASSERT_NE(large, nullptr) << "alone";
  EXPECT_EQ(budget.Take(1), nullptr);
  large.reset();
  auto six = budget.Take(6);
  auto four = budget.Take(4);
  EXPECT_NE(four, nullptr);
  EXPECT_EQ(budget.Take(1), nullptr);
  six.reset();
  EXPECT_NE(budget.Take(6), nullptr);

  std::atomic<int64_t> in_work = 0, most = 0, refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5'000; ++i) {
          auto share = budget.Take(2);
          if (share == nullptr) {
            ++refused;
            continue;
          }
          const int64_t now = in_work += 2;
          for (int64_t seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
          }
          in_work -= 2;
        }
      });
    }
  }
  EXPECT_LE(most, 6) << "four of ten are held";
  four.reset();
  EXPECT_NE(budget.Take(10), nullptr) << "everything was given back";
}

TEST(Pieces, StayWhereTheyAre) {
  Pieces pieces;
  std::vector<std::string_view> views;
  std::vector<std::string> texts;
  for (size_t i = 0; i < 3'000; ++i)
    texts.emplace_back(i % 100 == 0 ? size_t{1} << 20 : i, static_cast<char>('a' + i % 26));
  for (size_t i = 0; i < 300; ++i) views.push_back(pieces.Add(texts[i]));
  for (size_t i = 300; i < texts.size(); ++i) pieces.Add(texts[i]);
  for (size_t i = 0; i < views.size(); ++i) ASSERT_EQ(views[i], texts[i]) << i;
}

TEST(Intakes, KeepTheLimitsOfAProductOverARestart) {
  TestProduct product(Mode::kAtomic);
  product.intake.bytes_per_second = 1'000'000;
  product.intake.records_per_second = 7;
  ASSERT_TRUE(
      product.database
          .Transact([&](meta::Transaction& tx) { return product.intakes->Put(tx, product.intake); })
          .ok());
  product.Restart();
  const auto found = product.intakes->Find("orders");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->bytes_per_second, 1'000'000);
  EXPECT_EQ((*found)->records_per_second, 7);
}

TEST(Ingest, ALimitFillsUpAgainAndLetsALargeRequestPassAlone) {
  TestProduct product(Mode::kAtomic);
  product.intake.records_per_second = 2;
  EXPECT_TRUE(product.Publish(R"([{"id":1},{"id":2},{"id":3},{"id":4}])").ok()) << "alone";
  EXPECT_EQ(product.Publish(R"({"id":5})").error().code(), Code::kThrottled);
  product.clock.Pass(std::chrono::seconds(1));
  EXPECT_EQ(product.Publish(R"({"id":5})").error().code(), Code::kThrottled) << "in debt";
  product.clock.Pass(std::chrono::seconds(1));
  EXPECT_TRUE(product.Publish(R"({"id":5})").ok());
  product.intake.records_per_second = 0;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(product.Publish(R"({"id":6})").ok());
}

TEST(Intakes, FindsAProductByEitherSpelling) {
  TestProduct product(Mode::kAtomic);
  Intake other = product.intake;
  other.product = ProductName("a-b");
  ASSERT_TRUE(product.database
                  .Transact([&](meta::Transaction& tx) { return product.intakes->Put(tx, other); })
                  .ok());
  EXPECT_EQ(product.intakes->Find("a_b").value()->product.text(), "a-b");
  EXPECT_EQ(product.intakes->Find("a-b").value()->product.text(), "a-b");
  EXPECT_EQ(product.intakes->Find("ab").error().code(), Code::kNotFound);
  other.product = ProductName("a_b");
  EXPECT_FALSE(product.database
                   .Transact([&](meta::Transaction& tx) { return product.intakes->Put(tx, other); })
                   .ok());
  ASSERT_TRUE(product.database
                  .Transact([&](meta::Transaction& tx) {
                    return product.intakes->Delete(tx, ProductName("a-b"));
                  })
                  .ok());
  EXPECT_EQ(product.intakes->All().size(), 1U);
}

}  // namespace
}  // namespace weft::ingest
