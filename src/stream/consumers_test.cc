// SPDX-License-Identifier: Apache-2.0
#include "stream/consumers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/testing/streams_ground.h"

namespace weft::stream {
namespace {

class ConsumersTest : public StreamsGround {
 protected:
  void SetUp() override {
    StreamsGround::SetUp();
    ASSERT_TRUE(Create(orders_, Use::kFree).ok());
    Reopen();
  }
  void Reopen() { consumers_ = std::make_unique<Consumers>(*database_, clock_); }
  std::vector<std::string> Names() {
    auto all = consumers_->Of(orders_);
    EXPECT_TRUE(all.ok());
    std::vector<std::string> names;
    for (const Consumer& consumer : *all) names.push_back(consumer.name);
    return names;
  }
  std::unique_ptr<Consumers> consumers_;
};

TEST_F(ConsumersTest, AreThereFromRegistrationToDeregistrationAlsoAfterARestart) {
  clock_.Set(microseconds(1'700'000'000'654'321));
  ASSERT_TRUE(consumers_->Register(orders_, "b", {{"team", "sales"}}).ok());
  ASSERT_TRUE(consumers_->Register(orders_, "a", {}).ok());
  Reopen();
  EXPECT_THAT(Names(), testing::ElementsAre("a", "b"));
  auto found = consumers_->Find(orders_, "b");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->created, Timestamp(seconds(1'700'000'000)));
  EXPECT_EQ(found->tags.at("team"), "sales");
  ASSERT_TRUE(consumers_->SetTags(orders_, "b", {{"team", "risk"}}).ok());
  EXPECT_EQ(consumers_->Find(orders_, "b")->tags.at("team"), "risk");
  ASSERT_TRUE(consumers_->Deregister(orders_, "b").ok());
  EXPECT_THAT(Names(), testing::ElementsAre("a"));
}

TEST_F(ConsumersTest, RefusesWhatIsThereOrIsNot) {
  ASSERT_TRUE(consumers_->Register(orders_, "a", {}).ok());
  EXPECT_EQ(consumers_->Register(orders_, "a", {}).error().code(), Code::kExists);
  EXPECT_EQ(consumers_->Register(StreamName("none"), "a", {}).error().code(), Code::kNotFound);
  EXPECT_EQ(consumers_->Deregister(orders_, "b").error().code(), Code::kNotFound);
  EXPECT_EQ(consumers_->SetTags(orders_, "b", {}).error().code(), Code::kNotFound);
  EXPECT_EQ(consumers_->Find(orders_, "b").error().code(), Code::kNotFound);
}

TEST_F(ConsumersTest, AStreamHasTwentyAtMost) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(consumers_->Register(orders_, "c" + std::to_string(i), {}).ok());
  }
  EXPECT_EQ(consumers_->Register(orders_, "more", {}).error().code(), Code::kThrottled);
  ASSERT_TRUE(consumers_->Deregister(orders_, "c7").ok());
  EXPECT_TRUE(consumers_->Register(orders_, "more", {}).ok());
}

TEST_F(ConsumersTest, GoWithTheirStream) {
  ASSERT_TRUE(consumers_->Register(orders_, "a", {}).ok());
  ASSERT_TRUE(database_
                  ->Transact([&](meta::Transaction& tx) -> Status {
                    TRY(consumers_->Forget(tx, orders_));
                    return streams_->Delete(tx, orders_);
                  })
                  .ok());
  EXPECT_TRUE(Names().empty());
  ASSERT_TRUE(Create(orders_, Use::kFree).ok());
  EXPECT_TRUE(Names().empty());
}

TEST_F(ConsumersTest, ThoseOfAnEarlierStreamOfTheNameAreNoneOfThisOne) {
  ASSERT_TRUE(consumers_->Register(orders_, "a", {}).ok());
  ASSERT_TRUE(Delete(orders_).ok());
  ASSERT_TRUE(Create(orders_, Use::kFree).ok());
  Reopen();
  EXPECT_TRUE(Names().empty());
  EXPECT_TRUE(consumers_->Register(orders_, "a", {}).ok());
}

}  // namespace
}  // namespace weft::stream
