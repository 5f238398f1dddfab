// SPDX-License-Identifier: Apache-2.0
// The seam of the facts: a database that runs SQL in serialisable transactions. One SQL text serves
// every back end: placeholders :1, :2, … in order; INTEGER (64 bits) and TEXT columns only; ON
// CONFLICT; no `::` casts, no RETURNING. Back ends: OpenSqlite (sqlite.h), in memory for tests.
// Every back end passes testing/database_contract.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace weft::meta {

// NULL, INTEGER or TEXT (bytes are stored as text: base64 or hex).
using Value = std::variant<std::monostate, int64_t, std::string>;

class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  bool null(size_t column) const { return values_.at(column).index() == 0; }
  int64_t integer(size_t column) const { return std::get<int64_t>(values_.at(column)); }
  const std::string& text(size_t column) const { return std::get<std::string>(values_.at(column)); }
  // NULL as "".
  std::string text_or_empty(size_t column) const { return null(column) ? "" : text(column); }

 private:
  std::vector<Value> values_;
};

// One transaction; only valid during the call that was given it, on that thread.
class Transaction {
 public:
  virtual ~Transaction() = default;
  virtual Result<std::vector<Row>> Query(std::string_view sql,
                                         const std::vector<Value>& values = {}) = 0;
  // How many rows were changed. kExists when a uniqueness rule refuses.
  virtual Result<int64_t> Execute(std::string_view sql, const std::vector<Value>& values = {}) = 0;
  // Runs after the commit (and before Transact returns), in the order given; not at all after a
  // rollback. This is how a domain module forgets what it cached.
  virtual void AfterCommit(std::function<void()> then) = 0;
  // Runs when the transaction does not commit: to take back what was done outside of it.
  virtual void AfterRollback(std::function<void()> then) = 0;
};

// Safe to call from any thread.
class Database {
 public:
  virtual ~Database() = default;
  // Runs `work` in a serialisable transaction that may write; commits durably if it returns ok,
  // else rolls back and passes its failure on. May run `work` again after a serialisation failure:
  // it must have no effect outside the transaction. Not to be nested. kUnavailable when the disk is
  // full.
  virtual Status Transact(const std::function<Status(Transaction&)>& work) = 0;
  // Likewise, without writes: every query of `work` sees the same state.
  virtual Status Read(const std::function<Status(Transaction&)>& work) = 0;
};

// Runs those of `steps` that this database has not run for `module`, in order, in one transaction.
// Steps are only ever added at the end. kNotOffered when the database has more: a newer Weft wrote
// it.
Status Migrate(Database& database, const std::string& module,
               const std::vector<std::string>& steps);

}  // namespace weft::meta
