// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

// There is no billing, hence no commitment to a throughput.
Answer DescribeAccountSettings(const Call&) {
  return nlohmann::json{{"MinimumThroughputBillingCommitment", {{"Status", "DISABLED"}}}};
}

}  // namespace weft::aws::kinesis
