// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"
#include "aws/kinesis/reading.h"

namespace weft::aws::kinesis {

Answer GetShardIterator(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  const stream::Shard& shard = *TRY(FindShard(*stream, call.Text("ShardId")));
  const stream::Offset offset =
      TRY(PositionOf(call.use, *stream, shard, call.Text("ShardIteratorType"), call.input,
                     "StartingSequenceNumber"));
  return nlohmann::json{{"ShardIterator", MakeIterator(call.use, {.account = stream->account,
                                                                  .stream = stream->short_name,
                                                                  .number = stream->number,
                                                                  .shard = shard.number,
                                                                  .offset = offset})}};
}

}  // namespace weft::aws::kinesis
