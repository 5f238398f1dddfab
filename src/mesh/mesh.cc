// SPDX-License-Identifier: Apache-2.0
#include "mesh/mesh.h"

#include <algorithm>
#include <mutex>

#include "mesh/applier.h"
#include "mesh/garbage.h"
#include "mesh/planner.h"
#include "meta/picture.h"

namespace weft::mesh {
namespace {

using ProductMap = std::map<std::string, Product>;  // by ProductKey

Result<std::shared_ptr<const ProductMap>> LoadProducts(meta::Transaction& tx) {
  auto things = TRY(LoadThings(tx));
  auto products = std::make_shared<ProductMap>();
  for (const auto& [id, thing] : things) {
    if (id.first != ThingKind::kProduct || !thing.live) continue;
    Product product{.name = ProductName(thing.name),
                    .mesh = thing.mesh,
                    .account = AccountId(thing.settings["account"].get<std::string>()),
                    .database = thing.settings["database"].get<std::string>(),
                    .tables = {}};
    for (const auto& table : thing.settings["tables"]) {
      product.tables.push_back({product.database, table["table"].get<std::string>()});
    }
    products->emplace(id.second, std::move(product));
  }
  return std::shared_ptr<const ProductMap>(std::move(products));
}

}  // namespace

struct Meshes::State {
  State(const Options& o, const Dependencies& d)
      : options(o), use(d), garbage(d.database, d.store), picture(d.database, LoadProducts) {}

  Result<std::vector<Change>> Carry(const mesh::Plan& plan) {
    if (plan.steps.empty()) return std::vector<Change>();
    TRY(Applier(options, use, garbage).Apply(plan, [this](meta::Transaction& tx) {
      picture.ReloadAfter(tx);
    }));
    return plan.changes();
  }

  const Options options;
  const Dependencies use;
  Garbage garbage;
  meta::Picture<ProductMap> picture;
  std::mutex mutex;  // held by whoever changes a mesh
};

Meshes::Meshes(const Options& options, const Dependencies& dependencies)
    : state_(std::make_unique<State>(options, dependencies)) {}
Meshes::~Meshes() = default;

const std::vector<std::string>& Meshes::Migrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE mesh_things (kind TEXT NOT NULL, name_key TEXT NOT NULL, name TEXT NOT NULL, "
      "mesh TEXT NOT NULL, "
      "live INTEGER NOT NULL, settings TEXT NOT NULL, PRIMARY KEY (kind, name_key))",
      "CREATE TABLE mesh_numbers (last INTEGER NOT NULL)",
      "INSERT INTO mesh_numbers (last) VALUES (0)",
      "CREATE TABLE mesh_garbage (location TEXT PRIMARY KEY)",
  };
  return steps;
}

Status Meshes::Recover() {
  std::lock_guard lock(state_->mutex);
  return state_->garbage.Collect();
}

Result<std::vector<Change>> Meshes::Plan(const Declaration& declaration) {
  std::lock_guard lock(state_->mutex);
  auto plan = TRY(Planner(state_->use).PlanApply(declaration));
  return plan.changes();
}

Result<std::vector<Change>> Meshes::Apply(const Declaration& declaration, bool removals_allowed) {
  std::lock_guard lock(state_->mutex);
  auto plan = TRY(Planner(state_->use).PlanApply(declaration));
  if (!removals_allowed) {
    for (const auto& step : plan.steps) {
      if (step.after) continue;
      return Fail(Code::kConflict, fmt::format("this would remove {} {}: say so to allow it",
                                               step.change.kind, step.change.name));
    }
  }
  return state_->Carry(plan);
}

Result<std::vector<Change>> Meshes::PlanDestroy(const std::string& mesh, bool delete_data) {
  std::lock_guard lock(state_->mutex);
  auto plan = TRY(Planner(state_->use).PlanDestroy(mesh, delete_data));
  return plan.changes();
}

Result<std::vector<Change>> Meshes::Destroy(const std::string& mesh, bool delete_data) {
  std::lock_guard lock(state_->mutex);
  auto plan = TRY(Planner(state_->use).PlanDestroy(mesh, delete_data));
  return state_->Carry(plan);
}

std::vector<Product> Meshes::Products() const {
  std::vector<Product> all;
  auto products = state_->picture.Get();
  if (!products.ok()) return all;
  for (const auto& entry : **products) all.push_back(entry.second);
  return all;
}

Result<Product> Meshes::FindProduct(std::string_view name) const {
  auto products = TRY(state_->picture.Get());
  auto found = products->find(ProductKey(name));
  if (found == products->end())
    return Fail(Code::kNotFound, fmt::format("there is no product '{}'", name));
  return found->second;
}

Result<ProductStatus> Meshes::StatusOf(const ProductName& product) {
  ProductStatus status;
  status.product = TRY(FindProduct(product.text()));
  const auto& use = state_->use;
  for (const auto& name : status.product.tables) {
    auto table = TRY(use.catalog.Find(name));
    auto version = TRY(use.tables.Load(table.table.metadata_location));
    auto files = TRY(use.tables.Files(version));
    for (const auto& file : *files) {
      status.rows += file.record_count;
      status.bytes += file.file_bytes;
    }
    const auto* snapshot = version.metadata->snapshot();
    if (snapshot != nullptr && (!status.last_commit || *status.last_commit < snapshot->time)) {
      status.last_commit = snapshot->time;
    }
  }
  for (const auto& delivery : use.delivery.StatusOf(status.product.name)) {
    status.lag_records = std::max(status.lag_records, delivery.lag_records);
    if (status.last_error.empty()) status.last_error = delivery.last_error;
  }
  auto intake = TRY(use.intakes.Find(status.product.name.text()));
  status.quarantined = TRY(use.quarantine.Count(*intake));
  return status;
}

}  // namespace weft::mesh
