// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer UpdateStreamWarmThroughput(const Call& call) {
  TRY(FindStream(call));
  TRY(RefuseWarmThroughput(call));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
