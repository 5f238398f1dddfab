// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "aws/kinesis/changes.h"
#include "aws/kinesis/monitoring.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer EnableEnhancedMonitoring(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  std::vector<std::string> before, after;
  TRY(ChangeSettings(call, *stream, [&](stream::StreamSettings& settings) -> Outcome<void> {
    auto& now = settings.shard_metrics;
    before = now;
    for (const std::string& metric : MetricsIn(call)) {
      if (std::find(now.begin(), now.end(), metric) == now.end()) now.push_back(metric);
    }
    std::sort(now.begin(), now.end());
    after = now;
    return {};
  }));
  return MonitoringDocument(call, *stream, before, after);
}

}  // namespace weft::aws::kinesis
