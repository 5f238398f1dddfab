// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <set>

#include "mesh/reader.h"
#include "mesh/tables.h"

namespace weft::mesh {
namespace {

// Names that a SQL session has for its own.
constexpr std::array<std::string_view, 5> kReservedDatabases = {"information_schema", "pg_catalog",
                                                                "main", "system", "temp"};

template <class T>
std::vector<std::string> NamesOf(const std::vector<T>& things) {
  std::vector<std::string> names;
  for (const auto& thing : things) {
    if constexpr (requires { thing.name.text(); }) {
      names.push_back(thing.name.text());
    } else {
      names.push_back(thing.name);
    }
  }
  return names;
}

template <class T>
const T* FindNamed(const std::vector<T>& things, std::string_view name) {
  auto found =
      std::find_if(things.begin(), things.end(), [&](const T& each) { return each.name == name; });
  return found == things.end() ? nullptr : &*found;
}

}  // namespace

void DeclarationReader::CheckAccount(const std::string& name, int line) {
  if (name.empty() || FindNamed(declaration_.accounts, name) != nullptr) return;
  faults_.Add(line, fmt::format("there is no account '{}'{}", name,
                                Hint(name, NamesOf(declaration_.accounts))));
}

void DeclarationReader::CheckProducts() {
  std::map<std::string, std::string> keys, owners;
  for (size_t i = 0; i < declaration_.products.size(); ++i) {
    auto& product = declaration_.products[i];
    const auto& lines = product_lines_[i];
    CheckAccount(product.account, lines.account);
    auto [first, fresh] = keys.emplace(ProductKey(product.name.text()), product.name.text());
    if (!fresh) {
      faults_.Add(lines.line,
                  fmt::format("the products '{}' and '{}' are one name: - and _ count alike",
                              first->second, product.name.text()));
    }
    if (auto name = Identifier(product.name.text()); !name.ok())
      faults_.Add(lines.line, name.error().message());
    if (product.database.empty()) continue;
    auto database = Identifier(product.database);
    if (!database.ok()) {
      faults_.Add(lines.database, database.error().message());
      continue;
    }
    product.database = *database;
    if (std::find(kReservedDatabases.begin(), kReservedDatabases.end(), *database) !=
        kReservedDatabases.end()) {
      faults_.Add(lines.database,
                  fmt::format("'{}' cannot name a database: SQL has it for its own", *database));
    }
    auto owner = owners.emplace(*database, product.account).first;
    if (owner->second != product.account && !product.account.empty()) {
      faults_.Add(lines.database, fmt::format("the database '{}' is of account '{}' already",
                                              *database, owner->second));
    }
    if (lines.contract_read) CheckTables(product, lines);
  }
}

void DeclarationReader::CheckTables(const DeclaredProduct& product, const ProductLines& lines) {
  const std::string& name = product.name.text();
  auto tables = TablesOf(product);
  if (!tables.ok())
    return faults_.Add(lines.line, fmt::format("products.{}: {}", name, tables.error().message()));
  if (tables->empty() && !product.partition_by.empty()) {
    faults_.Add(lines.partition_by,
                fmt::format("products.{}: partition_by without a table: the contract has no "
                            "columns",
                            name));
  }
  for (const auto& table : *tables) {
    // The contract outlives this check within declaration_, where products no longer move.
    if (!tables_.emplace(table.name.text(), table.object).second) {
      faults_.Add(lines.line, fmt::format("products.{}: another product makes the table {}", name,
                                          table.name.text()));
    }
    auto spec = MakePartitionSpec(PartitionTermsOf(product, *table.object),
                                  contract::MakeTableSchema(*table.object).schema);
    if (!spec.ok()) {
      faults_.Add(lines.partition_by, fmt::format("products.{}, table {}: {}", name,
                                                  table.name.text(), spec.error().message()));
    }
  }
}

void DeclarationReader::CheckUsers() {
  for (size_t i = 0; i < declaration_.groups.size(); ++i) {
    CheckAccount(declaration_.groups[i].account, group_lines_[i]);
  }
  for (size_t i = 0; i < declaration_.users.size(); ++i) {
    const auto& user = declaration_.users[i];
    CheckAccount(user.account, user_lines_[i].account);
    std::set<std::string> seen;
    for (const auto& group : user_lines_[i].groups) {
      const auto* found = FindNamed(declaration_.groups, group.text);
      if (found == nullptr) {
        faults_.Add(group.line,
                    fmt::format("users.{}: there is no group '{}'{}", user.name, group.text,
                                Hint(group.text, NamesOf(declaration_.groups))));
      }
      if (!seen.insert(group.text).second) {
        faults_.Add(group.line,
                    fmt::format("users.{}: the group '{}' comes twice", user.name, group.text));
      }
    }
  }
}

void DeclarationReader::CheckGrants() {
  std::map<std::string, int> seen;
  for (size_t i = 0; i < declaration_.grants.size(); ++i) {
    auto& grant = declaration_.grants[i];
    const auto& lines = grant_lines_[i];
    if (!grant.to.empty()) CheckGrantee(grant, lines);
    if (grant.table.empty()) continue;
    if (auto name = catalog::ParseTableName(grant.table); name.ok()) {
      auto database = Identifier(name->database);
      auto table = Identifier(name->table);
      if (database.ok() && table.ok()) grant.table = *database + "." + *table;
    }
    CheckGrantColumns(grant, lines);
    auto columns = grant.columns;
    std::sort(columns.begin(), columns.end());
    auto [first, fresh] = seen.emplace(
        fmt::format("{} {} {}", grant.to, grant.table, fmt::join(columns, ",")), lines.line);
    if (!fresh) faults_.Add(lines.line, fmt::format("the same grant as in line {}", first->second));
  }
}

void DeclarationReader::CheckGrantee(const DeclaredGrant& grant, const GrantLines& lines) {
  const size_t slash = grant.to.find('/');
  const std::string kind = grant.to.substr(0, slash);
  std::string name = slash == std::string::npos ? "" : grant.to.substr(slash + 1);
  if (name.empty() || (kind != "user" && kind != "group" && kind != "role" && kind != "account")) {
    return faults_.Add(
        lines.to, fmt::format("'{}' is not user/, group/, role/ or account/ and a name", grant.to));
  }
  if (kind == "role") {
    return faults_.Add(
        lines.to, fmt::format("'{}': this version has no roles; grant to a user, group or account",
                              grant.to));
  }
  if (kind == "account") {
    for (const auto& account : declaration_.accounts) {
      if (account.id.text() == name) return;
    }
    return CheckAccount(name, lines.to);
  }
  std::string account;
  if (const size_t inner = name.find('/'); inner != std::string::npos) {
    account = name.substr(0, inner);
    name = name.substr(inner + 1);
  }
  std::string home;
  bool found = false;
  if (kind == "user") {
    const auto* user = FindNamed(declaration_.users, name);
    found = user != nullptr;
    if (found) home = user->account;
  } else {
    const auto* group = FindNamed(declaration_.groups, name);
    found = group != nullptr;
    if (found) home = group->account;
  }
  if (!found) {
    const auto known = kind == "user" ? NamesOf(declaration_.users) : NamesOf(declaration_.groups);
    faults_.Add(lines.to, fmt::format("there is no {} '{}'{}", kind, name, Hint(name, known)));
  } else if (!account.empty() && account != home) {
    faults_.Add(lines.to,
                fmt::format("the {} '{}' is of account '{}', not '{}'", kind, name, home, account));
  }
}

void DeclarationReader::CheckGrantColumns(const DeclaredGrant& grant, const GrantLines& lines) {
  auto table = tables_.find(grant.table);
  if (table == tables_.end()) {
    // A product whose contract could not be read has had its fault; what its tables are called is
    // not known.
    for (const auto& product : product_lines_) {
      if (!product.contract_read) return;
    }
    std::vector<std::string> known;
    for (const auto& each : tables_) known.push_back(each.first);
    return faults_.Add(lines.table, fmt::format("there is no table '{}'{}", grant.table,
                                                Hint(grant.table, known)));
  }
  std::vector<std::string> known = {std::string(contract::kIdColumn),
                                    std::string(contract::kArrivalColumn)};
  for (const auto& column : table->second->columns) known.push_back(column.name);
  std::set<std::string> seen;
  for (const auto& column : lines.columns) {
    if (std::find(known.begin(), known.end(), column.text) == known.end()) {
      faults_.Add(column.line, fmt::format("the table {} has no column '{}'{}", grant.table,
                                           column.text, Hint(column.text, known)));
    }
    if (!seen.insert(column.text).second) {
      faults_.Add(column.line, fmt::format("the column '{}' is granted twice", column.text));
    }
  }
}

}  // namespace weft::mesh
