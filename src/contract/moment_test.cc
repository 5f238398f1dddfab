// SPDX-License-Identifier: Apache-2.0
#include "contract/moment.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace weft::contract {
namespace {

TEST(Moment, CountsEveryDay) {
  int32_t next = -719'162;
  for (int year = 1; year <= 9999; ++year) {
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    for (int month = 1; month <= 12; ++month) {
      const int length = month == 2                                              ? (leap ? 29 : 28)
                         : month == 4 || month == 6 || month == 9 || month == 11 ? 30
                                                                                 : 31;
      for (int day : {1, 28, length}) {
        ASSERT_EQ(ParseDate(fmt::format("{:04}-{:02}-{:02}", year, month, day)), next + day - 1);
      }
      ASSERT_EQ(ParseDate(fmt::format("{:04}-{:02}-{:02}", year, month, length + 1)), std::nullopt);
      next += length;
    }
  }
  EXPECT_EQ(ParseDate("1970-01-01"), 0);
}

// Only the capital letter is read the quick way.
TEST(Moment, IsTheSameWhicheverWayItIsRead) {
  std::mt19937 random(9);
  UsualMoments moments;
  int good = 0, usual = 0;
  std::string day;
  for (int round = 0; round < 200'000; ++round) {
    std::string text =
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", random() % 3000, random() % 14,
                    random() % 33, random() % 25, random() % 61, random() % 61);
    // Mostly the day of the one before.
    if (round % 4 == 0) day = text.substr(0, 11);
    text.replace(0, 11, day);
    const auto digits = random() % 9;
    if (digits > 0) text += '.';
    for (uint64_t i = 1; i < digits; ++i) text += static_cast<char>('0' + random() % 10);
    if (random() % 4 == 0) text[random() % text.size()] = "0:-T./ Z9\xb0"[random() % 10];
    const auto quick = ParseTimestamp(text + "Z"), other = ParseTimestamp(text + "z");
    ASSERT_EQ(quick.has_value(), other.has_value()) << text;
    int64_t micros = 0;
    if (moments.Read(text + "Z", micros)) {
      ++usual;
      ASSERT_TRUE(other) << text;
      ASSERT_EQ(micros, other->micros) << text;
    }
    if (!quick) continue;
    ++good;
    ASSERT_EQ(quick->micros, other->micros) << text;
    ASSERT_EQ(quick->zoned, other->zoned) << text;
  }
  EXPECT_GT(good, 50'000);
  EXPECT_GT(usual, 50'000);
}

TEST(UsualMoments, BeginWithADayOfTheirOwn) {
  UsualMoments moments;
  int64_t micros = 0;
  EXPECT_FALSE(moments.Read(std::string(11, '\0') + "10:11:12Z", micros));
  ASSERT_TRUE(moments.Read("1970-01-01T00:00:01.5Z", micros));
  EXPECT_EQ(micros, 1'500'000);
  ASSERT_TRUE(moments.Read("1969-12-31T23:59:59Z", micros));
  EXPECT_EQ(micros, -1'000'000);
  ASSERT_TRUE(moments.Read("1969-12-31T00:00:00.000001Z", micros));
  EXPECT_EQ(micros, 1 - 86'400'000'000);
}

}  // namespace
}  // namespace weft::contract
