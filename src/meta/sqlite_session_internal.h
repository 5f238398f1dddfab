// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "meta/database.h"

namespace weft::meta {

// One connection to an SQLite file, and the statements it has prepared. One thread at a time. No
// exception leaves it.
class SqliteSession {
 public:
  // "" is a database in memory.
  static Result<std::unique_ptr<SqliteSession>> Open(const std::string& path);

  // A statement that changes nothing; kInternal for another.
  Result<std::vector<Row>> Query(std::string_view sql, const std::vector<Value>& values);
  // Any one statement; how many rows it changed.
  Result<int64_t> Execute(std::string_view sql, const std::vector<Value>& values);
  // Ends an open transaction, should there be one.
  void Rollback();

 private:
  // SOCI exports neither class, only what is virtual in them; and a statement does not finalise
  // itself.
  struct Finalise {
    void operator()(soci::sqlite3_statement_backend* statement) const {
      statement->clean_up();
      delete static_cast<soci::details::statement_backend*>(statement);
    }
  };
  using Statement = std::unique_ptr<soci::sqlite3_statement_backend, Finalise>;

  explicit SqliteSession(std::unique_ptr<soci::session> session);
  Result<std::vector<Row>> Run(std::string_view sql, const std::vector<Value>& values,
                               bool reads_only);
  Result<soci::sqlite3_statement_backend*> Prepare(std::string_view sql);
  Status Bind(soci::sqlite3_statement_backend& statement, const std::vector<Value>& values);
  Result<Row> ReadRow(soci::sqlite3_statement_backend& statement);
  Error Failure(std::string_view what, int result);

  std::unique_ptr<soci::session> session_;
  sqlite_api::sqlite3* connection_;                        // session_'s
  std::unordered_map<std::string, Statement> statements_;  // gone before session_ is
};

}  // namespace weft::meta
