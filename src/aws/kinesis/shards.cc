// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/shards.h"

namespace weft::aws::kinesis {

using nlohmann::json;

json HashRangeDocument(const stream::HashRange& range) {
  return {{"StartingHashKey", stream::HashKeyText(range.first)},
          {"EndingHashKey", stream::HashKeyText(range.last)}};
}

Outcome<json> ShardDocument(const Services& use, const stream::StreamInfo& stream,
                            const stream::Shard& shard) {
  const auto number_at = [&](stream::Offset offset) {
    return stream::SequenceNumber{.stream = stream.number, .shard = shard.number, .offset = offset}
        .Text();
  };
  json sequence = {{"StartingSequenceNumber", number_at({-1})}};
  if (shard.closed) {
    const auto bounds = TRY(use.streams.BoundsOf({stream.name, shard.number}));
    sequence["EndingSequenceNumber"] = number_at(bounds.end);
  }
  json out = {{"ShardId", stream::ShardName(shard.number)},
              {"HashKeyRange", HashRangeDocument(shard.range)},
              {"SequenceNumberRange", std::move(sequence)}};
  if (shard.parent) out["ParentShardId"] = stream::ShardName(*shard.parent);
  if (shard.adjacent_parent)
    out["AdjacentParentShardId"] = stream::ShardName(*shard.adjacent_parent);
  return out;
}

json ChildShards(const stream::StreamInfo& stream, int shard) {
  json out = json::array();
  for (const stream::Shard& child : stream.shards) {
    if (child.parent != shard && child.adjacent_parent != shard) continue;
    json parents = json::array({stream::ShardName(*child.parent)});
    if (child.adjacent_parent) parents.push_back(stream::ShardName(*child.adjacent_parent));
    out.push_back({{"ShardId", stream::ShardName(child.number)},
                   {"ParentShards", std::move(parents)},
                   {"HashKeyRange", HashRangeDocument(child.range)}});
  }
  return out;
}

}  // namespace weft::aws::kinesis
