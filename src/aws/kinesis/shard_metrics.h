// SPDX-License-Identifier: Apache-2.0
// Enhanced monitoring: what EnableEnhancedMonitoring asked for of a stream becomes series of
// /metrics, with the labels account, stream and shard.
#pragma once

#include <string>
#include <vector>

#include "aws/kinesis/names.h"

namespace weft::aws::kinesis {

// Each counts where the stream's settings have the metric, and costs nothing else otherwise.
void CountIncoming(const Services& use, const stream::StreamInfo& stream,
                   const ingest::StreamSubmission& submission,
                   const std::vector<Result<ingest::Placed>>& placed);
void CountOutgoing(const Services& use, const stream::StreamInfo& stream, int shard, int64_t bytes,
                   int64_t records, int64_t millis_behind);
void CountReadRefused(const Services& use, const stream::StreamInfo& stream, int shard);

}  // namespace weft::aws::kinesis
