// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer UpdateAccountSettings(const Call& call) {
  if (call.input.at("MinimumThroughputBillingCommitment").at("Status") == "ENABLED") {
    return Refuse("InvalidArgumentException",
                  "MinimumThroughputBillingCommitment is not offered by Weft: it bills nothing, "
                  "and on-demand streams scale by their load alone.");
  }
  return DescribeAccountSettings(call);
}

}  // namespace weft::aws::kinesis
