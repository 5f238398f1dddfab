// SPDX-License-Identifier: Apache-2.0
// Places in a shard, and the records from there on.
#pragma once

#include <nlohmann/json.hpp>

#include "aws/kinesis/names.h"

namespace weft::aws::kinesis {

// Where a client wants to read from, as GetShardIterator and SubscribeToShard ask alike: `input`
// holds Timestamp, and the sequence number under `sequence_member`. InvalidArgumentException for
// what the type needs and is missing, does not take, or is of another stream or shard.
Outcome<stream::Offset> PositionOf(const Services& use, const stream::StreamInfo& stream,
                                   const stream::Shard& shard, const std::string& type,
                                   const nlohmann::json& input, const char* sequence_member);

// A shard iterator: a place that only this server can have made. It opens for five minutes.
struct Iterator {
  AccountId account;
  std::string stream;  // within the account
  int64_t number = 0;  // StreamInfo::number
  int shard = 0;
  stream::Offset offset;
};
std::string MakeIterator(const Services& use, const Iterator& iterator);
// InvalidArgumentException, ExpiredIteratorException.
Outcome<Iterator> OpenIterator(const Services& use, const std::string& text);
// For GetRecords: the stream of ShardIterator, which StreamARN must not contradict.
Outcome<Resource> StreamOfIterator(const Call& call);

struct ReadBounds {
  int64_t bytes_max = 0;  // of keys and data; passed by one record at most, the first
  int64_t records_max = 0;
};
struct Piece {
  nlohmann::json records = nlohmann::json::array();  // as the shape Record has them
  int64_t bytes = 0;
  stream::Offset next;  // where to go on
  int64_t millis_behind = 0;
  bool at_end = false;  // nothing will ever follow `next`
};
// From `from` on, or from the oldest record kept where that is later.
Result<Piece> ReadShard(stream::Streams& streams, const Clock& clock,
                        const stream::StreamInfo& stream, int shard, stream::Offset from,
                        const ReadBounds& bounds);

}  // namespace weft::aws::kinesis
