// SPDX-License-Identifier: Apache-2.0
// The catalog: databases and tables, and for each table the one atomic pointer to its current
// metadata, together with the positions up to which delivery has put each shard into it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "meta/database.h"
#include "objects/object_store.h"

namespace weft::catalog {

struct TableName {
  std::string database, table;
  std::string text() const { return database + "." + table; }
  friend auto operator<=>(const TableName&, const TableName&) = default;
};
Result<TableName> ParseTableName(std::string_view text);  // "DB.TABLE"

struct Table {
  int64_t id = 0;  // never used again
  TableName name;
  AccountId account;
  std::string location;           // "s3://BUCKET/PREFIX", no trailing slash
  std::string metadata_location;  // the pointer
  int64_t version = 0;            // how often the pointer moved: changes with every commit
};

// What delivery has reached, by shard number of the product's stream.
using Positions = std::map<int, int64_t>;

struct TableState {
  Table table;
  Positions positions;
};

class Catalog {
 public:
  explicit Catalog(meta::Database& database);
  ~Catalog();
  static const std::vector<std::string>& Migrations();

  // kExists when the name is taken. The database is made when it is not there; kDenied when it
  // belongs to another account. A dropped table of the same name can be taken up again with Undrop.
  Result<Table> Create(meta::Transaction& tx, const TableName& name, const AccountId& account,
                       const std::string& location, const std::string& metadata_location,
                       const Positions& positions);
  // Hides the table; its objects, pointer and positions stay until Purge.
  Status Drop(meta::Transaction& tx, const TableName& name);
  // The hidden table of that name and account, visible again; nothing when there is none.
  Result<std::optional<Table>> Undrop(meta::Transaction& tx, const TableName& name,
                                      const AccountId& account);
  // Forgets a hidden or visible table for good; its objects are the caller's to delete.
  Status Purge(meta::Transaction& tx, const TableName& name, const AccountId& account);

  // Moves the pointer from `expected_metadata_location` to `metadata_location`, and with it the
  // positions given (none may go back). kConflict when the pointer is not where it was expected,
  // kNotFound for no such table.
  Status Advance(meta::Transaction& tx, int64_t table_id,
                 const std::string& expected_metadata_location,
                 const std::string& metadata_location, const Positions& positions);
  // Moves positions without a new snapshot: an epoch that holds no record of this table.
  Status AdvancePositions(meta::Transaction& tx, int64_t table_id, const Positions& positions);

  // Pointer and positions as of one moment. The cached picture is refreshed by every commit.
  Result<TableState> Find(const TableName& name) const;
  Result<TableState> FindById(int64_t table_id) const;
  std::vector<Table> Tables() const;  // visible ones, in order of name

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::catalog
