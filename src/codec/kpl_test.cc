// SPDX-License-Identifier: Apache-2.0
#include "codec/kpl.h"

#include <gtest/gtest.h>

#include <random>

#include "codec/hash.h"

namespace weft::codec {
namespace {

// Made with AWS's own aggregator for Python (aws-kinesis-agg 1.2.3).
constexpr std::string_view kThreeRecords =
    "f3899ac20a01610a016212033132331a0c08001a087b226964223a317d1a0e080110001a087b226964223a327d1a06"
    "08001a0200ffa7293e21dbad0cf1bd82143ee15ca705";

Bytes Hex(std::string_view text) {
  auto bytes = HexDecode(text);
  EXPECT_TRUE(bytes.ok());
  return *bytes;
}

// An aggregate around any message.
Bytes Wrap(const Bytes& message) {
  const auto digest = Md5(message);
  return Bytes("\xf3\x89\x9a\xc2") + message +
         Bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
}

std::vector<UserRecord> Three() {
  return {{.partition_key = "a", .explicit_hash = "", .data = "{\"id\":1}"},
          {.partition_key = "b", .explicit_hash = "123", .data = "{\"id\":2}"},
          {.partition_key = "a", .explicit_hash = "", .data = BytesView("\x00\xff", 2)}};
}

void ExpectSame(const std::optional<std::vector<UserRecord>>& records,
                const std::vector<UserRecord>& wanted) {
  ASSERT_TRUE(records.has_value());
  ASSERT_EQ(records->size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ((*records)[i].partition_key, wanted[i].partition_key) << i;
    EXPECT_EQ((*records)[i].explicit_hash, wanted[i].explicit_hash) << i;
    EXPECT_EQ((*records)[i].data, wanted[i].data) << i;
  }
}

TEST(Kpl, ReadsAndWritesWhatAmazonsAggregatorMakes) {
  const Bytes aggregate = Hex(kThreeRecords);
  ExpectSame(SplitAggregate(aggregate), Three());
  EXPECT_EQ(HexEncode(MakeAggregate(Three())), kThreeRecords);
}

TEST(Kpl, GoesThereAndBackWithManyRecordsAndLargeOnes) {
  std::vector<std::string> keys, datas;
  for (size_t i = 0; i < 3'000; ++i) {
    keys.push_back("key-" + std::to_string(i % 700));
    datas.emplace_back(i % 500 == 0 ? 200'000 : i % 300, static_cast<char>(i));
  }
  std::vector<UserRecord> records;
  for (size_t i = 0; i < keys.size(); ++i) {
    records.push_back(
        {keys[i], i % 3 == 0 ? "340282366920938463463374607431768211455" : "", datas[i]});
  }
  const Bytes aggregate = MakeAggregate(records);
  ExpectSame(SplitAggregate(aggregate), records);
}

TEST(Kpl, TablesMayFollowTheRecordsAndWhatIsUnknownIsPassedOver) {
  // A user record with a tag and an unknown number, then its key, then unknown fields of each kind.
  const Bytes message =
      Hex("1a0d"
          "0800"
          "1a0178"
          "22040a02666f"
          "2805"
          "0a016b"
          "4801"
          "510000000000000000"
          "5d00000000"
          "62023132");
  ExpectSame(SplitAggregate(Wrap(message)),
             {{.partition_key = "k", .explicit_hash = "", .data = "x"}});
}

TEST(Kpl, WhatIsNotWholeIsNoAggregate) {
  EXPECT_FALSE(SplitAggregate("").has_value());
  EXPECT_FALSE(SplitAggregate("{\"id\":1}").has_value());
  EXPECT_FALSE(SplitAggregate(Bytes("\xf3\x89\x9a\xc2")).has_value());
  const char* messages[] = {
      "",                                // no user records
      "0a016b",                          // a key and nothing else
      "1a0508001a0178",                  // an index without a table
      "0a016b1a0508011a0178",            // an index past its table
      "0a016b1a07080010001a0178",        // an explicit hash key past its table
      "0a016b1a020800",                  // no data
      "0a016b1a031a0178",                // no key
      "0a016b1a0508001a0278",            // data past the record's end
      "0a016b1aff01",                    // a record past the message's end
      "0a016b1affffffffffffffffff01",    // a size of 64 bits
      "0a016b1affffffffffffffffffff01",  // a number of more than 64 bits
      "0a016b1a05080b1a01780b0c",        // a group
      "0a016b1a0508001a0178078000",      // a wire type that does not exist
      "0a016b1a0508001a01780001",        // field 0
      "0a016b1a0508001a017880",          // a number that does not end
  };
  for (const char* message : messages) {
    EXPECT_FALSE(SplitAggregate(Wrap(Hex(message))).has_value()) << message;
  }
  const std::string key(1'024, 'k'), longer(1'025, 'k');
  EXPECT_TRUE(SplitAggregate(MakeAggregate({{key, "", "x"}})).has_value());
  EXPECT_FALSE(SplitAggregate(MakeAggregate({{longer, "", "x"}})).has_value());
  EXPECT_FALSE(SplitAggregate(MakeAggregate({{"\xff", "", "x"}})).has_value());
  EXPECT_TRUE(SplitAggregate(Wrap(Hex("0a016b1a0508001a0178"))).has_value());
}

TEST(Kpl, HoldsAHundredThousandRecordsAndNoMore) {
  std::vector<UserRecord> records(100'000, {.partition_key = "k", .explicit_hash = "", .data = ""});
  EXPECT_TRUE(SplitAggregate(MakeAggregate(records)).has_value());
  records.push_back(records.front());
  EXPECT_FALSE(SplitAggregate(MakeAggregate(records)).has_value());
}

TEST(Kpl, EveryDamagedOctetIsSeen) {
  const Bytes aggregate = Hex(kThreeRecords);
  for (size_t i = 0; i < aggregate.size(); ++i) {
    Bytes damaged = aggregate;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(SplitAggregate(damaged).has_value()) << i;
    EXPECT_FALSE(SplitAggregate(aggregate.substr(0, i)).has_value()) << i;
  }
}

// Whatever the octets say, under a right checksum: views stay within them.
TEST(Kpl, ReadsNothingOutsideOfAHostileMessage) {
  std::mt19937 random(7);
  const Bytes whole = Hex(kThreeRecords);
  const Bytes message = whole.substr(4, whole.size() - 20);
  int read = 0;
  for (int round = 0; round < 50'000; ++round) {
    Bytes changed = message;
    for (unsigned n = random() % 4; n > 0; --n) {
      changed[random() % changed.size()] = static_cast<char>(random());
    }
    if (random() % 3 == 0) changed.resize(random() % changed.size());
    const Bytes record = Wrap(changed);
    const auto records = SplitAggregate(record);
    if (!records) continue;
    ++read;
    auto within = [&](std::string_view view) {
      return view.empty() || (view.data() >= record.data() &&
                              view.data() + view.size() <= record.data() + record.size());
    };
    for (const auto& user : *records) {
      ASSERT_TRUE(within(user.partition_key) && within(user.explicit_hash) && within(user.data));
    }
  }
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace weft::codec
