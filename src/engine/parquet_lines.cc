// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "engine/duckdb_engine.h"
#include "engine/result_text_internal.h"
#include "engine/statement_check_internal.h"

namespace weft::engine {

Status ReadParquetFile(const std::string& path,
                       const std::function<Status(BytesView lines, int64_t rows)>& sink) {
  if (::access(path.c_str(), R_OK) != 0) return Fail(SystemError("reading " + path, errno));
  try {
    duckdb::DBConfig config;
    config.SetOptionByName("threads", duckdb::Value::BIGINT(2));
    config.SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
    config.SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
    // What was read is not read again.
    config.SetOptionByName("enable_external_file_cache", duckdb::Value::BOOLEAN(false));
    duckdb::DuckDB database(nullptr, &config);
    duckdb::Connection connection(database);
    // A list names this one file, whatever characters are in its name.
    auto literal = "'" + duckdb::StringUtil::Replace(path, "'", "''") + "'";
    connection.Query("set TimeZone = 'UTC'");
    auto pending = connection.PendingQuery(
        "select * from read_parquet([" + literal + "], hive_partitioning = false)", true);
    if (pending->HasError())
      return Fail(Code::kInvalid, path + ": " + pending->GetErrorObject().RawMessage());
    auto result = pending->Execute();
    if (result->HasError())
      return Fail(Code::kInvalid, path + ": " + result->GetErrorObject().RawMessage());
    ResultText text(ResultFormat::kNdjson, result->names, result->types, sink);
    for (;;) {
      auto chunk = result->Fetch();
      if (result->HasError())
        return Fail(Code::kInvalid, path + ": " + result->GetErrorObject().RawMessage());
      if (!chunk || chunk->size() == 0) return text.Finish();
      TRY(text.Append(*connection.context, *chunk));
    }
  } catch (const std::exception& error) {
    return Fail(Code::kInvalid, path + ": " + duckdb::ErrorData(error).RawMessage());
  }
}

}  // namespace weft::engine
