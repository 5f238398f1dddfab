// SPDX-License-Identifier: Apache-2.0
#include "codec/seal.h"

#include <gtest/gtest.h>

namespace weft::codec {
namespace {

const Bytes kKey = "0123456789abcdef0123456789abcdef";

TEST(Seal, OpensWithTheSameKeyAndContext) {
  for (size_t length : {size_t{0}, size_t{1}, size_t{100}, size_t{1} << 20}) {
    Bytes plain = SystemRandom().NextBytes(length);
    Bytes sealed = Seal(kKey, plain, "place", SystemRandom());
    EXPECT_EQ(sealed.size(), 1 + 12 + plain.size() + 16);
    EXPECT_EQ(sealed[0], 1);
    auto opened = Open(kKey, sealed, "place");
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(*opened, plain);
  }
}

TEST(Seal, SealsTheSameTextDifferentlyEachTime) {
  EXPECT_NE(Seal(kKey, "text", "", SystemRandom()), Seal(kKey, "text", "", SystemRandom()));
}

TEST(Seal, DoesNotOpenElsewhereOrWithAnotherKey) {
  Bytes sealed = Seal(kKey, "secret", "here", SystemRandom());
  Bytes other = kKey;
  other[31] ^= 1;
  EXPECT_EQ(Open(other, sealed, "here").error().code(), Code::kCorrupt);
  EXPECT_EQ(Open(kKey, sealed, "there").error().code(), Code::kCorrupt);
  EXPECT_EQ(Open("short", sealed, "here").error().code(), Code::kCorrupt);
}

TEST(Seal, NoticesEveryChangedBit) {
  Bytes sealed = Seal(kKey, "secret", "here", SystemRandom());
  for (size_t i = 0; i < sealed.size() * 8; ++i) {
    Bytes changed = sealed;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(Open(kKey, changed, "here").ok()) << "bit " << i;
  }
}

TEST(Seal, NoticesACutAndAnAddition) {
  Bytes sealed = Seal(kKey, "secret", "here", SystemRandom());
  for (size_t length = 0; length < sealed.size(); ++length) {
    EXPECT_FALSE(Open(kKey, sealed.substr(0, length), "here").ok()) << length;
  }
  EXPECT_FALSE(Open(kKey, sealed + "x", "here").ok());
}

}  // namespace
}  // namespace weft::codec
