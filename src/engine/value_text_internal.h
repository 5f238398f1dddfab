// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "duckdb.hpp"
#include "duckdb/common/types/vector.hpp"

namespace weft::engine {

// The type that values are cast to before AppendJson prints them.
duckdb::LogicalType PrintedType(const duckdb::LogicalType& type);
// One value of a printed type as JSON.
void AppendJson(const duckdb::RecursiveUnifiedVectorFormat& data, const duckdb::LogicalType& type,
                duckdb::idx_t row, std::string& to);
// One value as a CSV field.
void AppendCsv(const duckdb::RecursiveUnifiedVectorFormat& data, const duckdb::LogicalType& type,
               duckdb::idx_t row, std::string& to);
void AppendCsvText(std::string_view text, std::string& to);

}  // namespace weft::engine
