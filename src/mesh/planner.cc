// SPDX-License-Identifier: Apache-2.0
#include "mesh/planner.h"

#include <algorithm>
#include <set>

#include "base/units.h"

namespace weft::mesh {
namespace {

using nlohmann::json;

std::string JoinNames(const json& list) {
  std::string text;
  for (const auto& each : list) text += (text.empty() ? "" : ", ") + each.get<std::string>();
  return text;
}

std::string TableList(const json& settings) {
  std::string text;
  for (const auto& table : settings["tables"]) {
    text += fmt::format("{}{}.{}", text.empty() ? "" : ", ",
                        settings["database"].get<std::string>(), table["table"].get<std::string>());
  }
  return text;
}

// "table sales.orders", "tables a.b, a.c", "no table".
std::string TablesText(const json& settings) {
  const auto count = settings["tables"].size();
  return count == 0 ? "no table" : (count == 1 ? "table " : "tables ") + TableList(settings);
}

// What is told of a thing that comes.
std::string Describe(ThingKind kind, const json& settings, const DeclaredProduct* product) {
  switch (kind) {
    case ThingKind::kAccount:
      return "id " + settings["id"].get<std::string>();
    case ThingKind::kGroup:
      return "in account " + settings["account"].get<std::string>();
    case ThingKind::kUser: {
      auto text = "in account " + settings["account"].get<std::string>();
      const auto& groups = settings["groups"];
      return groups.empty()
                 ? text
                 : fmt::format("{}, {} {}", text, groups.size() == 1 ? "group" : "groups",
                               JoinNames(groups));
    }
    case ThingKind::kPolicy:
      return fmt::format("{} bytes", settings["document"].get<std::string>().size());
    case ThingKind::kGrant: {
      const auto& columns = settings["columns"];
      return columns.empty() ? "all columns"
                             : fmt::format("{} {}", columns.size() == 1 ? "column" : "columns",
                                           JoinNames(columns));
    }
    case ThingKind::kProduct:
      break;
  }
  size_t columns = 0;
  for (const auto& object : product->contract.objects) columns += object.columns.size();
  const auto version = settings["contract_version"].get<std::string>();
  return fmt::format("{}{}, {} {}", TablesText(settings),
                     version.empty() ? "" : ", contract " + version, columns,
                     columns == 1 ? "column" : "columns");
}

// A setting as people write it.
std::string Value(const std::string& key, const json& value) {
  if (value.is_null()) return "none";
  if (key.ends_with("_ms")) return FormatDuration(milliseconds(value.get<int64_t>()));
  if (key == "record_bytes_max" || key == "buffer_bytes" || key == "bytes_per_second" ||
      key == "retention_bytes")
    return FormatSize(value.get<int64_t>());
  if (value.is_array()) return value.empty() ? "none" : JoinNames(value);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

struct Label {
  const char* key;
  const char* text;
};
constexpr Label kProductLabels[] = {{"mode", "ingest.mode"},
                                    {"unknown_fields", "ingest.unknown_fields"},
                                    {"record_bytes_max", "ingest.record_bytes_max"},
                                    {"bytes_per_second", "ingest.bytes_per_second"},
                                    {"records_per_second", "ingest.records_per_second"},
                                    {"retention_ms", "retention"},
                                    {"retention_bytes", "retention_size"},
                                    {"buffer_bytes", "delivery.buffer_size"},
                                    {"buffer_interval_ms", "delivery.buffer_interval"}};

// "retention 7 d -> 14 d".
void NoteChange(const json& before, const json& after, const std::string& key,
                const std::string& label, std::vector<std::string>& notes) {
  // A setting that is not there is at its default.
  const json from = before.value(key, json()), to = after.value(key, json());
  if (from == to) return;
  notes.push_back(fmt::format("{} {} -> {}", label, Value(key, from), Value(key, to)));
}

std::string DescribeChange(ThingKind kind, const json& before, const json& after) {
  std::vector<std::string> notes;
  if (kind == ThingKind::kPolicy) return "its document changes";
  for (const char* key : {"name", "description", "groups", "columns"}) {
    if (after.contains(key)) NoteChange(before, after, key, key, notes);
  }
  return fmt::format("{}", fmt::join(notes, "; "));
}

Error Refused(const std::string& product, const std::string& why) {
  return Error(Code::kConflict, fmt::format("product {}: {}", product, why));
}

}  // namespace

std::vector<Change> Plan::changes() const {
  std::vector<Change> all;
  for (const auto& step : steps) all.push_back(step.change);
  return all;
}

Status Planner::Load() {
  return use_.database.Read([&](meta::Transaction& tx) -> Status {
    stored_ = TRY(LoadThings(tx));
    return {};
  });
}

Result<Plan> Planner::PlanApply(const Declaration& declaration) {
  TRY(Load());
  Plan plan;
  plan.mesh = declaration.mesh;
  auto things = TRY(ThingsOf(declaration));
  std::map<std::string, const DeclaredProduct*> products;
  for (const auto& product : declaration.products)
    products[ProductKey(product.name.text())] = &product;
  for (const auto& [id, thing] : things) {
    TRY(CheckOwner(plan.mesh, id, thing));
    if (id.first == ThingKind::kProduct) {
      TRY(CheckProductNames(id.second, thing));
      Step step;
      step.id = id;
      step.after = thing;
      if (auto known = stored_.find(id); known != stored_.end()) step.before = known->second;
      auto compared = TRY(CompareProduct(std::move(step), *products.at(id.second)));
      if (compared) plan.steps.push_back(std::move(*compared));
    } else {
      auto compared = TRY(Compare(plan.mesh, id, thing));
      if (compared) plan.steps.push_back(std::move(*compared));
    }
  }
  for (const auto& [id, thing] : stored_) {
    if (thing.mesh != plan.mesh || !thing.live || things.contains(id)) continue;
    plan.steps.push_back(TRY(Removal(id, thing, false)));
  }
  return plan;
}

Result<Plan> Planner::PlanDestroy(const std::string& mesh, bool delete_data) {
  TRY(Load());
  Plan plan;
  plan.mesh = mesh;
  plan.delete_data = delete_data;
  for (auto thing = stored_.rbegin(); thing != stored_.rend(); ++thing) {
    if (thing->second.mesh != mesh || (!thing->second.live && !delete_data)) continue;
    plan.steps.push_back(TRY(Removal(thing->first, thing->second, delete_data)));
  }
  return plan;
}

// Whether the mesh may declare the thing: another may have it.
Status Planner::CheckOwner(const std::string& mesh, const ThingId& id, const Thing& thing) const {
  auto known = stored_.find(id);
  if (known != stored_.end() && known->second.live && known->second.mesh != mesh) {
    return Fail(Code::kConflict, fmt::format("{} {} belongs to the mesh '{}'", KindName(id.first),
                                             thing.name, known->second.mesh));
  }
  if (id.first != ThingKind::kAccount) return {};
  for (const auto& [other, account] : stored_) {
    if (other.first != ThingKind::kAccount || other == id || account.name != thing.name ||
        account.mesh == mesh)
      continue;
    return Fail(Code::kConflict, fmt::format("the account name {} belongs to the mesh '{}', as {}",
                                             thing.name, account.mesh, other.second));
  }
  return {};
}

// Databases have one account, and tables one product, over all meshes and what is kept of former
// ones.
Status Planner::CheckProductNames(const std::string& key, const Thing& thing) const {
  for (const auto& [id, other] : stored_) {
    if (id.first != ThingKind::kProduct || id.second == key) continue;
    if (other.settings["database"] != thing.settings["database"]) continue;
    if (other.settings["account"] != thing.settings["account"]) {
      return Fail(Refused(
          thing.name,
          fmt::format("the database {} belongs to account {}, by the product {} of mesh '{}'",
                      thing.settings["database"].get<std::string>(),
                      other.settings["account"].get<std::string>(), other.name, other.mesh)));
    }
    for (const auto& mine : thing.settings["tables"]) {
      for (const auto& theirs : other.settings["tables"]) {
        if (mine["table"] != theirs["table"]) continue;
        return Fail(Refused(
            thing.name, fmt::format("the table {}.{} belongs to the product {} of mesh '{}'{}",
                                    thing.settings["database"].get<std::string>(),
                                    mine["table"].get<std::string>(), other.name, other.mesh,
                                    other.live ? "" : ", which was removed with its data kept")));
      }
    }
  }
  return {};
}

Result<std::optional<Step>> Planner::Compare(const std::string& mesh, const ThingId& id,
                                             const Thing& thing) {
  Step step;
  step.id = id;
  step.after = thing;
  step.change = {'+', KindName(id.first), thing.name, ""};
  auto known = stored_.find(id);
  if (known != stored_.end() && known->second.mesh == mesh) {
    if (known->second.settings == thing.settings) return std::optional<Step>();
    step.before = known->second;
    step.change.op = '~';
    step.change.what = DescribeChange(id.first, known->second.settings, thing.settings);
  } else {
    step.change.what = Describe(id.first, thing.settings, nullptr);
  }
  return std::optional<Step>(std::move(step));
}

Result<std::optional<Step>> Planner::CompareProduct(Step step, const DeclaredProduct& product) {
  const std::string& name = product.name.text();
  const json& after = step.after->settings;
  step.product = &product;
  step.change = {'+', "product", name, Describe(ThingKind::kProduct, after, &product)};
  std::vector<std::string> notes;
  if (!step.before) {
    TRY(CompareTables(step, product, notes));
    return std::optional<Step>(std::move(step));
  }
  const json& before = step.before->settings;
  const bool kept = !step.before->live;
  if (!kept && before == after) return std::optional<Step>();
  const std::string whose =
      kept ? fmt::format(
                 "; its data is kept from the mesh '{}', and `weft destroy --delete-data` "
                 "of that mesh frees the name",
                 step.before->mesh)
           : "; declare another product for it";
  for (const char* key : {"name", "account", "database"}) {
    if (before[key] == after[key]) continue;
    return Fail(Refused(name, fmt::format("its {} cannot change from {} to {}{}", key,
                                          Value(key, before[key]), Value(key, after[key]), whose)));
  }
  TRY(CompareTables(step, product, notes));
  for (const auto& label : kProductLabels) NoteChange(before, after, label.key, label.text, notes);
  if (before["contract"] != after["contract"] && !kept) {
    const auto from = before["contract_version"].get<std::string>(),
               to = after["contract_version"].get<std::string>();
    notes.insert(notes.begin(), from == to ? fmt::format("contract {} changes", to)
                                           : fmt::format("contract {} -> {}", from, to));
  }
  if (kept) {
    step.change.what += ", with the data that was kept";
  } else {
    step.change.op = '~';
    step.change.what = fmt::format("{}", fmt::join(notes, "; "));
  }
  return std::optional<Step>(std::move(step));
}

Status Planner::CompareTables(Step& step, const DeclaredProduct& product,
                              std::vector<std::string>& notes) {
  const std::string& name = product.name.text();
  const AccountId account(step.after->settings["account"].get<std::string>());
  auto declared = TRY(TablesOf(product));
  std::set<std::string> still;
  for (const auto& table : declared) {
    still.insert(table.object->name);
    TablePlan plan;
    plan.name = table.name;
    plan.object = table.object->name;
    plan.partition_by = PartitionTermsOf(product, *table.object);
    plan.declared = table.object;
    const json* before = nullptr;
    if (step.before) {
      for (const auto& each : step.before->settings["tables"]) {
        if (each["object"] == plan.object) before = &each;
      }
    }
    if (before == nullptr) {
      plan.create = true;
      if (use_.catalog.Find(plan.name).ok()) {
        return Fail(Refused(name, fmt::format("there is a table {} already", plan.name.text())));
      }
      if (step.before) notes.push_back("table " + plan.name.text() + " added");
    } else {
      if ((*before)["table"] != plan.name.table) {
        return Fail(Refused(
            name,
            fmt::format("the contract's object {} is the table {} and would become {}: a table "
                        "keeps its name",
                        plan.object, (*before)["table"].get<std::string>(), plan.name.table)));
      }
      if ((*before)["partition_by"] != json(plan.partition_by)) {
        return Fail(Refused(
            name,
            fmt::format("partition_by of {} cannot change from {} to {}: files are laid out by it",
                        plan.name.text(), Value("partition_by", (*before)["partition_by"]),
                        Value("partition_by", json(plan.partition_by)))));
      }
      plan.revive = !step.before->live;
      auto changed = CompareSchema(plan, account);
      if (!changed.ok()) {
        const bool refusal = changed.error().code() == Code::kInvalid;
        return refusal ? Fail(Refused(name, changed.error().message())) : Fail(changed.error());
      }
      if (!changed->empty()) notes.push_back(*changed);
    }
    step.tables.push_back(std::move(plan));
  }
  if (!step.before) return {};
  for (const auto& each : step.before->settings["tables"]) {
    if (still.contains(each["object"].get<std::string>())) continue;
    return Fail(Refused(
        name, fmt::format("the contract no longer has the object {}, which is the table {}.{}",
                          each["object"].get<std::string>(), product.database,
                          each["table"].get<std::string>())));
  }
  return {};
}

// What the contract adds to the table's schema, in words; kInvalid when the table cannot follow.
Result<std::string> Planner::CompareSchema(TablePlan& table, const AccountId& account) {
  auto there =
      table.revive ? TRY(Hidden(table.name, account)) : TRY(use_.catalog.Find(table.name)).table;
  table.table_id = there.id;
  auto version = TRY(use_.tables.Load(there.metadata_location));
  const auto& current = version.metadata->schema();
  auto evolved = TRY(contract::Evolve(current, version.metadata->last_column_id, *table.declared));
  if (evolved.schema.fields == current.fields) return std::string();
  table.evolve = true;
  std::string added;
  for (const auto& field : evolved.schema.fields) {
    const bool known = std::any_of(current.fields.begin(), current.fields.end(),
                                   [&](const iceberg::Field& each) { return each.id == field.id; });
    if (!known) added += (added.empty() ? "" : ", ") + field.name;
  }
  return fmt::format("table {} gets {}", table.name.text(),
                     added.empty() ? "fields within columns" : "the columns " + added);
}

Result<catalog::Table> Planner::Hidden(const catalog::TableName& name, const AccountId& account) {
  // The catalog shows a hidden table to who takes it up; here that is taken back at once.
  std::optional<catalog::Table> found;
  bool asked = false;
  auto peeked = use_.database.Transact([&](meta::Transaction& tx) -> Status {
    found = TRY(use_.catalog.Undrop(tx, name, account));
    asked = true;
    return Fail(Code::kConflict, "only looked");
  });
  if (!asked) return Fail(peeked.error());
  if (!found)
    return Fail(Code::kCorrupt,
                fmt::format("the kept table {} is not in the catalog", name.text()));
  return std::move(*found);
}

Result<Step> Planner::Removal(const ThingId& id, const StoredThing& thing, bool delete_data) {
  Step step;
  step.id = id;
  step.before = thing;
  step.change = {'-', KindName(id.first), thing.name, ""};
  if (id.first != ThingKind::kProduct) return step;
  const auto& settings = thing.settings;
  const std::string tables = TablesText(settings);
  step.change.what =
      delete_data
          ? fmt::format("{} and all records are deleted", tables)
          : fmt::format("{} is hidden; data, undelivered and quarantined records are kept", tables);
  for (const auto& each : settings["tables"]) {
    TablePlan table;
    table.name = {settings["database"].get<std::string>(), each["table"].get<std::string>()};
    table.object = each["object"].get<std::string>();
    if (thing.live) table.table_id = TRY(use_.catalog.Find(table.name)).table.id;
    table.revive = !thing.live;
    step.tables.push_back(std::move(table));
  }
  return step;
}

}  // namespace weft::mesh
