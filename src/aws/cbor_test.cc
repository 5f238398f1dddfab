// SPDX-License-Identifier: Apache-2.0
#include "aws/cbor.h"

#include <gtest/gtest.h>

#include "codec/hash.h"

namespace weft::aws {
namespace {

using nlohmann::json;

std::optional<json> Read(std::string_view hex, int depth_max = 16) {
  return ReadCbor(*codec::HexDecode(hex), depth_max);
}

// Examples of RFC 8949, appendix A.
TEST(Cbor, ReadsWhatTheSpecificationShows) {
  EXPECT_EQ(Read("00"), json(0));
  EXPECT_EQ(Read("1818"), json(24));
  EXPECT_EQ(Read("1bffffffffffffffff"), json(18446744073709551615ULL));
  EXPECT_EQ(Read("3903e7"), json(-1000));
  EXPECT_EQ(Read("f93e00"), json(1.5));
  EXPECT_EQ(Read("f90001"), json(5.960464477539063e-8));
  EXPECT_EQ(Read("fa47c35000"), json(100000.0));
  EXPECT_EQ(Read("fb3ff199999999999a"), json(1.1));
  EXPECT_EQ(Read("f5"), json(true));
  EXPECT_EQ(Read("f6"), json(nullptr));
  EXPECT_EQ(Read("6449455446"), json("IETF"));
  EXPECT_EQ(Read("4401020304"), json::binary({1, 2, 3, 4}));
  EXPECT_EQ(Read("8301820203820405"), (json{1, {2, 3}, {4, 5}}));
  EXPECT_EQ(Read("a26161016162820203"), (json{{"a", 1}, {"b", {2, 3}}}));
  EXPECT_EQ(Read("c11a514b67b0"), json(1363896240));
  EXPECT_EQ(Read("5f42010243030405ff"), json::binary({1, 2, 3, 4, 5}));
  EXPECT_EQ(Read("7f657374726561646d696e67ff"), json("streaming"));
  EXPECT_EQ(Read("9f018202039f0405ffff"), (json{1, {2, 3}, {4, 5}}));
  EXPECT_EQ(Read("bf61610161629f0203ffff"), (json{{"a", 1}, {"b", {2, 3}}}));
}

TEST(Cbor, RefusesWhatIsNotOneWellFormedItem) {
  for (const char* hex :
       {"", "18", "0000", "62ff", "61ff", "5f6161ff", "9f01", "a101", "a10102", "1c", "ff", "f8ff",
        "bf6161ff", "9bffffffffffffffff", "5bffffffffffffffff"}) {
    EXPECT_FALSE(Read(hex).has_value()) << hex;
  }
}

TEST(Cbor, GoesNoDeeperThanAllowed) {
  EXPECT_TRUE(Read("81818101", 4).has_value());
  EXPECT_FALSE(Read("8181818101", 4).has_value());
  EXPECT_FALSE(ReadCbor(Bytes(1'000'000, '\x81'), 64).has_value());
  EXPECT_FALSE(ReadCbor(Bytes(1'000'000, '\xC1'), 64).has_value());
}

TEST(Cbor, WritesWhatItReads) {
  Bytes out;
  CborMap(out, 4);
  CborText(out, "n");
  CborInteger(out, -70'000);
  CborText(out, "d");
  CborDouble(out, 1.1);
  CborText(out, "b");
  CborBlob(out, Bytes(300, 'x'));
  CborText(out, "l");
  CborList(out, 1);
  CborBoolean(out, true);
  const auto read = ReadCbor(out, 8);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->at("n"), -70'000);
  EXPECT_EQ(read->at("d"), 1.1);
  EXPECT_EQ(read->at("b").get_binary().size(), 300U);
  EXPECT_EQ(read->at("l"), json::array({true}));
}

TEST(Cbor, WritesTimesAsTaggedMilliseconds) {
  Bytes out;
  CborTime(out, 1'700'000'000'123);
  EXPECT_EQ(codec::HexEncode(out), "c11b0000018bcfe5687b");
}

}  // namespace
}  // namespace weft::aws
