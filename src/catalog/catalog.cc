// SPDX-License-Identifier: Apache-2.0
// The picture in memory is a map of cells, one a table. Delivery moves a table's pointer often:
// that replaces what is in one cell. What comes and goes makes the map anew.
#include "catalog/catalog.h"

#include <fmt/format.h>

#include <mutex>

#include "base/logging.h"
#include "meta/picture.h"

namespace weft::catalog {
namespace {

// Where one table stands, as of the last commit.
class Cell {
 public:
  explicit Cell(TableState state) : state_(std::make_shared<const TableState>(std::move(state))) {}
  std::shared_ptr<const TableState> Get() const {
    std::lock_guard lock(mutex_);
    return state_;
  }
  void Set(std::shared_ptr<const TableState> state) {
    std::lock_guard lock(mutex_);
    state_ = std::move(state);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const TableState> state_;
};

struct Visible {
  std::map<TableName, std::shared_ptr<Cell>> by_name;
  std::map<int64_t, std::shared_ptr<Cell>> by_id;
};

constexpr std::string_view kSelect =
    "SELECT id, database_name, name, account, location, metadata_location, version FROM "
    "catalog_tables ";

Table TableOf(const meta::Row& row) {
  return {.id = row.integer(0),
          .name = {.database = row.text(1), .table = row.text(2)},
          .account = AccountId(row.text(3)),
          .location = row.text(4),
          .metadata_location = row.text(5),
          .version = row.integer(6)};
}

Result<Positions> PositionsOf(meta::Transaction& tx, int64_t table_id) {
  Positions positions;
  for (const meta::Row& row : TRY(tx.Query(
           "SELECT shard, position FROM catalog_positions WHERE table_id = :1", {table_id}))) {
    positions[static_cast<int>(row.integer(0))] = row.integer(1);
  }
  return positions;
}

Result<std::shared_ptr<const Visible>> LoadVisible(meta::Transaction& tx) {
  std::map<int64_t, Positions> positions;
  for (const meta::Row& row :
       TRY(tx.Query("SELECT table_id, shard, position FROM catalog_positions"))) {
    positions[row.integer(0)][static_cast<int>(row.integer(1))] = row.integer(2);
  }
  auto visible = std::make_shared<Visible>();
  for (const meta::Row& row : TRY(tx.Query(fmt::format("{} WHERE hidden = 0", kSelect)))) {
    Table table = TableOf(row);
    auto cell =
        std::make_shared<Cell>(TableState{.table = table, .positions = positions[table.id]});
    visible->by_name.emplace(table.name, cell);
    visible->by_id.emplace(table.id, std::move(cell));
  }
  return visible;
}

// The table of that name, hidden or not.
struct Stored {
  Table table;
  bool hidden;
};
Result<std::optional<Stored>> FindStored(meta::Transaction& tx, const TableName& name) {
  auto rows = TRY(tx.Query(fmt::format("{} WHERE database_name = :1 AND name = :2", kSelect),
                           {name.database, name.table}));
  if (rows.empty()) return std::optional<Stored>();
  Table table = TableOf(rows.front());
  auto hidden = TRY(tx.Query("SELECT hidden FROM catalog_tables WHERE id = :1", {table.id}));
  return Stored{.table = std::move(table), .hidden = hidden.front().integer(0) != 0};
}

Status CheckName(std::string_view what, const std::string& name) {
  const bool good = !name.empty() && name.size() <= 255 && name.find('.') == std::string::npos &&
                    name.find_first_of(std::string_view("\0/\\\"' \t\r\n", 9)) == std::string::npos;
  if (good) return {};
  return Fail(Code::kInvalid, fmt::format("not a {} name: '{}'", what, name));
}

Error NoTable(const TableName& name) {
  return Error(Code::kNotFound, fmt::format("no table {}", name.text()));
}
Error NoTable(int64_t id) { return Error(Code::kNotFound, fmt::format("no table of id {}", id)); }

Status OwnDatabase(meta::Transaction& tx, const std::string& database, const AccountId& account) {
  (void)TRY(tx.Execute(
      "INSERT INTO catalog_databases (name, account) VALUES (:1, :2) ON CONFLICT (name) DO NOTHING",
      {database, account.text()}));
  auto rows = TRY(tx.Query("SELECT account FROM catalog_databases WHERE name = :1", {database}));
  if (rows.front().text(0) == account.text()) return {};
  return Fail(Code::kDenied, fmt::format("the database {} belongs to another account, {}", database,
                                         rows.front().text(0)));
}

Result<int64_t> NextTableId(meta::Transaction& tx) {
  (void)TRY(tx.Execute("UPDATE catalog_ids SET last = last + 1"));
  return TRY(tx.Query("SELECT last FROM catalog_ids")).front().integer(0);
}

Status PutPositions(meta::Transaction& tx, int64_t table_id, const Positions& positions) {
  const Positions now = TRY(PositionsOf(tx, table_id));
  for (const auto& [shard, position] : positions) {
    auto before = now.find(shard);
    if (before != now.end() && before->second == position) continue;
    if (before != now.end() && before->second > position) {
      return Fail(Code::kConflict,
                  fmt::format("a position would go back: table {}, shard {}, from {} to {}",
                              table_id, shard, before->second, position));
    }
    (void)TRY(
        tx.Execute("INSERT INTO catalog_positions (table_id, shard, position) VALUES (:1, :2, :3) "
                   "ON CONFLICT (table_id, shard) DO UPDATE SET position = excluded.position",
                   {table_id, int64_t{shard}, position}));
  }
  return {};
}

}  // namespace

struct Catalog::State {
  explicit State(meta::Database& database) : picture(database, LoadVisible) {}

  Result<std::shared_ptr<Cell>> CellOf(int64_t table_id) {
    auto visible = TRY(picture.Get());
    auto found = visible->by_id.find(table_id);
    if (found == visible->by_id.end()) return Fail(NoTable(table_id));
    return found->second;
  }

  // The new state of a visible table, shown once the transaction has committed.
  Status ShowAfter(meta::Transaction& tx, int64_t table_id) {
    auto rows = TRY(tx.Query(fmt::format("{} WHERE id = :1", kSelect), {table_id}));
    // Not within the braces: what they hold already would leak when the query fails.
    Positions positions = TRY(PositionsOf(tx, table_id));
    auto state = std::make_shared<const TableState>(
        TableState{.table = TableOf(rows.front()), .positions = std::move(positions)});
    tx.AfterCommit([this, state = std::move(state)]() mutable {
      auto cell = CellOf(state->table.id);
      // No picture, or none of this table, holds nothing old either.
      if (cell.ok()) (*cell)->Set(std::move(state));
    });
    return {};
  }

  meta::Picture<Visible> picture;
};

Catalog::Catalog(meta::Database& database) : state_(std::make_unique<State>(database)) {}
Catalog::~Catalog() = default;

const std::vector<std::string>& Catalog::Migrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE catalog_databases (name TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL)",
      "CREATE TABLE catalog_ids (last INTEGER NOT NULL)",
      "INSERT INTO catalog_ids (last) VALUES (0)",
      "CREATE TABLE catalog_tables (id INTEGER NOT NULL PRIMARY KEY, "
      "database_name TEXT NOT NULL REFERENCES catalog_databases (name), name TEXT NOT NULL, "
      "account TEXT NOT NULL, location TEXT NOT NULL, metadata_location TEXT NOT NULL, "
      "version INTEGER NOT NULL, hidden INTEGER NOT NULL, UNIQUE (database_name, name))",
      "CREATE TABLE catalog_positions (table_id INTEGER NOT NULL REFERENCES catalog_tables (id) "
      "ON DELETE CASCADE, shard INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY "
      "(table_id, shard))",
  };
  return steps;
}

Result<TableName> ParseTableName(std::string_view text) {
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos) {
    return Fail(Code::kInvalid, fmt::format("not a table's name (DATABASE.TABLE): '{}'", text));
  }
  TableName name{.database = std::string(text.substr(0, dot)),
                 .table = std::string(text.substr(dot + 1))};
  TRY(CheckName("database's", name.database));
  TRY(CheckName("table's", name.table));
  return name;
}

Result<Table> Catalog::Create(meta::Transaction& tx, const TableName& name,
                              const AccountId& account, const std::string& location,
                              const std::string& metadata_location, const Positions& positions) {
  TRY(CheckName("database's", name.database));
  TRY(CheckName("table's", name.table));
  TRY(OwnDatabase(tx, name.database, account));
  if (auto taken = TRY(FindStored(tx, name))) {
    return Fail(Code::kExists,
                fmt::format("the table {} {}", name.text(),
                            taken->hidden ? "was dropped and is kept: take it up again or purge it"
                                          : "exists"));
  }
  const int64_t id = TRY(NextTableId(tx));
  (void)TRY(tx.Execute(
      "INSERT INTO catalog_tables (id, database_name, name, account, location, metadata_location, "
      "version, hidden) VALUES (:1, :2, :3, :4, :5, :6, 0, 0)",
      {id, name.database, name.table, account.text(), location, metadata_location}));
  TRY(PutPositions(tx, id, positions));
  state_->picture.ReloadAfter(tx);
  return Table{.id = id,
               .name = name,
               .account = account,
               .location = location,
               .metadata_location = metadata_location,
               .version = 0};
}

Status Catalog::Drop(meta::Transaction& tx, const TableName& name) {
  const int64_t dropped = TRY(tx.Execute(
      "UPDATE catalog_tables SET hidden = 1 WHERE database_name = :1 AND name = :2 AND hidden = 0",
      {name.database, name.table}));
  if (dropped == 0) return Fail(NoTable(name));
  state_->picture.ReloadAfter(tx);
  return {};
}

Result<std::optional<Table>> Catalog::Undrop(meta::Transaction& tx, const TableName& name,
                                             const AccountId& account) {
  auto stored = TRY(FindStored(tx, name));
  if (!stored || !stored->hidden || stored->table.account != account) return std::optional<Table>();
  (void)TRY(tx.Execute("UPDATE catalog_tables SET hidden = 0 WHERE id = :1", {stored->table.id}));
  state_->picture.ReloadAfter(tx);
  return std::move(stored->table);
}

Status Catalog::Purge(meta::Transaction& tx, const TableName& name, const AccountId& account) {
  auto stored = TRY(FindStored(tx, name));
  if (!stored || stored->table.account != account) return Fail(NoTable(name));
  (void)TRY(tx.Execute("DELETE FROM catalog_tables WHERE id = :1", {stored->table.id}));
  (void)TRY(
      tx.Execute("DELETE FROM catalog_databases WHERE name = :1 AND NOT EXISTS "
                 "(SELECT 1 FROM catalog_tables WHERE database_name = catalog_databases.name)",
                 {name.database}));
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Catalog::Advance(meta::Transaction& tx, int64_t table_id,
                        const std::string& expected_metadata_location,
                        const std::string& metadata_location, const Positions& positions) {
  auto rows = TRY(tx.Query(
      "SELECT metadata_location FROM catalog_tables WHERE id = :1 AND hidden = 0", {table_id}));
  if (rows.empty()) return Fail(NoTable(table_id));
  if (rows.front().text(0) != expected_metadata_location) {
    return Fail(Code::kConflict, fmt::format("the table moved on: expected {}, found {}",
                                             expected_metadata_location, rows.front().text(0)));
  }
  TRY(PutPositions(tx, table_id, positions));
  (void)TRY(tx.Execute(
      "UPDATE catalog_tables SET metadata_location = :1, version = version + 1 WHERE id = :2",
      {metadata_location, table_id}));
  return state_->ShowAfter(tx, table_id);
}

Status Catalog::AdvancePositions(meta::Transaction& tx, int64_t table_id,
                                 const Positions& positions) {
  auto rows =
      TRY(tx.Query("SELECT 1 FROM catalog_tables WHERE id = :1 AND hidden = 0", {table_id}));
  if (rows.empty()) return Fail(NoTable(table_id));
  TRY(PutPositions(tx, table_id, positions));
  return state_->ShowAfter(tx, table_id);
}

Result<TableState> Catalog::Find(const TableName& name) const {
  auto visible = TRY(state_->picture.Get());
  auto found = visible->by_name.find(name);
  if (found == visible->by_name.end()) return Fail(NoTable(name));
  return *found->second->Get();
}

Result<TableState> Catalog::FindById(int64_t table_id) const {
  auto cell = TRY(state_->CellOf(table_id));
  return *cell->Get();
}

std::vector<Table> Catalog::Tables() const {
  std::vector<Table> tables;
  auto visible = state_->picture.Get();
  if (!visible.ok()) {
    Log(LogLevel::kError, "catalog", "the tables cannot be read",
        {{"error", visible.error().message()}});
    return tables;
  }
  for (const auto& [name, cell] : (*visible)->by_name) tables.push_back(cell->Get()->table);
  return tables;
}

}  // namespace weft::catalog
