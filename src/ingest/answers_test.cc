// SPDX-License-Identifier: Apache-2.0
#include "ingest/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "ingest/testing/product.h"

namespace weft::ingest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void ExpectSame(const Result<Outcome>& first, const Result<Outcome>& repeat) {
  ASSERT_TRUE(first.ok()) << first.error().message();
  ASSERT_TRUE(repeat.ok()) << repeat.error().message();
  EXPECT_EQ(first->id, repeat->id);
  EXPECT_EQ(first->accepted, repeat->accepted);
  EXPECT_EQ(first->quarantined, repeat->quarantined);
  EXPECT_EQ(first->errors_total, repeat->errors_total);
  EXPECT_EQ(first->errors, repeat->errors);
  EXPECT_EQ(first->refused, repeat->refused);
}

TEST(Answers, ARepeatAnswersAsTheFirstDidAndStoresNothing) {
  TestProduct product(Mode::kPartial);
  const std::string body = R"([{"id":1},{"id":"x","name":7},{"id":2}])";
  const auto first = product.PublishOnce("key", body);
  for (int repeat = 0; repeat < 3; ++repeat) {
    ExpectSame(first, product.PublishOnce("key", body));
    product.Restart();
  }
  EXPECT_EQ(first->accepted, 2);
  EXPECT_EQ(first->errors.size(), 2U);
  EXPECT_EQ(product.Values(product.intake.stream).size(), 2U);
  EXPECT_EQ(product.Values(product.intake.quarantine).size(), 1U);
  EXPECT_NE(product.PublishOnce("another", body)->id, first->id);
  EXPECT_NE(product.Publish(body)->id, first->id);
  EXPECT_EQ(product.Values(product.intake.stream).size(), 6U);
}

TEST(Answers, ARequestWithoutRecordsIsAnsweredAlikeToo) {
  TestProduct product(Mode::kAtomic);
  const auto first = product.PublishOnce("key", "[]");
  ExpectSame(first, product.PublishOnce("key", "[]"));
  product.Restart();
  ExpectSame(first, product.PublishOnce("key", "[]"));
}

TEST(Answers, AKeyOfAnotherRequestIsAConflict) {
  TestProduct product(Mode::kAtomic);
  ASSERT_TRUE(product.PublishOnce("key", R"({"id":1})").ok());
  for (int round = 0; round < 2; ++round) {
    auto outcome = product.PublishOnce("key", R"({"id":2})");
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code(), Code::kConflict);
    product.Restart();
  }
  EXPECT_THAT(product.Values(product.intake.stream), ElementsAre(R"({"id":1})"));
}

TEST(Answers, WhatFailedOrWasRefusedDoesNotUseUpTheKey) {
  TestProduct product(Mode::kAtomic);
  auto refused = product.PublishOnce("key", R"({"id":"x"})");
  ASSERT_TRUE(refused.ok() && refused->refused);
  EXPECT_FALSE(product.PublishOnce("key", "nonsense").ok());
  product.log.FailCall(log::LogCall::kAppend, 1, Error(Code::kThrottled, "behind"));
  EXPECT_EQ(product.PublishOnce("key", R"({"id":1})").error().code(), Code::kThrottled);
  EXPECT_THAT(product.Values(product.intake.stream), IsEmpty());
  const auto first = product.PublishOnce("key", R"({"id":2})");
  ExpectSame(first, product.PublishOnce("key", R"({"id":2})"));
  EXPECT_THAT(product.Values(product.intake.stream), ElementsAre(R"({"id":2})"));
}

TEST(Answers, WhereTheLogCannotTellNothingIsStoredTwice) {
  TestProduct product(Mode::kAtomic);
  product.log.FailCall(log::LogCall::kAppend, 1, Error(Code::kInternal, "who knows"));
  EXPECT_EQ(product.PublishOnce("key", R"({"id":1})").error().code(), Code::kInternal);
  EXPECT_EQ(product.PublishOnce("key", R"({"id":1})").error().code(), Code::kUnavailable);
  product.Restart();
  EXPECT_TRUE(product.PublishOnce("key", R"({"id":1})").ok()) << "after a start the log can tell";
}

TEST(Answers, KeysAreForgottenAfterADay) {
  TestProduct product(Mode::kAtomic);
  const auto first = product.PublishOnce("key", R"({"id":1})");
  product.clock.Pass(std::chrono::hours(23));
  ExpectSame(first, product.PublishOnce("key", R"({"id":1})"));
  product.clock.Pass(std::chrono::hours(2));
  const auto second = product.PublishOnce("key", R"({"id":2})");
  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_NE(second->id, first->id);
  EXPECT_EQ(product.Values(product.intake.stream).size(), 2U);
  auto bounds = product.streams->BoundsOf({stream::StreamName("weft.answers"), 0});
  ASSERT_TRUE(bounds.ok());
  EXPECT_EQ(bounds->begin.value, 1) << "the old answer's space is given back";
}

TEST(Answers, NoMoreKeysAreKeptThanThereIsRoomFor) {
  TestProduct product(Mode::kAtomic);
  product.keys_max = 3;
  product.Restart();
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_TRUE(product.PublishOnce(key, R"({"id":1})").ok());
  }
  EXPECT_EQ(product.PublishOnce("d", R"({"id":1})").error().code(), Code::kThrottled);
  EXPECT_TRUE(product.PublishOnce("b", R"({"id":1})").ok()) << "a repeat needs no room";
  product.clock.Pass(std::chrono::hours(25));
  EXPECT_TRUE(product.PublishOnce("d", R"({"id":1})").ok());
}

TEST(Answers, AProductMadeAnewKnowsNoKeysOfTheOneBefore) {
  TestProduct product(Mode::kAtomic);
  ASSERT_TRUE(product.PublishOnce("key", R"({"id":1})").ok());
  for (const bool make : {false, true}) {
    ASSERT_TRUE(product.database
                    .Transact([&](meta::Transaction& tx) -> Status {
                      if (!make) return product.streams->Delete(tx, product.intake.stream);
                      return product.streams->Create(tx, {.name = product.intake.stream,
                                                          .account = product.intake.account,
                                                          .use = stream::Use::kProduct});
                    })
                    .ok());
    if (!make) {
      EXPECT_EQ(product.PublishOnce("key", R"({"id":1})").error().code(), Code::kNotFound);
    }
  }
  ASSERT_TRUE(product.PublishOnce("key", R"({"id":1})").ok());
  EXPECT_EQ(product.Values(product.intake.stream).size(), 1U);
}

TEST(Answers, EqualKeysAtOnceStoreOneAndAnswerAlike) {
  TestProduct product(Mode::kPartial);
  constexpr int kThreads = 8, kKeys = 200;
  std::vector<std::vector<std::string>> ids(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int k = 0; k < kKeys; ++k) {
          auto outcome = product.PublishOnce("key" + std::to_string(k),
                                             R"([{"id":)" + std::to_string(k) + R"(},{"id":"x"}])");
          ids[static_cast<size_t>(t)].push_back(outcome.ok() ? outcome->id : "failed");
        }
      });
    }
  }
  for (const auto& of_thread : ids) EXPECT_EQ(of_thread, ids.front());
  EXPECT_EQ(product.Values(product.intake.stream).size(), static_cast<size_t>(kKeys));
  EXPECT_EQ(*product.quarantine->Count(product.intake), kKeys);
}

// Damage costs the answers that it hit, and no others; nor does it keep the server from starting.
TEST(Answers, ADamagedAnswerIsLostAlone) {
  for (int nth = 1; nth <= 8; ++nth) {
    TestProduct product(Mode::kAtomic);
    std::vector<std::string> ids;
    for (int k = 0; k < 10; ++k) {
      auto outcome = product.PublishOnce("key" + std::to_string(k), R"({"id":1})");
      ASSERT_TRUE(outcome.ok());
      ids.push_back(outcome->id);
    }
    product.log.FailCall(log::LogCall::kRead, nth, Error(Code::kCorrupt, "rot"));
    product.Restart();
    int same = 0;
    for (size_t k = 0; k < ids.size(); ++k) {
      auto outcome = product.PublishOnce("key" + std::to_string(k), R"({"id":1})");
      if (outcome.ok() && outcome->id == ids[k]) ++same;
    }
    EXPECT_GE(same, 9) << nth;
  }
}

TEST(Answers, TheErrorsOfBothAnswersAreThoseThatAreKept) {
  TestProduct product(Mode::kPartial);
  product.intake.record_bytes_max = int64_t{8} << 20;
  const std::string name(1'500'000, 'n');
  std::string body = "[";
  for (int i = 0; i < 4; ++i) body += std::string(i == 0 ? "" : ",") + "{\"" + name + "\":1}";
  const auto first = product.PublishOnce("key", body + "]");
  ExpectSame(first, product.PublishOnce("key", body + "]"));
  EXPECT_EQ(first->errors_total, 4);
}

TEST(KeyTable, FindsWhatWasPutLast) {
  KeyTable table;
  EXPECT_EQ(table.Find({1, 1}), KeyTable::kNone);
  constexpr uint64_t kKeys = 20'000;
  for (uint64_t k = 0; k < kKeys; ++k) table.Put({k, k % 97}, static_cast<int64_t>(k), 0);
  for (uint64_t k = 0; k < kKeys; ++k) ASSERT_EQ(table.Find({k, k % 97}), static_cast<int64_t>(k));
  // Half of them are too old: they may go, and the others stay.
  constexpr int64_t kFloor = kKeys / 2;
  for (uint64_t k = kKeys; k < 2 * kKeys; ++k) {
    table.Put({k, k % 97}, static_cast<int64_t>(k), kFloor);
  }
  for (uint64_t k = kFloor; k < 2 * kKeys; ++k) {
    ASSERT_EQ(table.Find({k, k % 97}), static_cast<int64_t>(k));
  }
  table.Put({kKeys, kKeys % 97}, 2 * kKeys, kFloor);
  EXPECT_EQ(table.Find({kKeys, kKeys % 97}), static_cast<int64_t>(2 * kKeys));
}

TEST(AnswerRecord, RefusesDamage) {
  Outcome outcome{.id = "i", .accepted = 1, .quarantined = 2, .errors = {{3, "f", "r"}}};
  const Bytes bytes = EncodeAnswer({1, 2}, {}, outcome);
  auto answer = DecodeAnswer(bytes);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->outcome.quarantined, 2);
  EXPECT_THAT(answer->outcome.errors, ElementsAre(RecordError{3, "f", "r"}));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeAnswer(bytes.substr(0, size)).error().code(), Code::kCorrupt) << size;
  }
  Bytes newer = bytes;
  newer[0] = 2;
  EXPECT_EQ(DecodeAnswer(newer).error().code(), Code::kNotOffered);
}

}  // namespace
}  // namespace weft::ingest
