// SPDX-License-Identifier: Apache-2.0
#include "codec/compression.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace weft::codec {
namespace {

class EachCompression : public testing::TestWithParam<Compression> {};

TEST_P(EachCompression, GivesBackWhatWentIn) {
  for (const Bytes& plain :
       {Bytes(), Bytes("x"), Bytes(3'000'000, 'a'), SystemRandom().NextBytes(300'000)}) {
    auto unpacked = Decompress(GetParam(), Compress(GetParam(), plain), 3'000'000);
    ASSERT_TRUE(unpacked.ok()) << unpacked.error().message();
    EXPECT_EQ(*unpacked, plain);
  }
}

TEST_P(EachCompression, StopsAtTheLimit) {
  Bytes packed = Compress(GetParam(), Bytes(50'000'000, 'a'));
  auto unpacked = Decompress(GetParam(), packed, 1000);
  ASSERT_FALSE(unpacked.ok());
  EXPECT_EQ(unpacked.error().code(), Code::kInvalid);
  EXPECT_EQ(unpacked.error().message(), "more than 1000 bytes unpacked");
  Bytes thousand = Compress(GetParam(), Bytes(1000, 'a'));
  EXPECT_TRUE(Decompress(GetParam(), thousand, 1000).ok());
  EXPECT_FALSE(Decompress(GetParam(), thousand, 999).ok());
  EXPECT_TRUE(Decompress(GetParam(), Compress(GetParam(), ""), 0).ok());
}

INSTANTIATE_TEST_SUITE_P(, EachCompression,
                         testing::Values(Compression::kNone, Compression::kGzip,
                                         Compression::kZstd));

class EachPacked : public testing::TestWithParam<Compression> {};

TEST_P(EachPacked, RefusesACutOffBody) {
  Bytes packed = Compress(GetParam(), SystemRandom().NextBytes(2000));
  for (size_t length = 0; length < packed.size(); length += 7) {
    EXPECT_EQ(Decompress(GetParam(), packed.substr(0, length), 1 << 20).error().code(),
              Code::kInvalid)
        << length;
  }
}

TEST_P(EachPacked, RefusesGarbage) {
  EXPECT_FALSE(Decompress(GetParam(), "this is not packed at all", 1 << 20).ok());
  EXPECT_FALSE(Decompress(GetParam(), Compress(GetParam(), "x") + "garbage", 1 << 20).ok());
}

TEST_P(EachPacked, TakesPartsOneAfterAnother) {
  Bytes packed = Compress(GetParam(), "first ") + Compress(GetParam(), "second");
  EXPECT_EQ(*Decompress(GetParam(), packed, 100), "first second");
}

INSTANTIATE_TEST_SUITE_P(, EachPacked, testing::Values(Compression::kGzip, Compression::kZstd));

TEST(Compression, NamesOfContentEncoding) {
  EXPECT_EQ(*ParseContentEncoding(""), Compression::kNone);
  EXPECT_EQ(*ParseContentEncoding("identity"), Compression::kNone);
  EXPECT_EQ(*ParseContentEncoding("GZIP"), Compression::kGzip);
  EXPECT_EQ(*ParseContentEncoding("x-gzip"), Compression::kGzip);
  EXPECT_EQ(*ParseContentEncoding("zstd"), Compression::kZstd);
  for (const char* bad : {"br", "deflate", "gzip, gzip", "aws-chunked"}) {
    EXPECT_EQ(ParseContentEncoding(bad).error().code(), Code::kInvalid) << bad;
  }
}

TEST(Compression, RawDeflateHasNoFrame) {
  Bytes plain(10'000, 'd');
  Bytes packed = Deflate(plain);
  EXPECT_LT(packed.size(), 100u);
  EXPECT_EQ(*Inflate(packed, 10'000), plain);
  EXPECT_FALSE(Inflate(packed, 9'999).ok());
  EXPECT_FALSE(Inflate(packed + "x", 10'000).ok());
  EXPECT_FALSE(Inflate(packed.substr(0, packed.size() - 1), 10'000).ok());
  EXPECT_EQ(*Inflate(Bytes("\x4b\x04\x00", 3), 10), "a");
}

}  // namespace
}  // namespace weft::codec
