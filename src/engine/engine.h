// SPDX-License-Identifier: Apache-2.0
// The seam of SQL and Parquet. Back end: OpenDuckDb (duckdb_engine.h), with users' statements in
// worker processes. Every back end passes testing/engine_contract.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "iceberg/columns.h"
#include "iceberg/table.h"

namespace weft::engine {

// Rows [first_row, end_row) of a chunk.
struct ColumnSlice {
  std::shared_ptr<const iceberg::ColumnChunk> chunk;
  int64_t first_row = 0;
  int64_t end_row = 0;
};

// A table as one principal may see it: these columns and no others exist for the statement.
struct Relation {
  std::vector<iceberg::Field> columns;  // in order, what `select *` gives
  std::vector<iceberg::Field> hidden;   // selectable by name, not in `select *`
  iceberg::PartitionSpec spec;          // for pruning
  std::shared_ptr<const std::vector<iceberg::DataFile>> files;
  std::vector<ColumnSlice> tail;  // rows behind the files; a column that a chunk lacks reads null
};

// Where a statement's table names are looked up, as it is bound; called on the thread that called
// Query.
class RelationSource {
 public:
  virtual ~RelationSource() = default;
  using Name = std::pair<std::string, std::string>;  // database, table
  // kNotFound for what the principal may not know of either.
  virtual Result<Relation> Find(const Name& name) = 0;
  // All that the principal may read, in order.
  virtual Result<std::vector<Name>> List() = 0;
};

enum class ResultFormat {
  kNdjson,  // an object a line
  kJson,    // one array of objects
  kCsv,     // a header line, RFC 4180
};

struct QueryRequest {
  std::string sql;
  ResultFormat format = ResultFormat::kNdjson;
  milliseconds time_max{60'000};
  int64_t memory_bytes_max = int64_t{2} << 30;  // of the worker process, whole
  int64_t rows_max = 0;                         // a result with more fails; 0: no limit
  // For names without one; "": each table whose name is unique. kInvalid for one of which the
  // principal may read nothing.
  std::string default_database{};
};

struct ResultColumn {
  std::string name;
  std::string type;  // DuckDB's name: "BIGINT", "DECIMAL(12,2)"
};

// Receives a result. A failure it returns ends the query and is passed on.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual Status Begin(const std::vector<ResultColumn>& columns) = 0;
  virtual Status Write(BytesView text, int64_t rows) = 0;  // in the format asked for; whole rows
};

// Rows to become Parquet files of one table.
struct WriteRequest {
  iceberg::Schema schema;  // of the files
  iceberg::PartitionSpec spec;
  std::vector<ColumnSlice> rows;                // either these
  std::vector<iceberg::DataFile> merged_files;  // or all rows of these, which share one partition
  std::string location;  // "s3://BUCKET/PREFIX/data": files lie under it, by partition
  std::string name;      // first part of each file's name: unique, plain
  int64_t file_bytes_target = int64_t{128} << 20;
};

// Safe to call from any thread.
class Engine {
 public:
  virtual ~Engine() = default;
  // Runs one statement of a user. Statements other than reading ones, table functions that reach
  // anything but the relations, files, settings and extensions do not exist for it. kInvalid with
  // DuckDB's text for an error of the statement, also past rows_max; kNotOffered for a kind of
  // statement that is not; kThrottled past time or memory, and when the worker died of it;
  // kUnavailable when all workers are busy for too long, or a data file cannot be read; kCorrupt
  // for one that is not what was written. No error names a file.
  virtual Status Query(const QueryRequest& request, RelationSource& relations,
                       ResultSink& sink) = 0;

  // Writes the rows as Parquet (zstd, field ids) and returns the files with their statistics and
  // partition. The objects are durable on return; after a failure some may be left behind.
  // kNotOffered for columns of kFixed; kUnavailable when the store is.
  virtual Result<std::vector<iceberg::DataFile>> WriteParquet(const WriteRequest& request) = 0;

  // Kills what runs and answers it with kUnavailable.
  virtual void Stop() = 0;
};

}  // namespace weft::engine
