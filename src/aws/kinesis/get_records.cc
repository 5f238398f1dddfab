// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"
#include "aws/kinesis/reading.h"
#include "aws/kinesis/shard_metrics.h"
#include "aws/kinesis/shards.h"

namespace weft::aws::kinesis {

namespace {
constexpr int64_t kBytesMax = 10'000'000;
constexpr int64_t kRecordsMax = 10'000;
}  // namespace

Answer GetRecords(const Call& call) {
  Iterator iterator = TRY(OpenIterator(call.use, call.Text("ShardIterator")));
  const StreamPtr stream = TRY(FindStream(call));
  // The stream was made anew since, or the shard is past its retention.
  const bool gone = stream->number != iterator.number || !stream->FindShard(iterator.shard);
  if (gone) {
    return Refuse(
        "ResourceNotFoundException",
        fmt::format("Shard {} in stream {} under account {} does not exist",
                    stream::ShardName(iterator.shard), stream->short_name, stream->account.text()));
  }
  const stream::ShardId id{stream->name, iterator.shard};
  const Status admitted = call.use.streams.AdmitRead(id);
  if (!admitted.ok() && admitted.error().code() == Code::kThrottled) {
    CountReadRefused(call.use, *stream, iterator.shard);
    return Refuse(
        "ProvisionedThroughputExceededException",
        fmt::format("Rate exceeded for shard {} in stream {} under account {}.",
                    stream::ShardName(iterator.shard), stream->short_name, stream->account.text()));
  }
  TRY(admitted);
  Piece piece = TRY(ReadShard(
      call.use.streams, call.use.clock, *stream, iterator.shard, iterator.offset,
      {.bytes_max = kBytesMax, .records_max = call.Integer("Limit").value_or(kRecordsMax)}));
  call.use.streams.ChargeRead(id, piece.bytes);
  CountOutgoing(call.use, *stream, iterator.shard, piece.bytes,
                static_cast<int64_t>(piece.records.size()), piece.millis_behind);
  nlohmann::json out = {{"Records", std::move(piece.records)},
                        {"MillisBehindLatest", piece.millis_behind}};
  if (piece.at_end) {
    // A stream as of now: the shard may have ended while it was read.
    const StreamPtr now = TRY(FindStream(call));
    out["ChildShards"] = ChildShards(*now, iterator.shard);
  } else {
    iterator.offset = piece.next;
    out["NextShardIterator"] = MakeIterator(call.use, iterator);
  }
  return out;
}

}  // namespace weft::aws::kinesis
