// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "iceberg/json_internal.h"
#include "iceberg/table.h"

namespace weft::iceberg {

// The fields of a spec as a list, as metadata and the headers of manifests have them.
Json PartitionFieldsJson(const PartitionSpec& spec);
// Of any JSON; what is not UTF-8 within it is replaced.
std::string JsonText(const Json& json);

}  // namespace weft::iceberg
