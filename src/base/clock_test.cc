// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(TimestampTest, SortsAsText) {
  EXPECT_EQ(FormatTimestamp(Timestamp(microseconds(0))), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatTimestamp(Timestamp(microseconds(1'793'527'200'123'456))),
            "2026-11-01T10:00:00.123456Z");
  EXPECT_EQ(FormatTimestamp(Timestamp(microseconds(-1))), "1969-12-31T23:59:59.999999Z");
}

TEST(TimestampTest, TheBasicFormReadsAgain) {
  Timestamp time(seconds(1'793'527'200));
  EXPECT_EQ(FormatBasicTimestamp(time), "20261101T100000Z");
  EXPECT_EQ(*ParseBasicTimestamp("20261101T100000Z"), time);
  EXPECT_EQ(*ParseBasicTimestamp("20240229T235959Z"), Timestamp(seconds(1'709'251'199)));
}

TEST(TimestampTest, RefusesWhatIsNotABasicTimestamp) {
  for (const char* bad :
       {"", "20261101T100000", "20261101 100000Z", "20261301T100000Z", "20260229T100000Z",
        "20261101T240000Z", "20261101T106000Z", "2026110aT100000Z", "20261101T100000z",
        "-0261101T100000Z", "20261101T100000Z ", "20261101T1000-1Z", "20261101T-01000Z"}) {
    EXPECT_EQ(ParseBasicTimestamp(bad).error().code(), Code::kInvalid) << bad;
  }
}

TEST(SystemClockTest, Goes) {
  auto before = SystemClock().Elapsed();
  EXPECT_GE(SystemClock().Elapsed(), before);
  EXPECT_GT(SystemClock().Now(), Timestamp(seconds(1'700'000'000)));
}

}  // namespace
}  // namespace weft
