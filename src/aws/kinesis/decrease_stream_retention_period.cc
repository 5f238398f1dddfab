// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer DecreaseStreamRetentionPeriod(const Call& call) {
  TRY(ChangeRetention(call, Way::kDown));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
