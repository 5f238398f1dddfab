// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(SizeTest, ReadsNumbersWithUnits) {
  EXPECT_EQ(*ParseSize("64 MiB"), int64_t{64} << 20);
  EXPECT_EQ(*ParseSize("2GiB"), int64_t{2} << 30);
  EXPECT_EQ(*ParseSize("10 MB"), 10'000'000);
  EXPECT_EQ(*ParseSize("512 KiB"), 512 * 1024);
  EXPECT_EQ(*ParseSize("0 B"), 0);
}

TEST(SizeTest, RefusesWhatIsNotOne) {
  for (const char* bad :
       {"", "64", "MiB", "-1 MiB", "1  MiB", "1 mib", "1.5 MiB", "1 MiB ", " 1 MiB", "+1 B",
        "9223372036854775807 KiB", "99999999999999999999 B", "1 s"}) {
    EXPECT_EQ(ParseSize(bad).error().code(), Code::kInvalid) << bad;
  }
}

TEST(SizeTest, WritesTheLargestUnitThatFits) {
  EXPECT_EQ(FormatSize(17), "17 B");
  EXPECT_EQ(FormatSize(1023), "1023 B");
  EXPECT_EQ(FormatSize(int64_t{64} << 20), "64 MiB");
  EXPECT_EQ(FormatSize(1536), "1.5 KiB");
  EXPECT_EQ(FormatSize(0), "0 B");
}

TEST(DurationTest, ReadsNumbersWithUnits) {
  EXPECT_EQ(*ParseDuration("60 s"), seconds(60));
  EXPECT_EQ(*ParseDuration("7d"), std::chrono::days(7));
  EXPECT_EQ(*ParseDuration("24h"), std::chrono::hours(24));
  EXPECT_EQ(*ParseDuration("5 m"), std::chrono::minutes(5));
  EXPECT_EQ(*ParseDuration("100 ms"), milliseconds(100));
  for (const char* bad : {"", "60", "s", "-1 s", "1 y", "106751991168 d"}) {
    EXPECT_EQ(ParseDuration(bad).error().code(), Code::kInvalid) << bad;
  }
}

TEST(DurationTest, WhatIsWrittenReadsAgain) {
  for (const char* text : {"60 s", "7 d", "24 h", "90 m", "100 ms", "0 s", "1001 ms"}) {
    auto duration = ParseDuration(text);
    ASSERT_TRUE(duration.ok());
    auto again = ParseDuration(FormatDuration(*duration));
    ASSERT_TRUE(again.ok()) << FormatDuration(*duration);
    EXPECT_EQ(*again, *duration);
  }
  EXPECT_EQ(FormatDuration(std::chrono::hours(24)), "1 d");
  EXPECT_EQ(FormatDuration(seconds(90)), "90 s");
}

}  // namespace
}  // namespace weft
