// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"
#include "aws/kinesis/policies.h"

namespace weft::aws::kinesis {

Answer GetResourcePolicy(const Call& call) {
  TRY(FindResource(call));
  TRY(RequireOwner(call));
  const auto policy = TRY(call.use.govern.GetResourcePolicy(call.resource.arn));
  if (!policy) return Fail(NoSuchPolicy(call));
  return nlohmann::json{{"Policy", *policy}};
}

}  // namespace weft::aws::kinesis
