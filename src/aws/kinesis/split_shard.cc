// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer SplitShard(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  TRY(RequireProvisioned(*stream));
  const stream::Shard& shard = *TRY(FindShard(*stream, call.Text("ShardToSplit")));
  const std::string id = stream::ShardName(shard.number), text = call.Text("NewStartingHashKey");
  if (shard.closed) {
    return Refuse("InvalidArgumentException",
                  fmt::format("Shard {} in stream {} under account {} has already been merged or "
                              "split, and thus is not eligible for merging or splitting.",
                              id, stream->short_name, stream->account.text()));
  }
  const auto key = stream::ParseHashKey(text);
  if (!key || *key <= shard.range.first + 1 || *key >= shard.range.last) {
    return Refuse(
        "InvalidArgumentException",
        fmt::format("NewStartingHashKey {} used in SplitShard() on shard {} in stream {} "
                    "under account {} is not both greater than one plus the shard's "
                    "StartingHashKey {} and less than the shard's EndingHashKey {}.",
                    text, id, stream->short_name, stream->account.text(),
                    stream::HashKeyText(shard.range.first), stream::HashKeyText(shard.range.last)));
  }
  TRY(CheckShardLimit(call, stream->account, 1));
  TRY(call.use.streams.Split(stream->name, shard.number, *key));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
