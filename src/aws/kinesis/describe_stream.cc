// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/description.h"
#include "aws/kinesis/operations.h"
#include "aws/kinesis/shards.h"

namespace weft::aws::kinesis {

Answer DescribeStream(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  const auto limit = static_cast<size_t>(call.Integer("Limit").value_or(100));
  int after = -1;
  if (call.Has("ExclusiveStartShardId")) {
    after = TRY(FindShard(*stream, call.Text("ExclusiveStartShardId")))->number;
  }
  nlohmann::json shards = nlohmann::json::array();
  bool more = false;
  for (const stream::Shard& shard : stream->shards) {
    if (shard.number <= after) continue;
    more = shards.size() == limit;
    if (more) break;
    shards.push_back(TRY(ShardDocument(call.use, *stream, shard)));
  }
  nlohmann::json out = StreamDetailsDocument(call.use, *stream);
  out["Shards"] = std::move(shards);
  out["HasMoreShards"] = more;
  return nlohmann::json{{"StreamDescription", std::move(out)}};
}

}  // namespace weft::aws::kinesis
