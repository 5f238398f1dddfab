// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer MergeShards(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  TRY(RequireProvisioned(*stream));
  const stream::Shard& one = *TRY(FindShard(*stream, call.Text("ShardToMerge")));
  const stream::Shard& other = *TRY(FindShard(*stream, call.Text("AdjacentShardToMerge")));
  for (const stream::Shard* shard : {&one, &other}) {
    if (!shard->closed) continue;
    return Refuse(
        "InvalidArgumentException",
        fmt::format("Shard {} in stream {} under account {} has already been merged or "
                    "split, and thus is not eligible for merging or splitting.",
                    stream::ShardName(shard->number), stream->short_name, stream->account.text()));
  }
  const auto touch = [](const stream::HashRange& a, const stream::HashRange& b) {
    return a.last != stream::kHashKeyMax && a.last + 1 == b.first;
  };
  if (!touch(one.range, other.range) && !touch(other.range, one.range)) {
    return Refuse("InvalidArgumentException",
                  fmt::format("Shards {} and {} in stream {} under account {} are not an adjacent "
                              "pair of shards eligible for merging",
                              stream::ShardName(one.number), stream::ShardName(other.number),
                              stream->short_name, stream->account.text()));
  }
  TRY(call.use.streams.Merge(stream->name, one.number, other.number));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
