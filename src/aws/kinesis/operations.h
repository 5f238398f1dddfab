// SPDX-License-Identifier: Apache-2.0
// Kinesis Data Streams, API version 2013-12-02: all its operations. Each has a file of its name.
#pragma once

#include <span>

#include "aws/operation.h"

namespace weft::aws::kinesis {

std::span<const Operation> Operations();

Answer AddTagsToStream(const Call& call);
Answer CreateStream(const Call& call);
Answer DecreaseStreamRetentionPeriod(const Call& call);
Answer DeleteResourcePolicy(const Call& call);
Answer DeleteStream(const Call& call);
Answer DeregisterStreamConsumer(const Call& call);
Answer DescribeAccountSettings(const Call& call);
Answer DescribeLimits(const Call& call);
Answer DescribeStream(const Call& call);
Answer DescribeStreamConsumer(const Call& call);
Answer DescribeStreamSummary(const Call& call);
Answer DisableEnhancedMonitoring(const Call& call);
Answer EnableEnhancedMonitoring(const Call& call);
Answer GetRecords(const Call& call);
Answer GetResourcePolicy(const Call& call);
Answer GetShardIterator(const Call& call);
Answer IncreaseStreamRetentionPeriod(const Call& call);
Answer ListShards(const Call& call);
Answer ListStreamConsumers(const Call& call);
Answer ListStreams(const Call& call);
Answer ListTagsForResource(const Call& call);
Answer ListTagsForStream(const Call& call);
Answer MergeShards(const Call& call);
void PutRecord(std::shared_ptr<const Call> call, AnswerDone done);
void PutRecords(std::shared_ptr<const Call> call, AnswerDone done);
Answer PutResourcePolicy(const Call& call);
Answer RegisterStreamConsumer(const Call& call);
Answer RemoveTagsFromStream(const Call& call);
Answer SplitShard(const Call& call);
Answer StartStreamEncryption(const Call& call);
Answer StopStreamEncryption(const Call& call);
Outcome<void> SubscribeToShard(const Call& call, const http::Reply& reply);
Answer TagResource(const Call& call);
Answer UntagResource(const Call& call);
Answer UpdateAccountSettings(const Call& call);
Answer UpdateMaxRecordSize(const Call& call);
Answer UpdateShardCount(const Call& call);
Answer UpdateStreamMode(const Call& call);
Answer UpdateStreamWarmThroughput(const Call& call);

}  // namespace weft::aws::kinesis
