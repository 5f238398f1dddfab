// SPDX-License-Identifier: Apache-2.0
#include "codec/hash.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "codec/sha256.h"

namespace weft::codec {
namespace {

TEST(Hash, Sha256OfKnownTexts) {
  EXPECT_EQ(HexEncode(Sha256("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexEncode(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hash, Md5OfRfc1321) {
  auto hex = [](BytesView bytes) {
    const auto digest = Md5(bytes);
    return HexEncode({reinterpret_cast<const char*>(digest.data()), digest.size()});
  };
  EXPECT_EQ(hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(Hash, HmacOfRfc4231) {
  EXPECT_EQ(HexEncode(HmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(HexEncode(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HexEncode(HmacSha256(std::string(131, '\xaa'),
                                 "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, HexGoesThereAndBack) {
  Bytes bytes("\x00\x01\xfe\xff", 4);
  EXPECT_EQ(HexEncode(bytes), "0001feff");
  EXPECT_EQ(*HexDecode("0001FEff"), bytes);
  EXPECT_EQ(*HexDecode(""), "");
  for (const char* bad : {"0", "0g", "xx", "00 1"}) EXPECT_FALSE(HexDecode(bad).ok()) << bad;
}

TEST(Hash, Base64OfRfc4648) {
  const std::pair<const char*, const char*> pairs[] = {
      {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
      {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (auto [plain, text] : pairs) {
    EXPECT_EQ(Base64Encode(plain), text);
    EXPECT_EQ(*Base64Decode(text), plain);
  }
}

TEST(Hash, Base64RefusesWhatHasNoOneMeaning) {
  for (const char* bad : {"Zg", "Zg=", "Zg===", "====", "Z===", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n",
                          "Zg==Zg==", "Zm-_"}) {
    EXPECT_FALSE(Base64Decode(bad).ok()) << bad;
  }
}

TEST(Hash, Base64OfEveryLength) {
  for (size_t length = 0; length < 100; ++length) {
    Bytes bytes = SystemRandom().NextBytes(length);
    EXPECT_EQ(*Base64Decode(Base64Encode(bytes)), bytes);
  }
}

TEST(Hash, Crc32cOfKnownTexts) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(Hash, Crc32cOfPartsIsThatOfTheWhole) {
  Bytes bytes = SystemRandom().NextBytes(1000);
  uint32_t whole = Crc32c(bytes);
  for (size_t cut : {size_t{0}, size_t{1}, size_t{7}, size_t{500}, size_t{999}, size_t{1000}}) {
    EXPECT_EQ(Crc32c(BytesView(bytes).substr(cut), Crc32c(BytesView(bytes).substr(0, cut))), whole);
  }
}

TEST(Hash, Crc32cOfManyOctetsIsThatOfFew) {
  for (const size_t size :
       {size_t{1535}, size_t{1536}, size_t{1543}, size_t{4700}, size_t{20'000}}) {
    const Bytes bytes = SystemRandom().NextBytes(size);
    uint32_t by_pieces = 0;
    for (size_t at = 0; at < size; at += 100) {
      by_pieces = Crc32c(BytesView(bytes).substr(at, 100), by_pieces);
    }
    EXPECT_EQ(Crc32c(bytes), by_pieces) << size;
  }
}

TEST(Hash, HmacKeySignsEachTextAnew) {
  const HmacKey key("Jefe");
  const auto sign = [&](BytesView text) { return HexDigest(key.Sign(text)); };
  const HexDigest first = sign("what do ya want for nothing?");
  EXPECT_EQ(first.text(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_NE(sign("").text(), first.text());
  EXPECT_EQ(sign("what do ya want for nothing?").text(), first.text());
}

TEST(Hash, ACopiedSha256GoesOnByItself) {
  Sha256State first;
  first.Add("a");
  Sha256State second = first;
  first.Add("bc");
  second.Add("bd");
  EXPECT_EQ(first.Finish(), Sha256Of("abc"));
  EXPECT_EQ(second.Finish(), Sha256Of("abd"));
}

TEST(Hash, EqualInConstantTimeComparesAll) {
  EXPECT_TRUE(EqualInConstantTime("", ""));
  EXPECT_TRUE(EqualInConstantTime("abc", "abc"));
  EXPECT_FALSE(EqualInConstantTime("abc", "abd"));
  EXPECT_FALSE(EqualInConstantTime("abc", "ab"));
  for (const size_t size : {size_t{7}, size_t{8}, size_t{9}, size_t{64}, size_t{67}}) {
    const std::string text(size, 'x');
    EXPECT_TRUE(EqualInConstantTime(text, std::string(size, 'x'))) << size;
    for (size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = static_cast<char>(other[at] ^ 0x80);
      EXPECT_FALSE(EqualInConstantTime(text, other)) << size << " at " << at;
    }
  }
}

}  // namespace
}  // namespace weft::codec
