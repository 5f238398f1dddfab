// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer UpdateShardCount(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  TRY(RequireProvisioned(*stream));
  const int64_t target = *call.Integer("TargetShardCount");
  const int open = stream->OpenShards();
  if (target > int64_t{2} * open || target * 2 < open) {
    return Refuse("InvalidArgumentException",
                  fmt::format("UpdateShardCount cannot scale {} your current open shard count. "
                              "Current open shard count: {} Target shard count: {}",
                              target > open ? "up over double" : "down below half", open, target));
  }
  const int count = static_cast<int>(target);
  TRY(CheckShardLimit(call, stream->account, count - open));
  TRY(call.use.streams.Resize(stream->name, count));
  return nlohmann::json{{"StreamName", stream->short_name},
                        {"CurrentShardCount", open},
                        {"TargetShardCount", count},
                        {"StreamARN", call.resource.arn}};
}

}  // namespace weft::aws::kinesis
