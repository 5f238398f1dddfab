// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "aws/kinesis/names.h"

namespace weft::aws::kinesis {

// A resource's policy is its owner's: AccessDeniedException for callers of other accounts, whatever
// policies allow.
Outcome<void> RequireOwner(const Call& call);
Fault NoSuchPolicy(const Call& call);

}  // namespace weft::aws::kinesis
