// SPDX-License-Identifier: Apache-2.0
// What clients are told of requests that are wrong: AWS's own words.
#include <gtest/gtest.h>

#include "aws/cbor.h"
#include "aws/encoding.h"

namespace weft::aws {
namespace {

using nlohmann::json;

Outcome<json> Read(const char* operation, std::string_view body,
                   Encoding encoding = Encoding::kJson) {
  const ServiceModel& model = KinesisModel();
  return ReadInput(model, model.Find(operation)->input, encoding, body);
}

struct Case {
  const char* operation;
  const char* body;
  const char* text;
};

TEST(Input, WrongTypesAreToldInJavasNames) {
  const Case cases[] = {
      {"CreateStream", R"({"StreamName": true})",
       "class java.lang.Boolean can not be converted to an String"},
      {"CreateStream", R"({"StreamName": 23})",
       "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an "
       "String"},
      {"CreateStream", R"({"ShardCount": "1"})",
       "class java.lang.String can not be converted to an Integer"},
      {"CreateStream", R"({"ShardCount": true})",
       "class java.lang.Boolean can not be converted to an Integer"},
      {"DeleteStream", R"({"EnforceConsumerDeletion": "23"})",
       "'23' can not be converted to an Boolean"},
      {"DeleteStream", R"({"EnforceConsumerDeletion": 1})",
       "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an "
       "Boolean"},
      {"PutRecord", R"({"Data": false})", "class java.lang.Boolean can not be converted to a Blob"},
      {"PutRecord", R"({"Data": "23456"})",
       "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 "
       "bytes but found: 5"},
      {"PutRecord", R"({"Data": "=234"})",
       "'=234' can not be converted to a Blob: Invalid Base64 character: '='"},
      {"PutRecord", R"({"Data": "ww=="})", ""},
      {"PutRecord", R"({"Data": "w===" })", nullptr},
      {"GetShardIterator", R"({"Timestamp": "now"})",
       "class java.lang.String can not be converted to milliseconds since epoch"},
      {"PutRecords", R"({"Records": 1})", "Expected list or null"},
      {"AddTagsToStream", R"({"Tags": "a"})", "Expected map or null"},
      {"CreateStream", R"({"StreamModeDetails": 1})", "Expected null"},
      {"CreateStream", R"({"StreamName": []})", "Start of list found where not expected"},
      {"CreateStream", R"({"StreamName": {}})",
       "Start of structure or map found where not expected."},
      {"PutRecords", R"({"Records": {}})", "Start of structure or map found where not expected."},
  };
  for (const Case& one : cases) {
    const auto outcome = Read(one.operation, one.body);
    ASSERT_FALSE(outcome.ok()) << one.body;
    if (one.text == nullptr) {
      EXPECT_EQ(outcome.error().type, "SerializationException") << one.body;
      continue;
    }
    if (*one.text == '\0') {
      EXPECT_EQ(outcome.error().type, "ValidationException") << one.body;
      continue;
    }
    EXPECT_EQ(outcome.error().type, "SerializationException");
    EXPECT_EQ(outcome.error().message, one.text);
    EXPECT_STREQ(outcome.error().member, "Message");
  }
}

TEST(Input, BrokenConstraintsAreToldAllAtOnce) {
  const Case cases[] = {
      {"PutRecord", R"({"StreamName": "", "Data": null, "PartitionKey": ""})",
       "4 validation errors detected: "
       "Value '' at 'streamName' failed to satisfy constraint: Member must satisfy regular "
       "expression pattern: [a-zA-Z0-9_.-]+; "
       "Value '' at 'streamName' failed to satisfy constraint: Member must have length greater "
       "than or equal to 1; "
       "Value null at 'data' failed to satisfy constraint: Member must not be null; "
       "Value '' at 'partitionKey' failed to satisfy constraint: Member must have length greater "
       "than or equal to 1"},
      {"DescribeStream", R"({"StreamName": "a", "Limit": 10001})",
       "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member "
       "must have value less than or equal to 10000"},
      {"DescribeStream", R"({"StreamName": "a", "Limit": 0})",
       "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member "
       "must have value greater than or equal to 1"},
      {"DescribeStream", R"({"StreamName": "a", "Limit": 9999999999})",
       "1 validation error detected: Value '2147483647' at 'limit' failed to satisfy constraint: "
       "Member must have value less than or equal to 10000"},
      {"UpdateStreamMode",
       R"({"StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/a", "StreamModeDetails": {"StreamMode": "X"}})",
       "1 validation error detected: Value 'X' at 'streamModeDetails.streamMode' failed to satisfy "
       "constraint: Member must satisfy enum value set: [PROVISIONED, ON_DEMAND]"},
      {"PutRecords", R"({"StreamName": "a", "Records": []})",
       "1 validation error detected: Value '[]' at 'records' failed to satisfy constraint: Member "
       "must have length greater than or equal to 1"},
      {"PutRecords", R"({"StreamName": "a", "Records": [{"Data": "eA==", "PartitionKey": ""}]})",
       "1 validation error detected: Value '' at 'records.1.member.partitionKey' failed to satisfy "
       "constraint: Member must have length greater than or equal to 1"},
      {"AddTagsToStream", R"({"StreamName": "a", "Tags": {"": "b"}})",
       "1 validation error detected: Value '{=b}' at 'tags' failed to satisfy constraint: Map keys "
       "must satisfy constraint: [Member must have length less than or equal to 128, Member must "
       "have length greater than or equal to 1]"},
      {"RemoveTagsFromStream", R"({"StreamName": "a", "TagKeys": ["b", ""]})",
       "1 validation error detected: Value '[b, ]' at 'tagKeys' failed to satisfy constraint: "
       "Member must satisfy constraint: [Member must have length less than or equal to 128, Member "
       "must have length greater than or equal to 1]"},
  };
  for (const Case& one : cases) {
    const auto outcome = Read(one.operation, one.body);
    ASSERT_FALSE(outcome.ok()) << one.body;
    EXPECT_EQ(outcome.error().type, "ValidationException");
    EXPECT_EQ(outcome.error().message, one.text);
  }
}

TEST(Input, BodiesThatAreNoObjectAreRefusedWithoutAText) {
  for (const char* body : {"", "[]", "1", "{", "nonsense", "\"a\""}) {
    const auto outcome = Read("ListStreams", body);
    ASSERT_FALSE(outcome.ok()) << body;
    EXPECT_EQ(outcome.error().type, "SerializationException");
    EXPECT_EQ(outcome.error().message, "");
    EXPECT_FALSE(Read("ListStreams", body, Encoding::kCbor).ok());
  }
  EXPECT_FALSE(Read("ListStreams", std::string(1'000'000, '[')).ok());
}

TEST(Input, UnknownMembersAndNullsArePassedOver) {
  const auto input =
      Read("ListStreams", R"({"Limit": 5, "Else": {"deep": [1]}, "NextToken": null})");
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(*input, (json{{"Limit", 5}}));
}

TEST(Input, BothEncodingsGiveTheSame) {
  const auto from_json = Read(
      "GetShardIterator",
      R"({"StreamName": "a", "ShardId": "s", "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1700000000.123})");
  Bytes body;
  CborMap(body, 4);
  CborText(body, "StreamName");
  CborText(body, "a");
  CborText(body, "ShardId");
  CborText(body, "s");
  CborText(body, "ShardIteratorType");
  CborText(body, "AT_TIMESTAMP");
  CborText(body, "Timestamp");
  CborTime(body, 1'700'000'000'123);
  const auto from_cbor = Read("GetShardIterator", body, Encoding::kCbor);
  ASSERT_TRUE(from_json.ok() && from_cbor.ok());
  EXPECT_EQ(TimeOf(from_json->at("Timestamp")), TimeOf(from_cbor->at("Timestamp")));
  EXPECT_EQ(TimeOf(from_json->at("Timestamp")), Timestamp(milliseconds(1'700'000'000'123)));
}

TEST(Output, WritesBlobsAndTimesAsTheEncodingHasThem) {
  const ServiceModel& model = KinesisModel();
  const int16_t shape = model.Find("GetRecords")->output;
  const json records = {{{"SequenceNumber", "1"},
                         {"ApproximateArrivalTimestamp", Time(Timestamp(milliseconds(1'500)))},
                         {"Data", Blob("x\xFF")},
                         {"PartitionKey", "p"}}};
  const json answer = {{"Records", records}, {"MillisBehindLatest", 7}};
  EXPECT_EQ(WriteOutput(model, shape, Encoding::kJson, answer),
            R"({"Records":[{"SequenceNumber":"1","ApproximateArrivalTimestamp":1.500,)"
            R"("Data":"eP8=","PartitionKey":"p"}],"MillisBehindLatest":7})");
  const auto cbor = ReadCbor(WriteOutput(model, shape, Encoding::kCbor, answer), 8);
  ASSERT_TRUE(cbor.has_value());
  EXPECT_EQ(cbor->at("Records")[0].at("ApproximateArrivalTimestamp"), 1'500);
  EXPECT_EQ(BlobOf(cbor->at("Records")[0].at("Data")), "x\xFF");
}

TEST(Output, AnOperationWithoutAnAnswerAnswersNothing) {
  EXPECT_EQ(WriteOutput(KinesisModel(), -1, Encoding::kJson, json::object()), "");
}

}  // namespace
}  // namespace weft::aws
