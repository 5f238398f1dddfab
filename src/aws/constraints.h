// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "aws/fault.h"
#include "aws/model.h"

namespace weft::aws {

// A ValidationException in AWS's words for what breaks a constraint of the shape; `value` has its
// types already.
Outcome<void> CheckConstraints(const ServiceModel& model, const Shape& shape,
                               const nlohmann::json& value);

}  // namespace weft::aws
