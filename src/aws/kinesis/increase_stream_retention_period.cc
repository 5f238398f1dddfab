// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer IncreaseStreamRetentionPeriod(const Call& call) {
  TRY(ChangeRetention(call, Way::kUp));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
