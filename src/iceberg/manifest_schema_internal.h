// SPDX-License-Identifier: Apache-2.0
// The Avro schemas of manifests and manifest lists, version 2, docs/formats/iceberg.md.
#pragma once

#include <vector>

#include "iceberg/json_internal.h"
#include "iceberg/table.h"

namespace weft::iceberg {

// `types` are those of the spec's partition values.
Json ManifestSchema(const PartitionSpec& spec, const std::vector<Type>& types);
Json ManifestListSchema();

// Octets of a decimal of this precision (1 to 38) as Avro's fixed.
size_t DecimalBytes(int precision);

}  // namespace weft::iceberg
