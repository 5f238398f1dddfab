// SPDX-License-Identifier: Apache-2.0
#include "tail/testing/ground.h"

#include <future>

#include "base/check.h"
#include "base/random.h"
#include "log/testing/memory_log.h"
#include "meta/sqlite.h"
#include "objects/testing/memory_store.h"
#include "tail/record_key.h"

namespace weft::tail {
namespace {

template <class T>
T Must(Result<T> result) {
  if (!result.ok()) fmt::print(stderr, "{}\n", result.error().message());
  CHECK(result.ok());
  return *std::move(result);
}
void Must(const Status& status) {
  if (!status.ok()) fmt::print(stderr, "{}\n", status.error().message());
  CHECK(status.ok());
}

// Makes the tables of all modules before any of them reads.
meta::Database& Migrated(meta::Database& database) {
  Must(meta::Migrate(database, "stream", stream::Streams::Migrations()));
  Must(meta::Migrate(database, "contract", contract::Contracts::Migrations()));
  Must(meta::Migrate(database, "catalog", catalog::Catalog::Migrations()));
  Must(meta::Migrate(database, "tail", Feeds::Migrations()));
  return database;
}

}  // namespace

Ground::Ground()
    : kept_database(Must(meta::OpenSqlite({}))),
      kept_log(log::OpenMemoryLog()),
      store(objects::OpenMemoryStore()),
      database(*kept_database),
      log(*kept_log) {
  Migrated(*kept_database);
}

Modules::Modules(Ground& ground, const Tail::Options& options, objects::ObjectStore* store)
    : streams({}, ground.database, ground.log, ground.clock, metrics),
      contracts(ground.database),
      tables(store == nullptr ? *ground.store : *store, SystemClock(), SystemRandom()),
      catalog(ground.database),
      feeds(ground.database),
      tail(options, streams, contracts, metrics),
      database(ground.database) {}

contract::Contract MakeContract(const std::string& product,
                                const std::vector<contract::ShortColumn>& columns) {
  return Must(contract::FromShortForm(product, columns));
}

std::vector<Feed> MakeProduct(Modules& modules, const std::string& name,
                              const contract::Contract& contract,
                              const std::vector<iceberg::PartitionField>& partition) {
  std::vector<Feed> feeds;
  const stream::StreamName stream("product-" + name);
  Must(modules.database.Transact([&](meta::Transaction& tx) -> Status {
    feeds.clear();
    TRY(modules.streams.Create(
        tx, {.name = stream, .account = AccountId("111122223333"), .use = stream::Use::kProduct}));
    TRY(modules.contracts.Put(tx, ProductName(name), contract));
    for (const contract::SchemaObject& object : contract.objects) {
      const contract::TableSchema schema = contract::MakeTableSchema(object);
      const std::string location = "s3://weft/sales/" + object.name;
      const auto version = TRY(modules.tables.Create({.location = location,
                                                      .schema = schema.schema,
                                                      .spec = {.spec_id = 0, .fields = partition},
                                                      .last_column_id = schema.last_column_id,
                                                      .properties = {}}));
      const auto table =
          TRY(modules.catalog.Create(tx, {"sales", object.name}, AccountId("111122223333"),
                                     location, version.metadata_location, {{0, 0}}));
      feeds.push_back({.table_id = table.id,
                       .product = ProductName(name),
                       .stream = stream,
                       .object = object.name});
      TRY(modules.feeds.Put(tx, feeds.back()));
    }
    return {};
  }));
  return feeds;
}

int ChangeContract(Modules& modules, const Feed& feed, const contract::Contract& contract) {
  int version = 0;
  const auto state = Must(modules.catalog.FindById(feed.table_id));
  const auto table = Must(modules.tables.Load(state.table.metadata_location));
  const auto schema = Must(contract::Evolve(
      table.metadata->schema(), table.metadata->last_column_id, contract.objects.front()));
  const auto next = Must(modules.tables.UpdateSchema(table, schema.schema, schema.last_column_id));
  Must(modules.database.Transact([&](meta::Transaction& tx) -> Status {
    version = TRY(modules.contracts.Put(tx, feed.product, contract));
    return modules.catalog.Advance(tx, feed.table_id, state.table.metadata_location,
                                   next.metadata_location, {});
  }));
  return version;
}

Result<int64_t> AppendWithKey(Modules& modules, const Feed& feed, const Bytes& key,
                              const std::vector<std::string>& records) {
  struct Owned {
    Bytes key;
    std::vector<std::string> records;
  };
  auto owned = std::make_shared<Owned>(Owned{key, records});
  log::Batch batch{.id = "", .records = {}, .owner = owned};
  for (const std::string& record : owned->records) {
    batch.records.push_back({.key = owned->key, .value = record});
  }
  std::promise<Result<log::Appended>> answer;
  modules.streams.Append(feed.stream, std::move(batch), [&](Result<log::Appended> appended) {
    answer.set_value(std::move(appended));
  });
  return TRY(answer.get_future().get()).first.value;
}

Status AppendKeyed(Modules& modules, const Feed& feed, const std::string& partition_key,
                   const std::string& record) {
  struct Owned {
    Bytes key, record;
  };
  auto owned = std::make_shared<Owned>(
      Owned{EncodeRecordKey({.contract_version = 1, .object = feed.object}), record});
  std::vector<stream::Streams::Part> unit;
  {
    auto route = TRY(modules.streams.RouteOf(feed.stream));
    const int shard = route.ShardOf(stream::HashOf(partition_key));
    unit.push_back(
        {.stream = feed.stream,
         .route = std::move(route),
         .shard = shard,
         .batch = {
             .id = "", .records = {{.key = owned->key, .value = owned->record}}, .owner = owned}});
  }
  std::promise<Status> answer;
  modules.streams.Append(std::move(unit), [&](const Result<std::vector<log::Appended>>& appended) {
    answer.set_value(appended.ok() ? Status() : Status(Fail(appended.error())));
  });
  return answer.get_future().get();
}

Result<int64_t> AppendRecords(Modules& modules, const Feed& feed, int contract_version,
                              const std::vector<std::string>& records) {
  return AppendWithKey(
      modules, feed, EncodeRecordKey({.contract_version = contract_version, .object = feed.object}),
      records);
}

std::shared_ptr<const iceberg::Schema> SchemaOf(Modules& modules, const Feed& feed) {
  const auto state = Must(modules.catalog.FindById(feed.table_id));
  const auto version = Must(modules.tables.Load(state.table.metadata_location));
  return {version.metadata, &version.metadata->schema()};
}

catalog::Positions PositionsOf(Modules& modules, const Feed& feed) {
  return Must(modules.catalog.FindById(feed.table_id)).positions;
}

std::vector<std::string> IdsOf(const std::vector<engine::ColumnSlice>& slices) {
  return ColumnOf(slices, std::string(contract::kIdColumn));
}

std::vector<std::string> ColumnOf(const std::vector<engine::ColumnSlice>& slices,
                                  const std::string& column) {
  std::vector<std::string> values;
  for (const engine::ColumnSlice& slice : slices) {
    const iceberg::ColumnView* view = nullptr;
    for (const iceberg::ColumnView& candidate : slice.chunk->columns()) {
      if (candidate.field->name == column) view = &candidate;
    }
    for (int64_t row = slice.first_row; row < slice.end_row; ++row) {
      if (view == nullptr || !view->valid(row)) {
        values.emplace_back("null");
      } else if (view->field->type.kind == iceberg::TypeKind::kString) {
        values.emplace_back(reinterpret_cast<const char*>(view->values) + view->offsets[row],
                            static_cast<size_t>(view->offsets[row + 1] - view->offsets[row]));
      } else if (view->field->type.kind == iceberg::TypeKind::kInt) {
        values.push_back(std::to_string(reinterpret_cast<const int32_t*>(view->values)[row]));
      } else {
        values.push_back(std::to_string(reinterpret_cast<const int64_t*>(view->values)[row]));
      }
    }
  }
  return values;
}

}  // namespace weft::tail
