// SPDX-License-Identifier: Apache-2.0
// Results as NDJSON, JSON or CSV, in the forms of docs/sql.md.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "duckdb.hpp"
#include "engine/engine.h"

namespace weft::engine {

class ResultText {
 public:
  using Sink = std::function<Status(BytesView text, int64_t rows)>;
  ResultText(ResultFormat format, const duckdb::vector<std::string>& names,
             const duckdb::vector<duckdb::LogicalType>& types, Sink sink);

  // Names are made unique: a, a_1, …
  const std::vector<ResultColumn>& columns() const { return columns_; }
  // Gives pieces of at most 1 MiB of whole rows to the sink (one row that is larger goes alone).
  Status Append(duckdb::ClientContext& context, duckdb::DataChunk& chunk);
  Status Finish();

 private:
  void Row(const std::vector<duckdb::RecursiveUnifiedVectorFormat>& data, duckdb::idx_t row);
  Status Flush(size_t bytes, int64_t rows);

  ResultFormat format_;
  std::vector<ResultColumn> columns_;
  std::vector<std::string> keys_;  // `"name":`, ready to print
  duckdb::vector<duckdb::LogicalType> types_;
  duckdb::vector<duckdb::LogicalType>
      printed_;  // what the columns are cast to before they are printed
  Sink sink_;
  std::string text_;
  int64_t rows_ = 0;
  bool first_ = true;
};

void AppendJsonString(std::string_view text, std::string& to);

}  // namespace weft::engine
