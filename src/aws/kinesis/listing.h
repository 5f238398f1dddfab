// SPDX-License-Identifier: Apache-2.0
// Lists that come in pages.
#pragma once

#include <nlohmann/json.hpp>

#include "aws/kinesis/names.h"

namespace weft::aws::kinesis {

// What the call's NextToken stands for. InvalidArgumentException for one that is not of this
// `purpose`, ExpiredNextTokenException after five minutes.
Outcome<nlohmann::json> OpenPage(const Call& call, const char* purpose);

// ResourceNotFoundException where StreamCreationTimestamp is that of another stream of the name.
Outcome<void> CheckCreated(const Call& call, const stream::StreamInfo& stream);

}  // namespace weft::aws::kinesis
