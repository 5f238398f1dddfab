// SPDX-License-Identifier: Apache-2.0
// The scan of a relation: DuckDB's Parquet scan over the relation's files, by field id, with hidden
// columns as virtual ones, files pruned by their statistics, and the tail as further files with a
// reader of their own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duckdb.hpp"
#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/common/multi_file/multi_file_reader.hpp"
#include "engine/engine.h"
#include "engine/object_file_system_internal.h"

namespace weft::engine {

// Rows behind the files: a slice, or those of its chunk that `picked` names.
struct TailPiece {
  std::shared_ptr<const iceberg::ColumnChunk> chunk;
  int64_t first_row = 0;
  int64_t end_row = 0;
  std::shared_ptr<const std::vector<uint32_t>> picked;  // then first_row and end_row count in it
};

// A relation as a statement sees it; it does not change while the statement runs.
struct TableSource {
  std::string database;
  std::string name;
  std::vector<iceberg::Field> columns;
  std::vector<iceberg::Field> hidden;
  iceberg::PartitionSpec spec;
  std::shared_ptr<const std::vector<iceberg::DataFile>> files;
  std::vector<TailPiece> tail;
};
std::shared_ptr<const TableSource> MakeSource(const std::string& database, const std::string& name,
                                              Relation relation);

// The virtual columns that stand for the hidden ones.
duckdb::virtual_column_map_t VirtualColumns(const TableSource& source);

duckdb::TableFunction MakeScan(duckdb::ClientContext& context,
                               std::shared_ptr<const TableSource> source, const ObjectPaths& paths,
                               duckdb::TableCatalogEntry& table,
                               duckdb::unique_ptr<duckdb::FunctionData>& bind_data);

// One "file" of the tail: rows [first_row, end_row) of a piece.
duckdb::shared_ptr<duckdb::BaseFileReader> MakeTailReader(const duckdb::OpenFileInfo& file,
                                                          std::shared_ptr<const TableSource> source,
                                                          const TailPiece& piece);

// Whether the file may hold a row for which `filter` on this column (its field id and type) is
// true, by what the manifest says of it. When in doubt it may.
bool MayMatch(const iceberg::DataFile& file, const iceberg::PartitionSpec& spec,
              const iceberg::Field& field, const duckdb::TableFilter& filter);

}  // namespace weft::engine
