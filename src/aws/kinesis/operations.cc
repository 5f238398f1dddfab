// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"

#include "aws/kinesis/names.h"
#include "aws/kinesis/reading.h"
#include "aws/kinesis/shards.h"

namespace weft::aws::kinesis {

// Of each its name, which is also the action, and what the caller must be allowed it on.
std::span<const Operation> Operations() {
  static constexpr Operation kOperations[] = {
      {"AddTagsToStream", StreamOf, AddTagsToStream},
      {"CreateStream", StreamOf, CreateStream},
      {"DecreaseStreamRetentionPeriod", StreamOf, DecreaseStreamRetentionPeriod},
      {"DeleteResourcePolicy", ResourceOf, DeleteResourcePolicy},
      {"DeleteStream", StreamOf, DeleteStream},
      {"DeregisterStreamConsumer", ConsumerOf, DeregisterStreamConsumer},
      {"DescribeAccountSettings", AccountOf, DescribeAccountSettings},
      {"DescribeLimits", AccountOf, DescribeLimits},
      {"DescribeStream", StreamOf, DescribeStream},
      {"DescribeStreamConsumer", ConsumerOf, DescribeStreamConsumer},
      {"DescribeStreamSummary", StreamOf, DescribeStreamSummary},
      {"DisableEnhancedMonitoring", StreamOf, DisableEnhancedMonitoring},
      {"EnableEnhancedMonitoring", StreamOf, EnableEnhancedMonitoring},
      {"GetRecords", StreamOfIterator, GetRecords},
      {"GetResourcePolicy", ResourceOf, GetResourcePolicy},
      {"GetShardIterator", StreamOf, GetShardIterator},
      {"IncreaseStreamRetentionPeriod", StreamOf, IncreaseStreamRetentionPeriod},
      {"ListShards", StreamOfShardList, ListShards},
      {"ListStreamConsumers", StreamOf, ListStreamConsumers},
      {"ListStreams", AccountOf, ListStreams},
      {"ListTagsForResource", ResourceOf, ListTagsForResource},
      {"ListTagsForStream", StreamOf, ListTagsForStream},
      {"MergeShards", StreamOf, MergeShards},
      {"PutRecord", StreamOf, PutRecord},
      {"PutRecords", StreamOf, PutRecords},
      {"PutResourcePolicy", ResourceOf, PutResourcePolicy},
      {"RegisterStreamConsumer", StreamOf, RegisterStreamConsumer},
      {"RemoveTagsFromStream", StreamOf, RemoveTagsFromStream},
      {"SplitShard", StreamOf, SplitShard},
      {"StartStreamEncryption", StreamOf, StartStreamEncryption},
      {"StopStreamEncryption", StreamOf, StopStreamEncryption},
      {"SubscribeToShard", ConsumerOf, SubscribeToShard},
      {"TagResource", ResourceOf, TagResource},
      {"UntagResource", ResourceOf, UntagResource},
      {"UpdateAccountSettings", AccountOf, UpdateAccountSettings},
      {"UpdateMaxRecordSize", StreamOf, UpdateMaxRecordSize},
      {"UpdateShardCount", StreamOf, UpdateShardCount},
      {"UpdateStreamMode", StreamOf, UpdateStreamMode},
      {"UpdateStreamWarmThroughput", StreamOf, UpdateStreamWarmThroughput},
  };
  return kOperations;
}

}  // namespace weft::aws::kinesis
