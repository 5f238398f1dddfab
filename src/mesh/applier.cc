// SPDX-License-Identifier: Apache-2.0
#include "mesh/applier.h"

#include <algorithm>

#include "base/logging.h"

namespace weft::mesh {
namespace {

using nlohmann::json;

std::string Text(const json& settings, const char* key) { return settings[key].get<std::string>(); }

identity::PrincipalRef RefOf(const json& settings, const char* name) {
  using Kind = identity::PrincipalRef::Kind;
  const auto kind = Text(settings, "kind");
  return {.kind = kind == "user"    ? Kind::kUser
                  : kind == "group" ? Kind::kGroup
                                    : Kind::kAccount,
          .account = AccountId(Text(settings, "account")),
          .name = Text(settings, name)};
}

Status Tolerate(Status status, Code code) {
  if (!status.ok() && status.error().code() == code) return {};
  return status;
}

}  // namespace

stream::StreamName StreamOf(const AccountId& account, const ProductName& product) {
  return stream::StreamName(account.text() + "." + product.text());
}
stream::StreamName QuarantineOf(const AccountId& account, const ProductName& product) {
  return stream::StreamName(account.text() + "." + product.text() + ".quarantine");
}

Status Applier::Apply(const Plan& plan, const std::function<void(meta::Transaction&)>& also) {
  TRY(DeliverFirst(plan));
  // Delivery and upkeep keep off the tables that change or go, until it is done.
  std::vector<int64_t> table_ids;
  for (const auto& step : plan.steps) {
    for (const auto& table : step.tables) {
      if (table.table_id != 0) table_ids.push_back(table.table_id);
    }
  }
  std::sort(table_ids.begin(), table_ids.end());
  auto done = Exclusively(table_ids, 0, [&]() -> Status {
    TRY(Prepare(plan));
    return use_.database.Transact([&](meta::Transaction& tx) {
      also(tx);
      return Commit(tx, plan);
    });
  });
  if (!done.ok()) TakeBack();
  // What this leaves behind is on the list, and the next start or apply tries again.
  if (auto collected = garbage_.Collect(); !collected.ok()) {
    Log(LogLevel::kWarning, "mesh", "objects of deleted tables stay for now",
        {{"error", collected.error().message()}});
  }
  return done;
}

// A product whose data is kept is left with as little as possible between log and table. That it
// cannot be delivered now is no reason to keep the product: its records stay in its stream.
Status Applier::DeliverFirst(const Plan& plan) {
  if (plan.delete_data) return {};
  for (const auto& step : plan.steps) {
    if (step.id.first != ThingKind::kProduct || step.after) continue;
    auto delivered = use_.delivery.DeliverNow(ProductName(step.before->name));
    if (delivered.ok()) continue;
    Log(LogLevel::kWarning, "mesh", "records of a removed product stay undelivered",
        {{"product", step.before->name}, {"error", delivered.error().message()}});
  }
  return {};
}

Status Applier::Exclusively(const std::vector<int64_t>& table_ids, size_t from,
                            const std::function<Status()>& work) {
  if (from == table_ids.size()) return work();
  return use_.delivery.Exclusively(table_ids[from],
                                   [&] { return Exclusively(table_ids, from + 1, work); });
}

Status Applier::Prepare(const Plan& plan) {
  for (const auto& step : plan.steps) {
    if (step.product == nullptr) continue;
    for (const auto& table : step.tables) {
      if (table.create) {
        prepared_[table.name] = TRY(PrepareNew(step, table));
      } else if (table.evolve) {
        prepared_[table.name] = TRY(PrepareEvolved(step, table));
      }
    }
  }
  return {};
}

Result<Applier::Prepared> Applier::PrepareNew(const Step& step, const TablePlan& table) {
  Prepared prepared;
  if (step.before) {
    // The product's stream is there: the records in it are not of this table, whose contract is not
    // yet in force.
    const AccountId account(Text(step.after->settings, "account"));
    const auto shards = TRY(use_.streams.BoundsOf(StreamOf(account, step.product->name)));
    for (const auto& [shard, bounds] : shards) prepared.positions[shard] = bounds.end.value;
  } else {
    prepared.positions[0] = 0;
  }
  prepared.location =
      TRY(garbage_.NewLocation(options_.bucket, table.name.database, table.name.table));
  auto made = contract::MakeTableSchema(*table.declared);
  auto spec = TRY(MakePartitionSpec(table.partition_by, made.schema));
  auto version = TRY(use_.tables.Create({.location = prepared.location,
                                         .schema = std::move(made.schema),
                                         .spec = std::move(spec),
                                         .last_column_id = made.last_column_id,
                                         .properties = {}}));
  prepared.metadata_location = version.metadata_location;
  return prepared;
}

Result<Applier::Prepared> Applier::PrepareEvolved(const Step& step, const TablePlan& table) {
  Prepared prepared;
  if (table.revive) {
    bool looked = false;
    auto peeked = use_.database.Transact([&](meta::Transaction& tx) -> Status {
      auto hidden = TRY(
          use_.catalog.Undrop(tx, table.name, AccountId(Text(step.after->settings, "account"))));
      if (hidden) prepared.expected = hidden->metadata_location;
      looked = true;
      return Fail(Code::kConflict, "only looked");
    });
    if (!looked) return Fail(peeked.error());
  } else {
    prepared.expected = TRY(use_.catalog.Find(table.name)).table.metadata_location;
  }
  auto base = TRY(use_.tables.Load(prepared.expected));
  auto evolved = TRY(
      contract::Evolve(base.metadata->schema(), base.metadata->last_column_id, *table.declared));
  auto version = TRY(use_.tables.UpdateSchema(base, evolved.schema, evolved.last_column_id));
  prepared.metadata_location = version.metadata_location;
  return prepared;
}

// Deletes what was written for tables that stay as they were. New tables' objects are on the
// garbage list.
void Applier::TakeBack() {
  for (const auto& [name, prepared] : prepared_) {
    if (!prepared.location.empty()) continue;
    auto key = objects::ParseLocation(prepared.metadata_location);
    // Else the table's upkeep finds it.
    if (key.ok()) (void)use_.store.Delete(*key).ok();
  }
}

Status Applier::Commit(meta::Transaction& tx, const Plan& plan) {
  // What goes makes room first, holders after what hangs on them; what comes is put the other way
  // round.
  for (auto kind : {ThingKind::kGrant, ThingKind::kPolicy, ThingKind::kProduct, ThingKind::kUser,
                    ThingKind::kGroup, ThingKind::kAccount}) {
    for (const auto& step : plan.steps) {
      if (step.id.first == kind && !step.after) TRY(Remove(tx, plan, step));
    }
  }
  for (auto kind : {ThingKind::kAccount, ThingKind::kGroup, ThingKind::kUser, ThingKind::kPolicy,
                    ThingKind::kProduct, ThingKind::kGrant}) {
    for (const auto& step : plan.steps) {
      if (step.id.first == kind && step.after) TRY(Put(tx, plan, step));
    }
  }
  return {};
}

Status Applier::Remove(meta::Transaction& tx, const Plan& plan, const Step& step) {
  const json& settings = step.before->settings;
  switch (step.id.first) {
    case ThingKind::kGrant:
      TRY(Tolerate(use_.govern.DeleteGrant(tx, step.id.second), Code::kNotFound));
      break;
    case ThingKind::kPolicy:
      TRY(Tolerate(use_.govern.DeletePolicy(tx, RefOf(settings, "holder"), Text(settings, "name")),
                   Code::kNotFound));
      break;
    case ThingKind::kUser:
      TRY(Tolerate(use_.directory.DeleteUser(tx, AccountId(Text(settings, "account")),
                                             Text(settings, "name")),
                   Code::kNotFound));
      break;
    case ThingKind::kGroup:
      TRY(Tolerate(use_.directory.DeleteGroup(
                       tx, {AccountId(Text(settings, "account")), Text(settings, "name")}),
                   Code::kNotFound));
      break;
    case ThingKind::kAccount:
      TRY(Tolerate(use_.directory.DeleteAccount(tx, AccountId(step.id.second)), Code::kNotFound));
      break;
    case ThingKind::kProduct:
      return RemoveProduct(tx, plan, step);
  }
  return DeleteThing(tx, step.id);
}

Status Applier::RemoveProduct(meta::Transaction& tx, const Plan& plan, const Step& step) {
  const json& settings = step.before->settings;
  const ProductName product(Text(settings, "name"));
  const AccountId account(Text(settings, "account"));
  TRY(Tolerate(use_.intakes.Delete(tx, product), Code::kNotFound));
  TRY(Tolerate(use_.delivery.Delete(tx, product), Code::kNotFound));
  for (const auto& table : step.tables) {
    if (table.table_id != 0) {
      TRY(Tolerate(use_.feeds.Delete(tx, table.table_id), Code::kNotFound));
      tx.AfterCommit([this, id = table.table_id] { use_.tail.Forget(id); });
    }
    if (plan.delete_data) {
      TRY(PurgeTable(tx, table, account));
    } else {
      TRY(use_.catalog.Drop(tx, table.name));
    }
  }
  if (!plan.delete_data) {
    StoredThing kept = *step.before;
    kept.live = false;
    return PutThing(tx, step.id, kept);
  }
  TRY(Tolerate(use_.streams.Delete(tx, StreamOf(account, product)), Code::kNotFound));
  // Lest the next stream of that name have its policies.
  TRY(use_.govern.ForgetResource(tx, fmt::format("arn:aws:kinesis:{}:{}:stream/{}", options_.region,
                                                 account.text(), product.text())));
  TRY(Tolerate(use_.streams.Delete(tx, QuarantineOf(account, product)), Code::kNotFound));
  TRY(use_.quarantine.Forget(tx, product));
  TRY(Tolerate(use_.contracts.Delete(tx, product), Code::kNotFound));
  return DeleteThing(tx, step.id);
}

Status Applier::PurgeTable(meta::Transaction& tx, const TablePlan& table,
                           const AccountId& account) {
  if (!table.revive) TRY(use_.catalog.Drop(tx, table.name));
  auto hidden = TRY(use_.catalog.Undrop(tx, table.name, account));
  if (!hidden)
    return Fail(Code::kCorrupt,
                fmt::format("the table {} is not in the catalog", table.name.text()));
  TRY(use_.catalog.Purge(tx, table.name, account));
  return Garbage::Add(tx, hidden->location);
}

Status Applier::Put(meta::Transaction& tx, const Plan& plan, const Step& step) {
  const json& settings = step.after->settings;
  switch (step.id.first) {
    case ThingKind::kAccount:
      TRY(use_.directory.PutAccount(
          tx, {AccountId(step.id.second), Text(settings, "name"), Text(settings, "description")}));
      break;
    case ThingKind::kGroup:
      TRY(use_.directory.PutGroup(tx,
                                  {AccountId(Text(settings, "account")), Text(settings, "name")}));
      break;
    case ThingKind::kUser:
      TRY(use_.directory.PutUser(tx, {AccountId(Text(settings, "account")), Text(settings, "name"),
                                      settings["groups"].get<std::vector<std::string>>()}));
      break;
    case ThingKind::kPolicy:
      TRY(use_.govern.PutPolicy(
          tx, {RefOf(settings, "holder"), Text(settings, "name"), Text(settings, "document")}));
      break;
    case ThingKind::kGrant: {
      const auto table = TRY(catalog::ParseTableName(Text(settings, "table")));
      TRY(use_.govern.PutGrant(tx, {step.id.second, RefOf(settings, "name"), table,
                                    settings["columns"].get<std::vector<std::string>>()}));
      break;
    }
    case ThingKind::kProduct:
      TRY(PutProduct(tx, step));
      break;
  }
  StoredThing thing;
  thing.name = step.after->name;
  thing.settings = settings;
  thing.mesh = plan.mesh;
  return PutThing(tx, step.id, thing);
}

Status Applier::PutProduct(meta::Transaction& tx, const Step& step) {
  const auto& product = *step.product;
  const AccountId account(Text(step.after->settings, "account"));
  const auto stream = StreamOf(account, product.name),
             quarantine = QuarantineOf(account, product.name);
  TRY(PutStreams(tx, product, account));
  (void)TRY(use_.contracts.Put(tx, product.name, product.contract));
  for (const auto& table : step.tables) TRY(PutTable(tx, step, table, account));
  TRY(use_.intakes.Put(tx, {.product = product.name,
                            .account = account,
                            .stream = stream,
                            .quarantine = quarantine,
                            .mode = product.mode,
                            .unknown_fields = product.unknown_fields,
                            .record_bytes_max = product.record_bytes_max,
                            .bytes_per_second = product.bytes_per_second,
                            .records_per_second = product.records_per_second}));
  return use_.delivery.Put(tx, {.product = product.name,
                                .buffer_bytes = product.buffer_bytes,
                                .buffer_interval = product.buffer_interval,
                                .retention = product.retention,
                                .retention_bytes = product.retention_bytes});
}

Status Applier::PutStreams(meta::Transaction& tx, const DeclaredProduct& product,
                           const AccountId& account) {
  const auto stream = StreamOf(account, product.name),
             quarantine = QuarantineOf(account, product.name);
  const auto retention = std::chrono::ceil<std::chrono::hours>(product.retention);
  TRY(use_.streams.Create(tx, {.name = stream,
                               .account = account,
                               .use = stream::Use::kProduct,
                               .settings = {.retention = retention}}));
  TRY(use_.streams.Update(tx, stream, [&](stream::StreamSettings& settings) -> Status {
    settings.retention = retention;
    return {};
  }));
  return use_.streams.Create(
      tx, {.name = quarantine, .account = account, .use = stream::Use::kInternal});
}

Status Applier::PutTable(meta::Transaction& tx, const Step& step, const TablePlan& table,
                         const AccountId& account) {
  int64_t id = table.table_id;
  auto prepared = prepared_.find(table.name);
  if (table.create) {
    auto made =
        TRY(use_.catalog.Create(tx, table.name, account, prepared->second.location,
                                prepared->second.metadata_location, prepared->second.positions));
    TRY(Garbage::Remove(tx, prepared->second.location));
    id = made.id;
  }
  if (table.revive) {
    auto hidden = TRY(use_.catalog.Undrop(tx, table.name, account));
    if (!hidden)
      return Fail(Code::kConflict, fmt::format("the kept table {} is gone", table.name.text()));
    id = hidden->id;
  }
  if (table.evolve) {
    TRY(use_.catalog.Advance(tx, id, prepared->second.expected, prepared->second.metadata_location,
                             {}));
  }
  return use_.feeds.Put(tx, {.table_id = id,
                             .product = step.product->name,
                             .stream = StreamOf(account, step.product->name),
                             .object = table.object});
}

}  // namespace weft::mesh
