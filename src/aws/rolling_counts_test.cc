// SPDX-License-Identifier: Apache-2.0
#include "aws/rolling_counts.h"

#include <gtest/gtest.h>

namespace weft::aws {
namespace {

class SetClock final : public Clock {
 public:
  Timestamp Now() const override { return Timestamp(now); }
  microseconds Elapsed() const override { return now; }
  microseconds now = seconds(1'000);
};

class RollingCountsTest : public testing::Test {
 protected:
  // How many of ten are taken.
  int Taken(const std::string& key, seconds window = seconds(1), int most = 5) {
    int taken = 0;
    for (int i = 0; i < 10; ++i) taken += counts_.Take(key, window, most) ? 1 : 0;
    return taken;
  }
  SetClock clock_;
  RollingCounts counts_{clock_, 3};
};

TEST_F(RollingCountsTest, NoWindowOfTimeHasMoreThanItsMost) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(counts_.Take("a", seconds(1), 5));
  clock_.now += milliseconds(600);
  EXPECT_EQ(Taken("a"), 2);
  clock_.now += milliseconds(399);
  EXPECT_EQ(Taken("a"), 0);
  clock_.now += milliseconds(1);  // the first three are a second old
  EXPECT_EQ(Taken("a"), 3);
  clock_.now += seconds(10);  // and what was not used does not add up
  EXPECT_EQ(Taken("a"), 5);
}

TEST_F(RollingCountsTest, EachKeyCountsForItself) {
  EXPECT_EQ(Taken("a"), 5);
  EXPECT_EQ(Taken("b", std::chrono::hours(24), 2), 2);
  clock_.now += seconds(1);
  EXPECT_EQ(Taken("a"), 5);
  EXPECT_EQ(Taken("b", std::chrono::hours(24), 2), 0);
  clock_.now += std::chrono::hours(24);
  EXPECT_EQ(Taken("b", std::chrono::hours(24), 2), 2);
}

TEST_F(RollingCountsTest, WhatIsGivenBackCanBeTakenAgain) {
  EXPECT_EQ(Taken("a", seconds(1), 2), 2);
  counts_.GiveBack("a");
  EXPECT_EQ(Taken("a", seconds(1), 2), 1);
  counts_.GiveBack("never taken");
}

TEST_F(RollingCountsTest, KeysAreBoundedAndComeFreeWithTheirWindows) {
  EXPECT_EQ(Taken("a"), 5);
  EXPECT_EQ(Taken("b"), 5);
  EXPECT_EQ(Taken("c", std::chrono::hours(24)), 5);
  EXPECT_EQ(Taken("d"), 0);
  clock_.now += seconds(2);
  EXPECT_EQ(Taken("d"), 5);
  EXPECT_EQ(Taken("e"), 5);
  EXPECT_EQ(Taken("f"), 0);
  EXPECT_EQ(Taken("c", std::chrono::hours(24)), 0);  // was not forgotten for it
}

}  // namespace
}  // namespace weft::aws
