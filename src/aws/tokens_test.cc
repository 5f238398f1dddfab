// SPDX-License-Identifier: Apache-2.0
#include "aws/tokens.h"

#include <gtest/gtest.h>

#include "aws/kinesis/names.h"

namespace weft::aws {
namespace {

using nlohmann::json;

class SetClock final : public Clock {
 public:
  Timestamp Now() const override { return now; }
  microseconds Elapsed() const override { return now.time_since_epoch(); }
  Timestamp now{seconds(1'700'000'000)};
};

TEST(Tokens, OpenWhereTheyWereMadeAndForWhat) {
  SetClock clock;
  const Tokens tokens(std::string(32, 'k'), clock, SystemRandom());
  const std::string token = tokens.Make("iterator", {"a", 7});
  clock.now += seconds(60);
  const auto opened = tokens.Open("iterator", token);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->content, (json{"a", 7}));
  EXPECT_EQ(clock.now - opened->made, seconds(60));
  EXPECT_FALSE(tokens.Open("page", token).has_value());
  // Another server's master key.
  EXPECT_FALSE(
      Tokens(std::string(32, 'x'), clock, SystemRandom()).Open("iterator", token).has_value());
  // The same one, after a restart.
  EXPECT_TRUE(
      Tokens(std::string(32, 'k'), clock, SystemRandom()).Open("iterator", token).has_value());
}

TEST(Tokens, DoNotOpenWhenAnyCharacterIsAnother) {
  SetClock clock;
  const Tokens tokens(std::string(32, 'k'), clock, SystemRandom());
  const std::string token = tokens.Make("iterator", {"a", 7});
  for (size_t i = 0; i + 2 < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(tokens.Open("iterator", changed).has_value()) << i;
  }
  for (const char* text : {"", "AAAA", "not base64", "AQ=="}) {
    EXPECT_FALSE(tokens.Open("iterator", text).has_value()) << text;
  }
}

TEST(KinesisArn, IsOfAStreamOrAConsumer) {
  const auto stream = kinesis::ParseArn("arn:aws:kinesis:eu-west-1:111122223333:stream/a-b");
  ASSERT_TRUE(stream.has_value());
  EXPECT_EQ(stream->region, "eu-west-1");
  EXPECT_EQ(stream->account.text(), "111122223333");
  EXPECT_EQ(stream->stream, "a-b");
  EXPECT_EQ(stream->consumer, "");
  const auto consumer =
      kinesis::ParseArn("arn:aws:kinesis:eu-west-1:111122223333:stream/a/consumer/c:1700000000");
  ASSERT_TRUE(consumer.has_value());
  EXPECT_EQ(consumer->stream, "a");
  EXPECT_EQ(consumer->consumer, "c");
  EXPECT_EQ(consumer->epoch, 1'700'000'000);
  for (const char* text :
       {"", "a", "arn:aws:kinesis:r:1:stream/", "arn:aws:s3:r:1:stream/a",
        "arn:aws:kinesis:r:1:table/a", "arn:aws:kinesis:r:1:stream/a/consumer/c",
        "arn:aws:kinesis:r:1:stream/a/consumer/:5", "arn:aws:kinesis:r:1:stream/a/consumer/c:x",
        "arn:aws:kinesis:r:1:stream/a/b"}) {
    EXPECT_FALSE(kinesis::ParseArn(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace weft::aws
