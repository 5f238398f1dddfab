// SPDX-License-Identifier: Apache-2.0
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/main/attached_database.hpp"
#include "duckdb/parser/parsed_data/create_schema_info.hpp"
#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/storage/database_size.hpp"
#include "duckdb/storage/storage_extension.hpp"
#include "duckdb/storage/table_storage_info.hpp"
#include "duckdb/transaction/transaction_manager.hpp"
#include "engine/duckdb_types_internal.h"
#include "engine/mesh_catalog_internal.h"

namespace weft::engine {
namespace {

using duckdb::AttachedDatabase;
using duckdb::Catalog;
using duckdb::CatalogEntry;
using duckdb::CatalogTransaction;
using duckdb::CatalogType;
using duckdb::ClientContext;
using duckdb::EntryLookupInfo;
using duckdb::LogicalOperator;
using duckdb::optional_ptr;
using duckdb::PhysicalOperator;
using duckdb::PhysicalPlanGenerator;
using duckdb::SchemaCatalogEntry;
using duckdb::TableCatalogEntry;
using duckdb::Transaction;

constexpr const char* kKind = "weft_mesh";

[[noreturn]] void Refuse() { throw duckdb::PermissionException("the mesh's tables are read only"); }

class MeshTable : public TableCatalogEntry {
 public:
  MeshTable(Catalog& owner, SchemaCatalogEntry& folder, duckdb::CreateTableInfo& info,
            std::shared_ptr<const TableSource> source)
      : TableCatalogEntry(owner, folder, info), source_(std::move(source)) {}
  duckdb::unique_ptr<duckdb::BaseStatistics> GetStatistics(ClientContext&,
                                                           duckdb::column_t) override {
    return nullptr;
  }
  duckdb::TableFunction GetScanFunction(ClientContext& context,
                                        duckdb::unique_ptr<duckdb::FunctionData>& data) override {
    return MakeScan(context, source_, StatementTables::Of(context).paths(), *this, data);
  }
  duckdb::virtual_column_map_t GetVirtualColumns() const override {
    return VirtualColumns(*source_);
  }
  duckdb::vector<duckdb::column_t> GetRowIdColumns() const override { return {}; }
  duckdb::TableStorageInfo GetStorageInfo(ClientContext&) override { return {}; }

 private:
  std::shared_ptr<const TableSource> source_;
};

class MeshSchema : public SchemaCatalogEntry {
 public:
  using SchemaCatalogEntry::SchemaCatalogEntry;
  void Scan(ClientContext& context, CatalogType kind,
            const std::function<void(CatalogEntry&)>& call) override {
    if (kind == CatalogType::TABLE_ENTRY)
      StatementTables::Of(context).ForEachTable(catalog, *this, call);
  }
  void Scan(CatalogType, const std::function<void(CatalogEntry&)>&) override {}
  optional_ptr<CatalogEntry> LookupEntry(CatalogTransaction transaction,
                                         const EntryLookupInfo& lookup) override {
    if (lookup.GetCatalogType() != CatalogType::TABLE_ENTRY || !transaction.HasContext())
      return nullptr;
    return StatementTables::Of(transaction.GetContext())
        .Table(catalog, *this, lookup.GetEntryName());
  }
  optional_ptr<CatalogEntry> CreateIndex(CatalogTransaction, duckdb::CreateIndexInfo&,
                                         TableCatalogEntry&) override {
    Refuse();
  }
  optional_ptr<CatalogEntry> CreateFunction(CatalogTransaction,
                                            duckdb::CreateFunctionInfo&) override {
    Refuse();
  }
  optional_ptr<CatalogEntry> CreateTable(CatalogTransaction,
                                         duckdb::BoundCreateTableInfo&) override {
    Refuse();
  }
  optional_ptr<CatalogEntry> CreateView(CatalogTransaction, duckdb::CreateViewInfo&) override {
    Refuse();
  }
  optional_ptr<CatalogEntry> CreateSequence(CatalogTransaction,
                                            duckdb::CreateSequenceInfo&) override {
    Refuse();
  }
  optional_ptr<CatalogEntry> CreateTableFunction(CatalogTransaction,
                                                 duckdb::CreateTableFunctionInfo&) override {
    Refuse();
  }
  optional_ptr<CatalogEntry> CreateCopyFunction(CatalogTransaction,
                                                duckdb::CreateCopyFunctionInfo&) override {
    Refuse();
  }
  optional_ptr<CatalogEntry> CreatePragmaFunction(CatalogTransaction,
                                                  duckdb::CreatePragmaFunctionInfo&) override {
    Refuse();
  }
  optional_ptr<CatalogEntry> CreateCollation(CatalogTransaction,
                                             duckdb::CreateCollationInfo&) override {
    Refuse();
  }
  optional_ptr<CatalogEntry> CreateType(CatalogTransaction, duckdb::CreateTypeInfo&) override {
    Refuse();
  }
  void DropEntry(ClientContext&, duckdb::DropInfo&) override { Refuse(); }
  void Alter(CatalogTransaction, duckdb::AlterInfo&) override { Refuse(); }
};

class MeshCatalog : public Catalog {
 public:
  using Catalog::Catalog;
  void Initialize(bool) override {}
  std::string GetCatalogType() override { return kKind; }
  optional_ptr<CatalogEntry> CreateSchema(CatalogTransaction, duckdb::CreateSchemaInfo&) override {
    Refuse();
  }
  optional_ptr<SchemaCatalogEntry> LookupSchema(CatalogTransaction transaction,
                                                const EntryLookupInfo& lookup,
                                                duckdb::OnEntryNotFound missing) override {
    if (transaction.HasContext()) {
      auto found =
          StatementTables::Of(transaction.GetContext()).Schema(*this, lookup.GetEntryName());
      if (found) return found;
    }
    if (missing == duckdb::OnEntryNotFound::THROW_EXCEPTION)
      throw duckdb::CatalogException("there is no such database");
    return nullptr;
  }
  void ScanSchemas(ClientContext& context, std::function<void(SchemaCatalogEntry&)> call) override {
    StatementTables::Of(context).ForEachSchema(*this, call);
  }
  PhysicalOperator& PlanCreateTableAs(ClientContext&, PhysicalPlanGenerator&,
                                      duckdb::LogicalCreateTable&, PhysicalOperator&) override {
    Refuse();
  }
  PhysicalOperator& PlanInsert(ClientContext&, PhysicalPlanGenerator&, duckdb::LogicalInsert&,
                               optional_ptr<PhysicalOperator>) override {
    Refuse();
  }
  PhysicalOperator& PlanDelete(ClientContext&, PhysicalPlanGenerator&, duckdb::LogicalDelete&,
                               PhysicalOperator&) override {
    Refuse();
  }
  PhysicalOperator& PlanUpdate(ClientContext&, PhysicalPlanGenerator&, duckdb::LogicalUpdate&,
                               PhysicalOperator&) override {
    Refuse();
  }
  duckdb::unique_ptr<LogicalOperator> BindCreateIndex(
      duckdb::Binder&, duckdb::CreateStatement&, TableCatalogEntry&,
      duckdb::unique_ptr<LogicalOperator>) override {
    Refuse();
  }
  duckdb::DatabaseSize GetDatabaseSize(ClientContext&) override { return {}; }
  bool InMemory() override { return true; }
  std::string GetDBPath() override { return ""; }
  void DropSchema(ClientContext&, duckdb::DropInfo&) override { Refuse(); }
};

// Nothing changes, so that a transaction is a name only.
class MeshTransactions : public duckdb::TransactionManager {
 public:
  using TransactionManager::TransactionManager;
  Transaction& StartTransaction(ClientContext& context) override {
    std::lock_guard lock(mutex_);
    auto transaction = std::make_unique<Transaction>(*this, context);
    auto& started = *transaction;
    live_[&started] = std::move(transaction);
    return started;
  }
  duckdb::ErrorData CommitTransaction(ClientContext&, Transaction& transaction) override {
    RollbackTransaction(transaction);
    return {};
  }
  void RollbackTransaction(Transaction& transaction) override {
    std::lock_guard lock(mutex_);
    live_.erase(&transaction);
  }
  void Checkpoint(ClientContext&, bool) override {}

 private:
  std::mutex mutex_;
  std::map<Transaction*, std::unique_ptr<Transaction>> live_;
};

std::string Lower(const std::string& text) { return duckdb::StringUtil::Lower(text); }

}  // namespace

StatementTables::~StatementTables() = default;

void StatementTables::Add(std::shared_ptr<const TableSource> source) {
  std::lock_guard lock(mutex_);
  sources_.emplace(Key(Lower(source->database), Lower(source->name)), std::move(source));
}

optional_ptr<SchemaCatalogEntry> StatementTables::Schema(Catalog& catalog,
                                                         const std::string& name) {
  std::lock_guard lock(mutex_);
  auto key = Lower(name);
  auto first = sources_.lower_bound(Key(key, ""));
  if (first == sources_.end() || first->first.first != key) return nullptr;
  auto& entry = schemas_[key];
  if (entry == nullptr) {
    duckdb::CreateSchemaInfo info;
    info.schema = first->second->database;
    entry = duckdb::make_uniq<MeshSchema>(catalog, info);
  }
  return entry.get();
}

optional_ptr<CatalogEntry> StatementTables::Table(Catalog& catalog, SchemaCatalogEntry& schema,
                                                  const std::string& name) {
  std::lock_guard lock(mutex_);
  Key key(Lower(schema.name), Lower(name));
  auto found = sources_.find(key);
  if (found == sources_.end()) return nullptr;
  auto& entry = tables_[key];
  if (entry == nullptr) {
    duckdb::CreateTableInfo info(schema, found->second->name);
    for (const auto& field : found->second->columns) {
      info.columns.AddColumn(duckdb::ColumnDefinition(field.name, ToLogical(field.type)));
    }
    entry = duckdb::make_uniq<MeshTable>(catalog, schema, info, found->second);
  }
  return entry.get();
}

void StatementTables::ForEachSchema(Catalog& catalog,
                                    const std::function<void(SchemaCatalogEntry&)>& call) {
  std::vector<std::string> names;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, source] : sources_) names.push_back(key.first);
  }
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const auto& name : names) {
    if (auto schema = Schema(catalog, name)) call(*schema);
  }
}

void StatementTables::ForEachTable(Catalog& catalog, SchemaCatalogEntry& schema,
                                   const std::function<void(CatalogEntry&)>& call) {
  std::vector<std::string> names;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, source] : sources_) {
      if (key.first == Lower(schema.name)) names.push_back(key.second);
    }
  }
  for (const auto& name : names) {
    if (auto table = Table(catalog, schema, name)) call(*table);
  }
}

StatementTables& StatementTables::Of(ClientContext& context) {
  auto state = context.registered_state->Get<StatementTables>(kKind);
  if (!state) throw duckdb::CatalogException("there are no tables here");
  return *state;
}

StatementTables& StatementTables::Attach(ClientContext& context, const ObjectPaths& paths) {
  return *context.registered_state->GetOrCreate<StatementTables>(kKind, paths);
}

void RegisterMesh(duckdb::DBConfig& config) {
  auto extension = duckdb::make_uniq<duckdb::StorageExtension>();
  extension->attach = [](optional_ptr<duckdb::StorageExtensionInfo>, ClientContext&,
                         AttachedDatabase& database, const std::string&, duckdb::AttachInfo&,
                         duckdb::AttachOptions&) -> duckdb::unique_ptr<Catalog> {
    return duckdb::make_uniq<MeshCatalog>(database);
  };
  extension->create_transaction_manager =
      [](optional_ptr<duckdb::StorageExtensionInfo>, AttachedDatabase& database,
         Catalog&) -> duckdb::unique_ptr<duckdb::TransactionManager> {
    return duckdb::make_uniq<MeshTransactions>(database);
  };
  config.storage_extensions[kKind] = std::move(extension);
}

void AttachMesh(duckdb::Connection& connection) {
  auto result =
      connection.Query(std::string("attach '' as ") + kMeshCatalog + " (type " + kKind + ")");
  if (result->HasError()) result->ThrowError();
}

}  // namespace weft::engine
