// SPDX-License-Identifier: Apache-2.0
// Iceberg types and columns in DuckDB's terms.
#pragma once

#include <cstdint>

#include "duckdb.hpp"
#include "duckdb/common/multi_file/multi_file_data.hpp"
#include "iceberg/columns.h"

namespace weft::engine {

duckdb::LogicalType ToLogical(const iceberg::Type& type);
// With field ids at every level, as a scan by field id wants them; what a file lacks reads null.
duckdb::MultiFileColumnDefinition ToDefinition(const iceberg::Field& field);
// "{a: 1, b: {__duckdb_field_id: 2, element: 3}}": COPY's FIELD_IDS.
std::string FieldIdsText(const std::vector<iceberg::Field>& fields);

// Which rows of a column: `count` from `first`, or those that `picked` names.
struct RowRange {
  int64_t first = 0;
  int64_t count = 0;
  const uint32_t* picked = nullptr;

  int64_t row(int64_t index) const { return picked != nullptr ? picked[index] : first + index; }
};

// Fills `to`, of ToLogical(want), from rows of `column`; all nulls when there is no column. Text is
// not copied: the chunk must outlive the vector. Throws DuckDB's exceptions.
void FillVector(const iceberg::Type& want, const iceberg::ColumnView* column, const RowRange& rows,
                duckdb::Vector& to);

// The column with this field id, or nullptr.
const iceberg::ColumnView* FindColumn(const std::vector<iceberg::ColumnView>& columns,
                                      int field_id);

}  // namespace weft::engine
