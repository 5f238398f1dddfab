// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"
#include "aws/kinesis/reading.h"
#include "aws/kinesis/subscriptions.h"

namespace weft::aws::kinesis {

Outcome<void> SubscribeToShard(const Call& call, const http::Reply& reply) {
  StreamConsumer found = TRY(FindConsumer(call));
  const stream::Shard& shard = *TRY(FindShard(*found.stream, call.Text("ShardId")));
  const nlohmann::json& position = call.input.at("StartingPosition");
  const stream::Offset from =
      TRY(PositionOf(call.use, *found.stream, shard, position.at("Type").get<std::string>(),
                     position, "SequenceNumber"));
  return call.use.subscriptions.Begin({.stream = std::move(found.stream),
                                       .consumer = std::move(found.consumer.name),
                                       .shard = shard.number,
                                       .from = from,
                                       .encoding = call.encoding},
                                      reply);
}

}  // namespace weft::aws::kinesis
