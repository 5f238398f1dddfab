// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

namespace weft {
namespace {

// Always the same octet.
class Constant final : public Random {
 public:
  explicit Constant(int octet) : octet_(octet) {}
  void Fill(void* to, size_t bytes) override { std::memset(to, octet_, bytes); }

 private:
  const int octet_;
};

TEST(RandomTest, UuidsAreOfVersion4) {
  EXPECT_EQ(Constant(0).NextUuid(), "00000000-0000-4000-8000-000000000000");
  EXPECT_EQ(Constant(0xff).NextUuid(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    std::string uuid = SystemRandom().NextUuid();
    EXPECT_THAT(uuid, testing::MatchesRegex(
                          "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

TEST(RandomTest, BytesAreAsManyAsAskedFor) {
  EXPECT_EQ(SystemRandom().NextBytes(0), "");
  EXPECT_EQ(SystemRandom().NextBytes(1000).size(), 1000u);
  EXPECT_NE(SystemRandom().NextBytes(32), SystemRandom().NextBytes(32));
}

TEST(RandomTest, TextUsesItsAlphabetEvenly) {
  std::map<char, int> counts;
  for (char c : SystemRandom().NextText(30'000, "abc")) ++counts[c];
  ASSERT_EQ(counts.size(), 3u);
  for (const auto& [c, count] : counts) EXPECT_NEAR(count, 10'000, 600) << c;
}

TEST(RandomTest, ScatteredNumbersAreThoseOfSplitMix64) {
  // The first numbers that the published generator gives from 0.
  uint64_t state = 0;
  EXPECT_EQ(Scatter(state += kScatterStep), 0xe220a8397b1dcdafU);
  EXPECT_EQ(Scatter(state += kScatterStep), 0x6e789e6aa1b965f4U);
  EXPECT_EQ(Scatter(state += kScatterStep), 0x06c45d188009454fU);
}

}  // namespace
}  // namespace weft
