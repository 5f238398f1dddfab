// SPDX-License-Identifier: Apache-2.0
// Shards as answers show them.
#pragma once

#include <nlohmann/json.hpp>

#include "aws/kinesis/names.h"

namespace weft::aws::kinesis {

nlohmann::json HashRangeDocument(const stream::HashRange& range);
// Reads where a closed shard ends.
Outcome<nlohmann::json> ShardDocument(const Services& use, const stream::StreamInfo& stream,
                                      const stream::Shard& shard);
// Those that a split or a merge of the shard made; empty for an open one.
nlohmann::json ChildShards(const stream::StreamInfo& stream, int shard);

// For ListShards: the stream is named by the token of an earlier page, or as elsewhere.
Outcome<Resource> StreamOfShardList(const Call& call);

}  // namespace weft::aws::kinesis
