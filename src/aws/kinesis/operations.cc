// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"

#include "aws/kinesis/names.h"
#include "aws/kinesis/reading.h"
#include "aws/kinesis/shards.h"

namespace weft::aws::kinesis {
namespace {

std::string AccountScope(const Call& call) { return "account " + call.caller.account.text(); }

std::string StreamScope(const Call& call) {
  const auto arn = ParseArn(call.resource.arn);
  return fmt::format("stream {} under account {}", arn ? arn->stream : call.resource.arn,
                     call.resource.owner.text());
}

std::string ShardScope(const Call& call) {
  return fmt::format("shard {} in {}", call.Text("ShardId"), StreamScope(call));
}

constexpr CallRate PerAccount(int calls_max) {
  return {.calls_max = calls_max, .scope = AccountScope};
}
constexpr CallRate PerStream(int calls_max) {
  return {.calls_max = calls_max, .scope = StreamScope};
}
constexpr CallRate PerShard(int calls_max) {
  return {.calls_max = calls_max,
          .scope = ShardScope,
          .fault = "ProvisionedThroughputExceededException"};
}
// Changes of a stream.
constexpr CallRate InADay(int changes_max) {
  return {.calls_max = changes_max,
          .window = std::chrono::hours(24),
          .scope = StreamScope,
          .successes_only = true};
}

}  // namespace

// Of each its name, which is also the action, what the caller must be allowed it on, what does it,
// and how often it may be called, as the API reference has it: "has a limit of five transactions
// per second per account". GetRecords and SubscribeToShard have rules of their own (stream/,
// subscriptions.h), puts the throughput of their shards.
std::span<const Operation> Operations() {
  static constexpr Operation kOperations[] = {
      {"AddTagsToStream", StreamOf, AddTagsToStream, {PerAccount(5)}},
      {"CreateStream", StreamOf, CreateStream, {PerAccount(5)}},
      {"DecreaseStreamRetentionPeriod", StreamOf, DecreaseStreamRetentionPeriod},
      {"DeleteResourcePolicy", ResourceOf, DeleteResourcePolicy},
      {"DeleteStream", StreamOf, DeleteStream, {PerAccount(5)}},
      {"DeregisterStreamConsumer", ConsumerOf, DeregisterStreamConsumer, {PerStream(5)}},
      {"DescribeAccountSettings", AccountOf, DescribeAccountSettings, {PerAccount(5)}},
      {"DescribeLimits", AccountOf, DescribeLimits, {PerAccount(1)}},
      {"DescribeStream", StreamOf, DescribeStream, {PerAccount(10)}},
      {"DescribeStreamConsumer", ConsumerOf, DescribeStreamConsumer, {PerStream(20)}},
      {"DescribeStreamSummary", StreamOf, DescribeStreamSummary, {PerAccount(20)}},
      {"DisableEnhancedMonitoring", StreamOf, DisableEnhancedMonitoring},
      {"EnableEnhancedMonitoring", StreamOf, EnableEnhancedMonitoring},
      {"GetRecords", StreamOfIterator, GetRecords},
      {"GetResourcePolicy", ResourceOf, GetResourcePolicy},
      {"GetShardIterator", StreamOf, GetShardIterator, {PerShard(5)}},
      {"IncreaseStreamRetentionPeriod", StreamOf, IncreaseStreamRetentionPeriod},
      {"ListShards", StreamOfShardList, ListShards, {PerStream(1'000)}},
      {"ListStreamConsumers", StreamOf, ListStreamConsumers, {PerStream(5)}},
      {"ListStreams", AccountOf, ListStreams, {PerAccount(5)}},
      {"ListTagsForResource", ResourceOf, ListTagsForResource},
      {"ListTagsForStream", StreamOf, ListTagsForStream, {PerAccount(5)}},
      {"MergeShards", StreamOf, MergeShards, {PerAccount(5)}},
      {"PutRecord", StreamOf, PutRecord},
      {"PutRecords", StreamOf, PutRecords},
      {"PutResourcePolicy", ResourceOf, PutResourcePolicy},
      {"RegisterStreamConsumer", StreamOf, RegisterStreamConsumer, {PerAccount(5)}},
      {"RemoveTagsFromStream", StreamOf, RemoveTagsFromStream, {PerAccount(5)}},
      {"SplitShard", StreamOf, SplitShard, {PerAccount(5)}},
      {"StartStreamEncryption", StreamOf, StartStreamEncryption, {InADay(25)}},
      {"StopStreamEncryption", StreamOf, StopStreamEncryption, {InADay(25)}},
      {"SubscribeToShard", ConsumerOf, SubscribeToShard},
      {"TagResource", ResourceOf, TagResource},
      {"UntagResource", ResourceOf, UntagResource},
      {"UpdateAccountSettings", AccountOf, UpdateAccountSettings, {PerAccount(5)}},
      {"UpdateMaxRecordSize", StreamOf, UpdateMaxRecordSize},
      {"UpdateShardCount", StreamOf, UpdateShardCount, {PerAccount(10), InADay(10)}},
      {"UpdateStreamMode", StreamOf, UpdateStreamMode},
      {"UpdateStreamWarmThroughput", StreamOf, UpdateStreamWarmThroughput, {PerAccount(5)}},
  };
  return kOperations;
}

}  // namespace weft::aws::kinesis
