// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/reading.h"

#include <algorithm>
#include <ctime>

#include "stream/record_head.h"

namespace weft::aws::kinesis {
namespace {

using nlohmann::json;
using stream::Offset;

constexpr const char* kInvalid = "InvalidArgumentException";
constexpr const char* kIterator = "kinesis shard iterator";
constexpr milliseconds kIteratorAgeMax{300'000};
// What one look into the log brings; a batch is read whole however long it is.
constexpr int64_t kLookBytes = int64_t{2} << 20;

// "Thu Jan 22 01:22:02 UTC 2015".
std::string DateText(Timestamp time) {
  const std::time_t whole = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  std::tm parts{};
  gmtime_r(&whole, &parts);
  char text[40];
  const size_t size = std::strftime(text, sizeof text, "%a %b %d %H:%M:%S UTC %Y", &parts);
  return {text, size};
}

// The place of a sequence number that a client got from here: a record's own, that of a shard's
// beginning, or the "0" that stands before everything.
Outcome<Offset> OffsetOfSequence(const stream::StreamInfo& stream, const stream::Shard& shard,
                                 const std::string& text, bool after) {
  if (text == "0") return Offset{0};
  const auto number = stream::SequenceNumber::Parse(text);
  const std::string name = stream::ShardName(shard.number);
  if (!number) {
    return Refuse(kInvalid,
                  fmt::format("StartingSequenceNumber {} used in GetShardIterator on shard {} in "
                              "stream {} under account {} is invalid.",
                              text, name, stream.short_name, stream.account.text()));
  }
  if (number->stream != stream.number) {
    return Refuse(kInvalid,
                  fmt::format("StartingSequenceNumber {} used in GetShardIterator on shard {} in "
                              "stream {} under account {} is invalid because it did not come from "
                              "this stream.",
                              text, name, stream.short_name, stream.account.text()));
  }
  if (number->shard != shard.number) {
    return Refuse(kInvalid, fmt::format("Invalid StartingSequenceNumber. It encodes {}, while it "
                                        "was used in a call to a shard with {}",
                                        stream::ShardName(number->shard), name));
  }
  // What went to quarantine lies behind the record of its offset.
  const bool behind = after || number->quarantined > 0;
  return Offset{std::max<int64_t>(0, number->offset.value + (behind ? 1 : 0))};
}

json RecordDocument(const stream::StreamInfo& stream, int shard, const log::StoredBatch& batch,
                    size_t index) {
  const log::Record& record = batch.records[index];
  const auto head = stream::DecodeRecordHead(record.key);
  std::string key(head.ok() ? head->partition_key : "");
  if (key.empty()) key = batch.id.empty() ? "-" : batch.id;
  const Offset offset{batch.first.value + static_cast<int64_t>(index)};
  json out = {
      {"SequenceNumber",
       stream::SequenceNumber{.stream = stream.number, .shard = shard, .offset = offset}.Text()},
      {"ApproximateArrivalTimestamp", Time(batch.arrival)},
      {"Data", Blob(record.value)},
      {"PartitionKey", std::move(key)}};
  if (batch.sealed) out["EncryptionType"] = "KMS";
  return out;
}

// Takes records of a batch into the piece; false when it is full.
bool TakeBatch(const stream::StreamInfo& stream, int shard, const log::StoredBatch& batch,
               const ReadBounds& bounds, Piece& piece) {
  // Behind records whose loss was accepted a batch begins later than where reading stands.
  piece.next = std::max(piece.next, batch.first);
  const auto skip = static_cast<size_t>(piece.next.value - batch.first.value);
  for (size_t i = skip; i < batch.records.size(); ++i) {
    if (static_cast<int64_t>(piece.records.size()) == bounds.records_max) return false;
    json record = RecordDocument(stream, shard, batch, i);
    const auto bytes =
        static_cast<int64_t>(batch.records[i].value.size() +
                             record["PartitionKey"].get_ref<const std::string&>().size());
    if (!piece.records.empty() && piece.bytes + bytes > bounds.bytes_max) return false;
    piece.bytes += bytes;
    piece.records.push_back(std::move(record));
    ++piece.next.value;
  }
  return true;
}

}  // namespace

Outcome<Offset> PositionOf(const Services& use, const stream::StreamInfo& stream,
                           const stream::Shard& shard, const std::string& type, const json& input,
                           const char* sequence_member) {
  const stream::ShardId id{stream.name, shard.number};
  const auto sequence = input.find(sequence_member);
  const bool by_sequence = type == "AT_SEQUENCE_NUMBER" || type == "AFTER_SEQUENCE_NUMBER";
  if (by_sequence != (sequence != input.end())) {
    return Refuse(kInvalid,
                  fmt::format("Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER "
                              "and {0} or (2) TRIM_HORIZON or LATEST and no {0}. Request specified "
                              "{1} and {2} {0}.",
                              sequence_member, type, by_sequence ? "no" : "also a"));
  }
  const auto time = input.find("Timestamp");
  if ((type == "AT_TIMESTAMP") != (time != input.end())) {
    return Refuse(
        kInvalid,
        time == input.end()
            ? "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP."
            : "The timestampInMillis parameter is for iterators of type AT_TIMESTAMP "
              "only; request specified " +
                  type + ".");
  }
  if (type == "TRIM_HORIZON") return TRY(use.streams.BoundsOf(id)).begin;
  if (type == "LATEST") return TRY(use.streams.BoundsOf(id)).end;
  if (type == "AT_TIMESTAMP") {
    const Timestamp wanted = TimeOf(*time), now = use.clock.Now();
    if (wanted > now) {
      return Refuse(kInvalid,
                    fmt::format("The timestampInMillis parameter cannot be greater than the "
                                "currentTimestampInMillis. timestampInMillis: {}, "
                                "currentTimestampInMillis: {}",
                                wanted.time_since_epoch().count() / 1'000,
                                now.time_since_epoch().count() / 1'000));
    }
    return TRY(use.streams.OffsetAt(id, wanted));
  }
  return OffsetOfSequence(stream, shard, sequence->get<std::string>(),
                          type == "AFTER_SEQUENCE_NUMBER");
}

std::string MakeIterator(const Services& use, const Iterator& iterator) {
  return use.tokens.Make(kIterator, {iterator.account.text(), iterator.stream, iterator.number,
                                     iterator.shard, iterator.offset.value});
}

Outcome<Iterator> OpenIterator(const Services& use, const std::string& text) {
  const auto opened = use.tokens.Open(kIterator, text);
  if (!opened) return Refuse(kInvalid, "Invalid ShardIterator.");
  const Timestamp now = use.clock.Now();
  if (now - opened->made > kIteratorAgeMax) {
    return Refuse("ExpiredIteratorException",
                  fmt::format("Iterator expired. The iterator was created at time {} while right "
                              "now it is {} which is further in the future than the tolerated "
                              "delay of {} milliseconds.",
                              DateText(opened->made), DateText(now), kIteratorAgeMax.count()));
  }
  const json& parts = opened->content;
  return Iterator{.account = AccountId(parts.at(0).get<std::string>()),
                  .stream = parts.at(1).get<std::string>(),
                  .number = parts.at(2).get<int64_t>(),
                  .shard = parts.at(3).get<int>(),
                  .offset = {parts.at(4).get<int64_t>()}};
}

Outcome<Resource> StreamOfIterator(const Call& call) {
  const Iterator iterator = TRY(OpenIterator(call.use, call.Text("ShardIterator")));
  Resource resource = StreamResource(call, iterator.account, iterator.stream);
  if (call.Has("StreamId") || call.Has("StreamARN")) {
    const Resource named = TRY(StreamOf(call));
    if (named.arn != resource.arn) {
      return Refuse(kInvalid, fmt::format("StreamARN {} is not that of the ShardIterator's stream.",
                                          named.arn));
    }
  }
  return resource;
}

Result<Piece> ReadShard(stream::Streams& streams, const Clock& clock,
                        const stream::StreamInfo& stream, int shard, Offset from,
                        const ReadBounds& bounds) {
  const stream::ShardId id{stream.name, shard};
  const bool ended = TRY(streams.Ended(id));
  const log::Bounds kept = TRY(streams.BoundsOf(id));
  Piece piece;
  piece.next = {std::clamp(from.value, kept.begin.value, kept.end.value)};
  Timestamp last = clock.Now();
  bool room = true;
  while (room && piece.next < kept.end) {
    auto batches =
        streams.Read(id, piece.next, {.bytes_max = std::min(kLookBytes, bounds.bytes_max)});
    if (!batches.ok() && batches.error().code() == Code::kNotFound) {
      // Trimmed a moment ago: go on where the shard begins now.
      const Offset begin = TRY(streams.BoundsOf(id)).begin;
      if (begin <= piece.next) return Fail(batches.error());
      piece.next = begin;
      continue;
    }
    const std::vector<log::StoredBatch> found = TRY(std::move(batches));
    for (const log::StoredBatch& batch : found) {
      last = batch.arrival;
      room = TakeBatch(stream, shard, batch, bounds, piece);
      if (!room) break;
    }
    // What is left was lost, and somebody accepted that.
    if (found.empty()) piece.next = kept.end;
  }
  piece.at_end = ended && piece.next >= kept.end;
  if (piece.next < kept.end) {
    const auto behind = std::chrono::duration_cast<milliseconds>(clock.Now() - last).count();
    piece.millis_behind = std::max<int64_t>(1, behind);
  }
  return piece;
}

}  // namespace weft::aws::kinesis
