// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::api {

// The body of POST /sink_data/: {"schema": "…", "data": […]}.
struct SinkBody {
  std::string schema;
  std::string_view data;  // the array, as it stands in the body
};
// kInvalid when it is not JSON, not an object, or lacks one of the two; other members are passed
// over.
Result<SinkBody> ReadSinkBody(std::string_view body);

}  // namespace weft::api
