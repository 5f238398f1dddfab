// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/shard_metrics.h"

#include <algorithm>

namespace weft::aws::kinesis {
namespace {

bool Wants(const stream::StreamInfo& stream, const char* metric) {
  const auto& wanted = stream.settings.shard_metrics;
  return std::find(wanted.begin(), wanted.end(), metric) != wanted.end();
}

Metrics::Labels LabelsOf(const stream::StreamInfo& stream, int shard) {
  return {{"account", stream.account.text()},
          {"stream", stream.short_name},
          {"shard", stream::ShardName(shard)}};
}

void Count(const Services& use, const stream::StreamInfo& stream, int shard, const char* metric,
           const char* name, const char* help, int64_t by) {
  if (!Wants(stream, metric)) return;
  use.metrics.AddCounter(name, help, LabelsOf(stream, shard)).Add(static_cast<double>(by));
}

}  // namespace

void CountIncoming(const Services& use, const stream::StreamInfo& stream,
                   const ingest::StreamSubmission& submission,
                   const std::vector<Result<ingest::Placed>>& placed) {
  if (stream.settings.shard_metrics.empty()) return;
  const auto route = use.streams.RouteOf(stream.name);
  for (size_t i = 0; i < placed.size() && i < submission.records.size(); ++i) {
    const ingest::KeyedRecord& record = submission.records[i];
    if (placed[i].ok()) {
      const int shard = placed[i]->shard;
      Count(use, stream, shard, "IncomingBytes", "weft_kinesis_shard_incoming_bytes_total",
            "Octets of records put to a shard.", static_cast<int64_t>(record.data.size()));
      Count(use, stream, shard, "IncomingRecords", "weft_kinesis_shard_incoming_records_total",
            "Records put to a shard.", 1);
    } else if (placed[i].error().code() == Code::kThrottled && route.ok()) {
      const int shard =
          route->ShardOf(record.explicit_hash.value_or(stream::HashOf(record.partition_key)));
      Count(use, stream, shard, "WriteProvisionedThroughputExceeded",
            "weft_kinesis_shard_write_refused_total",
            "Records that a shard's write throughput refused.", 1);
    }
  }
}

void CountOutgoing(const Services& use, const stream::StreamInfo& stream, int shard, int64_t bytes,
                   int64_t records, int64_t millis_behind) {
  Count(use, stream, shard, "OutgoingBytes", "weft_kinesis_shard_outgoing_bytes_total",
        "Octets of records read from a shard by GetRecords.", bytes);
  Count(use, stream, shard, "OutgoingRecords", "weft_kinesis_shard_outgoing_records_total",
        "Records read from a shard by GetRecords.", records);
  if (!Wants(stream, "IteratorAgeMilliseconds")) return;
  use.metrics
      .AddGauge("weft_kinesis_shard_iterator_age_seconds",
                "How far the last GetRecords of a shard was behind its end.",
                LabelsOf(stream, shard))
      .Set(static_cast<double>(millis_behind) / 1'000);
}

void CountReadRefused(const Services& use, const stream::StreamInfo& stream, int shard) {
  Count(use, stream, shard, "ReadProvisionedThroughputExceeded",
        "weft_kinesis_shard_read_refused_total", "Reads that a shard's throughput refused.", 1);
}

}  // namespace weft::aws::kinesis
