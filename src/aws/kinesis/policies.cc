// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/policies.h"

namespace weft::aws::kinesis {

Outcome<void> RequireOwner(const Call& call) {
  if (call.caller.administrator || call.caller.account == call.resource.owner) return {};
  return Refuse("AccessDeniedException", fmt::format("User: {} is not of the account that owns {}",
                                                     call.caller.arn, call.resource.arn));
}

Fault NoSuchPolicy(const Call& call) {
  return {"ResourceNotFoundException",
          fmt::format("There is no resource policy for {}.", call.resource.arn)};
}

}  // namespace weft::aws::kinesis
