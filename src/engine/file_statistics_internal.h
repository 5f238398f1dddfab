// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "duckdb.hpp"
#include "iceberg/table.h"

namespace weft::engine {

// Puts what DuckDB says of a file it wrote (COPY … RETURN_STATS's column_statistics) into `file`,
// as far as it is surely right: nothing below lists and maps, where its counts of nulls are wrong,
// and no bounds of floating-point columns with NaN. record_count must be set.
void AddStatistics(const iceberg::Schema& schema, const duckdb::Value& column_statistics,
                   iceberg::DataFile& file);

}  // namespace weft::engine
