// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/description.h"

#include "aws/kinesis/changes.h"

namespace weft::aws::kinesis {

using nlohmann::json;

json StreamSummaryDocument(const Services& use, const stream::StreamInfo& stream) {
  return {{"StreamName", stream.short_name},
          {"StreamARN", StreamArn(use, stream)},
          {"StreamStatus", "ACTIVE"},
          {"StreamModeDetails", {{"StreamMode", ModeText(stream.settings.mode)}}},
          {"StreamCreationTimestamp", Time(stream.created)}};
}

json StreamDetailsDocument(const Services& use, const stream::StreamInfo& stream) {
  json out = StreamSummaryDocument(use, stream);
  out["RetentionPeriodHours"] = stream.settings.retention.count();
  json monitored = json::object();
  // Empty as AWS has it: a member there, with nothing in it.
  monitored["ShardLevelMetrics"] = json::array();
  for (const std::string& metric : stream.settings.shard_metrics)
    monitored["ShardLevelMetrics"].push_back(metric);
  out["EnhancedMonitoring"] = json::array({std::move(monitored)});
  const bool sealed = !stream.settings.key_id.empty();
  out["EncryptionType"] = sealed ? "KMS" : "NONE";
  if (sealed) out["KeyId"] = stream.settings.key_id;
  return out;
}

json ConsumerDocument(const Services& use, const stream::StreamInfo& stream,
                      const stream::Consumer& consumer) {
  return {{"ConsumerName", consumer.name},
          {"ConsumerARN", ConsumerArn(use, stream, consumer)},
          {"ConsumerStatus", "ACTIVE"},
          {"ConsumerCreationTimestamp", Time(consumer.created)}};
}

}  // namespace weft::aws::kinesis
