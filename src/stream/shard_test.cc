// SPDX-License-Identifier: Apache-2.0
#include "stream/shard.h"

#include <gtest/gtest.h>

#include "stream/record_head.h"

namespace weft::stream {
namespace {

TEST(HashKeyTest, IsTheMd5OfThePartitionKeyReadAsANumber) {
  EXPECT_EQ(HashKeyText(HashOf("")), "281949768489412648962353822266799178366");
  EXPECT_EQ(HashKeyText(HashOf("a")), "16955237001963240173058271559858726497");
}

TEST(HashKeyTest, HasOneDecimalText) {
  const std::string most = "340282366920938463463374607431768211455";
  for (const std::string& text : {std::string("0"), std::string("10"), most}) {
    auto key = ParseHashKey(text);
    ASSERT_TRUE(key) << text;
    EXPECT_EQ(HashKeyText(*key), text);
  }
  EXPECT_EQ(*ParseHashKey(most), kHashKeyMax);
  for (const char* bad :
       {"", "00", "01", "-1", "+1", " 1", "1 ", "0x1", "1.0",
        "340282366920938463463374607431768211456", "999999999999999999999999999999999999999",
        "3402823669209384634633746074317682114550"}) {
    EXPECT_FALSE(ParseHashKey(bad)) << bad;
  }
}

TEST(RecordIdTest, SortsAsTheOffset) {
  EXPECT_EQ(RecordId(0, {7}), "0000-0000000000000000007");
  EXPECT_EQ(RecordId(12, {INT64_MAX}), "0012-9223372036854775807");
  EXPECT_LT(RecordId(0, {9}), RecordId(0, {10}));
  EXPECT_LT(RecordId(0, {INT64_MAX}), RecordId(1, {0}));
}

TEST(RecordIdTest, OfAnAggregatesRecordsSortBetweenThoseOfTheirNeighbours) {
  EXPECT_LT(RecordId(0, {6}), RecordId(0, {7}, 0));
  EXPECT_LT(RecordId(0, {7}, 9), RecordId(0, {7}, 10));
  EXPECT_LT(RecordId(0, {7}, 99'999), RecordId(0, {8}));
}

TEST(SequenceNumberTest, GoesToTextAndBack) {
  const SequenceNumber number{
      .stream = 9'999'999'999, .shard = 999'999'999, .offset = {INT64_MAX - 1}, .quarantined = 12};
  EXPECT_EQ(number.Text(), "49999999999999999999992233720368547758070000000000000012");
  EXPECT_EQ(SequenceNumber::Parse(number.Text()), number);
  EXPECT_EQ(SequenceNumber{}.Text(), "49" + std::string(54, '0'));
}

TEST(SequenceNumberTest, SortsAsTextAndAsNumber) {
  const SequenceNumber sorted[] = {
      {.stream = 3, .shard = 0},  // before all records
      {.stream = 3, .shard = 0, .quarantined = 1},
      {.stream = 3, .shard = 0, .quarantined = 2},
      {.stream = 3, .shard = 0, .offset = {0}},
      {.stream = 3, .shard = 0, .offset = {9}},
      {.stream = 3, .shard = 0, .offset = {9}, .quarantined = 1},
      {.stream = 3, .shard = 0, .offset = {10}},
      {.stream = 3, .shard = 1, .offset = {0}},
      {.stream = 4, .shard = 0, .offset = {0}},
  };
  for (size_t i = 1; i < std::size(sorted); ++i) {
    EXPECT_LT(sorted[i - 1], sorted[i]);
    EXPECT_LT(sorted[i - 1].Text(), sorted[i].Text());
    EXPECT_EQ(SequenceNumber::Parse(sorted[i - 1].Text()), sorted[i - 1]);
  }
}

TEST(SequenceNumberTest, RefusesWhatIsNone) {
  const std::string good = SequenceNumber{.stream = 1}.Text();
  for (std::string bad :
       {std::string(), std::string("0"), good + "0", good.substr(1), "50" + good.substr(2),
        "49-" + good.substr(3), "49" + std::string(54, '9'), good.substr(0, 55) + "x"}) {
    EXPECT_FALSE(SequenceNumber::Parse(bad)) << bad;
  }
}

TEST(ShardNameTest, IsThatOfKinesis) {
  EXPECT_EQ(ShardName(3), "shardId-000000000003");
  EXPECT_EQ(ParseShardName("shardId-000000000003"), 3);
  for (const char* bad : {"", "shardId-3", "shardId-0000000000003", "shardId--00000000003",
                          "shardid-000000000003", "shardId-999999999999"}) {
    EXPECT_FALSE(ParseShardName(bad)) << bad;
  }
}

TEST(RecordHeadTest, GivesBackWhatWasPut) {
  const RecordHead heads[] = {
      {},
      {.rest = std::string_view("\x01row", 4)},
      {.partition_key = "k"},
      {.partition_key = "k",
       .explicit_hash = kHashKeyMax - 1,
       .rest = std::string_view("\x01row", 4)},
      {.partition_key = "k", .taken = {true}},
      {.partition_key = "k",
       .taken = {false, true, true, true, true, true, true, true, true, false}},
      {.explicit_hash = HashKey{0}},
  };
  for (const RecordHead& head : heads) {
    const Bytes bytes = EncodeRecordHead(head);
    auto back = DecodeRecordHead(bytes);
    ASSERT_TRUE(back.ok()) << back.error().message();
    EXPECT_EQ(back->partition_key, head.partition_key);
    EXPECT_EQ(back->explicit_hash, head.explicit_hash);
    EXPECT_EQ(back->taken, head.taken);
    EXPECT_EQ(back->rest, head.rest);
  }
}

TEST(RecordHeadTest, HasTheDocumentedBytes) {
  EXPECT_EQ(EncodeRecordHead({}), "");
  const std::string_view row("\x01\x05\0\0\0orders", 11);
  EXPECT_EQ(EncodeRecordHead({.rest = row}), row);
  EXPECT_EQ(EncodeRecordHead({.partition_key = "key",
                              .explicit_hash = HashKey{0x0102},
                              .taken = {true, false, true},
                              .rest = row}),
            Bytes("\x02\x03\x03\0key\x02\x01", 9) + Bytes(14, '\0') + Bytes("\x03\0\0\0\x05", 5) +
                Bytes(row));
}

TEST(RecordHeadTest, EveryShorterHeadIsDamaged) {
  const Bytes whole =
      EncodeRecordHead({.partition_key = "key", .explicit_hash = HashKey{1}, .taken = {true}});
  for (size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(DecodeRecordHead(whole.substr(0, size)).error().code(), Code::kCorrupt) << size;
  }
}

TEST(RecordHeadTest, UnknownVersionsAndFlagsAreDamage) {
  for (const std::string& bad :
       {std::string("k"), std::string(1, '\0'), std::string("\x03\0\0\0", 4),
        std::string("\x02\x04\0\0", 4), std::string("\x02\x02\0\0\0\0\0\0", 8)}) {
    EXPECT_EQ(DecodeRecordHead(bad).error().code(), Code::kCorrupt);
  }
}

}  // namespace
}  // namespace weft::stream
