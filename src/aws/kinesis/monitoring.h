// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aws/kinesis/names.h"

namespace weft::aws::kinesis {

// The ShardLevelMetrics of the call; ALL stands for each of them.
std::vector<std::string> MetricsIn(const Call& call);
nlohmann::json MonitoringDocument(const Call& call, const stream::StreamInfo& stream,
                                  const std::vector<std::string>& before,
                                  const std::vector<std::string>& after);

}  // namespace weft::aws::kinesis
