// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/monitoring.h"

namespace weft::aws::kinesis {

using nlohmann::json;

std::vector<std::string> MetricsIn(const Call& call) {
  std::vector<std::string> metrics;
  for (const json& metric : call.input.at("ShardLevelMetrics")) {
    if (metric == "ALL") {
      return {"IncomingBytes",
              "IncomingRecords",
              "IteratorAgeMilliseconds",
              "OutgoingBytes",
              "OutgoingRecords",
              "ReadProvisionedThroughputExceeded",
              "WriteProvisionedThroughputExceeded"};
    }
    metrics.push_back(metric.get<std::string>());
  }
  return metrics;
}

json MonitoringDocument(const Call& call, const stream::StreamInfo& stream,
                        const std::vector<std::string>& before,
                        const std::vector<std::string>& after) {
  json current = json::array(), desired = json::array();
  for (const std::string& metric : before) current.push_back(metric);
  for (const std::string& metric : after) desired.push_back(metric);
  return {{"StreamName", stream.short_name},
          {"CurrentShardLevelMetrics", std::move(current)},
          {"DesiredShardLevelMetrics", std::move(desired)},
          {"StreamARN", call.resource.arn}};
}

}  // namespace weft::aws::kinesis
