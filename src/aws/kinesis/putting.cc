// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/putting.h"

#include "aws/kinesis/shard_metrics.h"

namespace weft::aws::kinesis {
namespace {

using nlohmann::json;

constexpr const char* kInvalid = "InvalidArgumentException";
constexpr int64_t kCallBytesMax = int64_t{10} << 20;  // keys included

Outcome<ingest::KeyedRecord> RecordIn(const json& given, const stream::StreamInfo& stream) {
  ingest::KeyedRecord record;
  record.data = BlobOf(given.at("Data"));
  record.partition_key = given.at("PartitionKey").get_ref<const std::string&>();
  if (const auto hash = given.find("ExplicitHashKey"); hash != given.end()) {
    record.explicit_hash = stream::ParseHashKey(hash->get_ref<const std::string&>());
    if (!record.explicit_hash) {
      return Refuse(kInvalid,
                    "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
                    "Specified value was " +
                        hash->get<std::string>());
    }
  }
  const int64_t bytes_max = int64_t{stream.settings.record_kib_max} * 1'024;
  const auto bytes = static_cast<int64_t>(record.data.size() + record.partition_key.size());
  if (bytes > bytes_max) {
    return Refuse(kInvalid,
                  fmt::format("A record has {} bytes with its partition key; stream {} "
                              "under account {} takes at most {}.",
                              bytes, stream.short_name, stream.account.text(), bytes_max));
  }
  return record;
}

Outcome<ingest::StreamSubmission> SubmissionOf(const std::shared_ptr<const Call>& call,
                                               const std::vector<const json*>& records,
                                               const stream::StreamInfo& stream) {
  ingest::StreamSubmission submission{.stream = stream.name, .records = {}, .owner = call};
  submission.records.reserve(records.size());
  int64_t bytes = 0;
  for (const json* given : records) {
    const ingest::KeyedRecord record = TRY(RecordIn(*given, stream));
    bytes += static_cast<int64_t>(record.data.size() + record.partition_key.size());
    submission.records.push_back(record);
  }
  if (bytes > kCallBytesMax) {
    return Refuse(kInvalid, fmt::format("Records size exceeds {} bytes limit.", kCallBytesMax));
  }
  return submission;
}

}  // namespace

void Put(const std::shared_ptr<const Call>& call, const std::vector<const json*>& records,
         TakenDone done) {
  auto stream = FindStream(*call);
  if (!stream.ok()) return done(Fail(stream.error()));
  auto submission = SubmissionOf(call, records, **stream);
  if (!submission.ok()) return done(Fail(submission.error()));
  // A copy of the views, for whoever watches the shards.
  auto watched = (*stream)->settings.shard_metrics.empty()
                     ? nullptr
                     : std::make_shared<const ingest::StreamSubmission>(*submission);
  call->use.ingest.AcceptRecords(
      std::move(*submission), [done = std::move(done), stream = *stream, call,
                               watched](Result<std::vector<Result<ingest::Placed>>> placed) {
        if (placed.ok()) {
          if (watched) CountIncoming(call->use, *stream, *watched, *placed);
          return done(Taken{.stream = stream, .placed = std::move(*placed)});
        }
        const Code code = placed.error().code();
        if (code == Code::kNotFound)
          return done(Fail(NoSuchStream(stream->short_name, stream->account)));
        if (code == Code::kThrottled) return done(Fail(FaultOfRecord(placed.error())));
        done(Fail(Fault(placed.error())));
      });
}

json PlaceDocument(const ingest::Placed& placed) {
  return {{"ShardId", stream::ShardName(placed.shard)}, {"SequenceNumber", placed.sequence_number}};
}

Fault FaultOfRecord(const Error& error) {
  if (error.code() == Code::kThrottled) {
    return {"ProvisionedThroughputExceededException", error.message()};
  }
  return Fault(error);
}

}  // namespace weft::aws::kinesis
