// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

const std::vector<std::string> kKeys = {"retention", "delivery", "columns", "contract", "to"};

TEST(NearestTest, FindsWhatWasMeant) {
  EXPECT_EQ(Nearest("retenton", kKeys), "retention");
  EXPECT_EQ(Nearest("dleivery", kKeys), "delivery");
  EXPECT_EQ(Nearest("colums", kKeys), "columns");
  EXPECT_EQ(Nearest("contracts", kKeys), "contract");
}

TEST(NearestTest, SaysNothingWhenNoneIsNear) {
  EXPECT_EQ(Nearest("elephant", kKeys), "");
  EXPECT_EQ(Nearest("", kKeys), "");
  EXPECT_EQ(Nearest("retention", {}), "");
  EXPECT_EQ(Nearest(std::string(100'000, 'r'), kKeys), "");
}

TEST(NearestTest, AShortWordIsNotReplacedWhole) { EXPECT_EQ(Nearest("xy", kKeys), ""); }

}  // namespace
}  // namespace weft
