// SPDX-License-Identifier: Apache-2.0
#include "aws/model.h"

#include <algorithm>

namespace weft::aws {

const OperationShapes* ServiceModel::Find(std::string_view operation) const {
  const auto at = std::lower_bound(
      operations.begin(), operations.end(), operation,
      [](const OperationShapes& entry, std::string_view wanted) { return entry.name < wanted; });
  return at != operations.end() && at->name == operation ? &*at : nullptr;
}

}  // namespace weft::aws
