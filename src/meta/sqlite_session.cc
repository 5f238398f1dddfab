// SPDX-License-Identifier: Apache-2.0
// SOCI's row of dynamic type goes by the declared type of a column, which an expression such as
// count(*) does not have. So values are read by the storage class that SQLite reports for each,
// through the statement that SOCI keeps.
#include <fmt/format.h>

#include "meta/sqlite_session_internal.h"

namespace weft::meta {
namespace {

constexpr size_t kStatementsMax = 256;
constexpr int kBusySeconds = 10;

bool OnlyBlanks(std::string_view text) {
  return text.find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

Code CodeOf(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return Code::kConflict;
    case SQLITE_CONSTRAINT_NOTNULL:
    case SQLITE_CONSTRAINT_CHECK:
      return Code::kInvalid;
    default:
      break;
  }
  switch (extended & 0xff) {
    case SQLITE_CONSTRAINT:
      return Code::kExists;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
      return Code::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kCorrupt;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Code::kDenied;
    default:
      return Code::kInternal;
  }
}

}  // namespace

SqliteSession::SqliteSession(std::unique_ptr<soci::session> session)
    : session_(std::move(session)),
      connection_(static_cast<soci::sqlite3_session_backend*>(session_->get_backend())->conn_) {}

Result<std::unique_ptr<SqliteSession>> SqliteSession::Open(const std::string& path) {
  // SOCI's connection strings have no way to write a quote.
  if (path.find('"') != std::string::npos) {
    return Fail(Code::kInvalid,
                fmt::format("the path of a database may not hold a quote: {}", path));
  }
  try {
    auto session = std::make_unique<soci::session>(
        soci::sqlite3,
        fmt::format("dbname=\"{}\" timeout={}", path.empty() ? ":memory:" : path, kBusySeconds));
    return std::unique_ptr<SqliteSession>(new SqliteSession(std::move(session)));
  } catch (const soci::sqlite3_soci_error& error) {
    return Fail(CodeOf(error.result()), fmt::format("open {}: {}", path, error.what()));
  } catch (const std::exception& error) {
    return Fail(Code::kUnavailable, fmt::format("open {}: {}", path, error.what()));
  }
}

Result<std::vector<Row>> SqliteSession::Query(std::string_view sql,
                                              const std::vector<Value>& values) {
  return Run(sql, values, true);
}

Result<int64_t> SqliteSession::Execute(std::string_view sql, const std::vector<Value>& values) {
  const int before = sqlite_api::sqlite3_total_changes(connection_);
  (void)TRY(Run(sql, values, false));
  // A statement that is not about rows (CREATE …) leaves the count of the one before.
  if (sqlite_api::sqlite3_total_changes(connection_) == before) return 0;
  return sqlite_api::sqlite3_changes(connection_);
}

void SqliteSession::Rollback() {
  if (sqlite_api::sqlite3_get_autocommit(connection_) == 0) (void)Execute("ROLLBACK", {}).ok();
}

Result<std::vector<Row>> SqliteSession::Run(std::string_view sql, const std::vector<Value>& values,
                                            bool reads_only) {
  soci::sqlite3_statement_backend& statement = *TRY(Prepare(sql));
  if (reads_only && sqlite_api::sqlite3_stmt_readonly(statement.stmt_) == 0) {
    return Fail(Code::kInternal, fmt::format("a query that would write: {}", sql));
  }
  TRY(Bind(statement, values));
  auto run = [&]() -> Result<std::vector<Row>> {
    std::vector<Row> rows;
    try {
      auto got = statement.execute(1);
      while (got == soci::details::statement_backend::ef_success) {
        rows.push_back(TRY(ReadRow(statement)));
        got = statement.fetch(1);
      }
    } catch (const soci::sqlite3_soci_error& error) {
      return Fail(Failure(sql, error.result()));
    } catch (const std::exception& error) {
      return Fail(Code::kInternal, fmt::format("{}: {}", sql, error.what()));
    }
    return rows;
  };
  auto rows = run();
  // A statement left in the middle would keep its snapshot, and what is bound lives only as long as
  // the call.
  sqlite_api::sqlite3_reset(statement.stmt_);
  sqlite_api::sqlite3_clear_bindings(statement.stmt_);
  return rows;
}

Result<soci::sqlite3_statement_backend*> SqliteSession::Prepare(std::string_view sql) {
  std::string text(sql);
  auto found = statements_.find(text);
  if (found != statements_.end()) return found->second.get();
  if (statements_.size() >= kStatementsMax) statements_.clear();
  try {
    Statement statement(
        static_cast<soci::sqlite3_statement_backend*>(session_->make_statement_backend()));
    statement->alloc();
    statement->prepare(text, soci::details::st_repeatable_query);
    const char* compiled = sqlite_api::sqlite3_sql(statement->stmt_);
    if (compiled == nullptr) return Fail(Code::kInternal, "an empty statement");
    if (!OnlyBlanks(sql.substr(std::string_view(compiled).size()))) {
      return Fail(Code::kInternal, fmt::format("more than one statement in one call: {}", sql));
    }
    return statements_.emplace(std::move(text), std::move(statement)).first->second.get();
  } catch (const soci::sqlite3_soci_error& error) {
    return Fail(Failure(sql, error.result()));
  } catch (const std::exception& error) {
    return Fail(Code::kInternal, fmt::format("{}: {}", sql, error.what()));
  }
}

// By name, so that the placeholders need not stand in order; every one must have a value and every
// value one.
Status SqliteSession::Bind(soci::sqlite3_statement_backend& statement,
                           const std::vector<Value>& values) {
  sqlite_api::sqlite3_stmt* to = statement.stmt_;
  if (sqlite_api::sqlite3_bind_parameter_count(to) != static_cast<int>(values.size())) {
    return Fail(Code::kInternal, fmt::format("{} values for {} placeholders: {}", values.size(),
                                             sqlite_api::sqlite3_bind_parameter_count(to),
                                             sqlite_api::sqlite3_sql(to)));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const int at = sqlite_api::sqlite3_bind_parameter_index(to, fmt::format(":{}", i + 1).c_str());
    if (at == 0) {
      return Fail(Code::kInternal,
                  fmt::format("no placeholder :{}: {}", i + 1, sqlite_api::sqlite3_sql(to)));
    }
    int result = SQLITE_OK;
    if (const auto* integer = std::get_if<int64_t>(&values[i])) {
      result = sqlite_api::sqlite3_bind_int64(to, at, *integer);
    } else if (const auto* text = std::get_if<std::string>(&values[i])) {
      result = sqlite_api::sqlite3_bind_text64(to, at, text->data(), text->size(), SQLITE_STATIC,
                                               SQLITE_UTF8);
    } else {
      result = sqlite_api::sqlite3_bind_null(to, at);
    }
    if (result != SQLITE_OK) return Fail(Failure(sqlite_api::sqlite3_sql(to), result));
  }
  return {};
}

Result<Row> SqliteSession::ReadRow(soci::sqlite3_statement_backend& statement) {
  sqlite_api::sqlite3_stmt* from = statement.stmt_;
  std::vector<Value> values(static_cast<size_t>(sqlite_api::sqlite3_column_count(from)));
  for (size_t i = 0; i < values.size(); ++i) {
    const int column = static_cast<int>(i);
    switch (sqlite_api::sqlite3_column_type(from, column)) {
      case SQLITE_NULL:
        break;
      case SQLITE_INTEGER:
        values[i] = int64_t{sqlite_api::sqlite3_column_int64(from, column)};
        break;
      case SQLITE_TEXT: {
        const auto* text =
            reinterpret_cast<const char*>(sqlite_api::sqlite3_column_text(from, column));
        values[i] =
            std::string(text, static_cast<size_t>(sqlite_api::sqlite3_column_bytes(from, column)));
        break;
      }
      default:
        return Fail(Code::kInternal, fmt::format("column {} is neither INTEGER nor TEXT: {}",
                                                 column, sqlite_api::sqlite3_sql(from)));
    }
  }
  return Row(std::move(values));
}

Error SqliteSession::Failure(std::string_view what, int result) {
  const int extended = sqlite_api::sqlite3_extended_errcode(connection_);
  const int code = (extended & 0xff) == (result & 0xff) ? extended : result;
  return Error(CodeOf(code),
               fmt::format("{}: {} ({})", what, sqlite_api::sqlite3_errmsg(connection_), code));
}

}  // namespace weft::meta
