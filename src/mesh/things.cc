// SPDX-License-Identifier: Apache-2.0
#include "mesh/things.h"

#include <algorithm>
#include <array>

#include "codec/hash.h"
#include "mesh/paths.h"
#include "mesh/tables.h"

namespace weft::mesh {
namespace {

using nlohmann::json;

constexpr std::array kKinds = {"account", "group", "user", "policy", "product", "grant"};

// Collects the things; accounts come first, by which the others name their owner's id.
class Collector {
 public:
  explicit Collector(const Declaration& declaration) : declaration_(declaration) {}

  Result<std::map<ThingId, Thing>> Collect() {
    for (const auto& account : declaration_.accounts) {
      ids_[account.name] = account.id.text();
      ids_[account.id.text()] = account.id.text();
      Add(ThingKind::kAccount, account.id.text(), account.name,
          {{"id", account.id.text()},
           {"name", account.name},
           {"description", account.description}});
    }
    for (const auto& group : declaration_.groups) {
      const std::string account = ids_[group.account];
      groups_[group.name] = account;
      Add(ThingKind::kGroup, account + "/" + group.name, group.name,
          {{"account", account}, {"name", group.name}});
      AddPolicies("group", account, group.name, group.policies);
    }
    for (const auto& user : declaration_.users) AddUser(user);
    for (const auto& product : declaration_.products) TRY(AddProduct(product));
    for (const auto& grant : declaration_.grants) AddGrant(grant);
    return std::move(things_);
  }

 private:
  void Add(ThingKind kind, const std::string& key, const std::string& name, json settings) {
    things_[{kind, key}] = {name, std::move(settings)};
  }

  void AddPolicies(const std::string& kind, const std::string& account, const std::string& holder,
                   const std::vector<DeclaredPolicy>& policies) {
    for (const auto& policy : policies) {
      const auto name = PolicyName(policy.path);
      Add(ThingKind::kPolicy, fmt::format("{}/{}/{} {}", kind, account, holder, name),
          fmt::format("{}/{} {}", kind, holder, name),
          {{"kind", kind},
           {"account", account},
           {"holder", holder},
           {"name", name},
           {"document", policy.document}});
    }
  }

  void AddUser(const DeclaredUser& user) {
    const std::string account = ids_[user.account];
    users_[user.name] = account;
    std::vector<std::string> groups;
    for (const auto& group : user.groups) {
      const auto& home = groups_[group];
      groups.push_back(home == account ? group : home + "/" + group);
    }
    std::sort(groups.begin(), groups.end());
    Add(ThingKind::kUser, account + "/" + user.name, user.name,
        {{"account", account}, {"name", user.name}, {"groups", groups}});
    AddPolicies("user", account, user.name, user.policies);
  }

  Status AddProduct(const DeclaredProduct& product) {
    auto made = TRY(TablesOf(product));
    json tables = json::array();
    for (const auto& table : made) {
      tables.push_back({{"object", table.object->name},
                        {"table", table.name.table},
                        {"partition_by", PartitionTermsOf(product, *table.object)}});
    }
    json settings = {
        {"name", product.name.text()},
        {"account", ids_[product.account]},
        {"database", product.database},
        {"tables", tables},
        {"contract", codec::Sha256Hex(product.contract.text)},
        {"contract_version", product.contract.version},
        {"mode", product.mode == ingest::Mode::kPartial ? "partial" : "atomic"},
        {"unknown_fields",
         product.unknown_fields == contract::UnknownFields::kIgnore ? "ignore" : "refuse"},
        {"record_bytes_max", product.record_bytes_max},
        {"retention_ms", product.retention.count()},
        {"buffer_bytes", product.buffer_bytes},
        {"buffer_interval_ms", product.buffer_interval.count()}};
    // What was not said is left out, as it was before it could be said.
    if (product.retention_bytes > 0) settings["retention_bytes"] = product.retention_bytes;
    if (product.bytes_per_second > 0) settings["bytes_per_second"] = product.bytes_per_second;
    if (product.records_per_second > 0) settings["records_per_second"] = product.records_per_second;
    Add(ThingKind::kProduct, ProductKey(product.name.text()), product.name.text(),
        std::move(settings));
    return {};
  }

  void AddGrant(const DeclaredGrant& grant) {
    const size_t slash = grant.to.find('/');
    const std::string kind = grant.to.substr(0, slash);
    std::string name = grant.to.substr(slash + 1);
    std::string account;
    if (kind == "account") {
      account = ids_[name];
      name.clear();
    } else {
      if (const size_t inner = name.find('/'); inner != std::string::npos)
        name = name.substr(inner + 1);
      account = kind == "user" ? users_[name] : groups_[name];
    }
    // The same table may be granted to the same principal in parts, each with its columns.
    const std::string base =
        fmt::format("{}/grants/{}:{}", declaration_.mesh, grant.to, grant.table);
    std::string key = base;
    for (int n = 2; things_.contains({ThingKind::kGrant, key}); ++n)
      key = fmt::format("{}:{}", base, n);
    Add(ThingKind::kGrant, key, grant.to + " " + grant.table,
        {{"kind", kind},
         {"account", account},
         {"name", name},
         {"table", grant.table},
         {"columns", grant.columns}});
  }

  const Declaration& declaration_;
  std::map<std::string, std::string> ids_, groups_, users_;  // name to account id
  std::map<ThingId, Thing> things_;
};

Result<ThingKind> ParseKind(const std::string& name) {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (name == kKinds[i]) return static_cast<ThingKind>(i);
  }
  return Fail(Code::kCorrupt, fmt::format("mesh_things has an unknown kind '{}'", name));
}

}  // namespace

std::string KindName(ThingKind kind) { return kKinds[static_cast<size_t>(kind)]; }

Result<std::map<ThingId, Thing>> ThingsOf(const Declaration& declaration) {
  return Collector(declaration).Collect();
}

Result<std::map<ThingId, StoredThing>> LoadThings(meta::Transaction& tx) {
  std::map<ThingId, StoredThing> things;
  auto rows = TRY(tx.Query("SELECT kind, name_key, name, mesh, live, settings FROM mesh_things"));
  for (const auto& row : rows) {
    StoredThing thing;
    thing.name = row.text(2);
    thing.mesh = row.text(3);
    thing.live = row.integer(4) != 0;
    thing.settings = json::parse(row.text(5), nullptr, false);
    if (!thing.settings.is_object()) {
      return Fail(Code::kCorrupt,
                  fmt::format("the settings of {} {} cannot be read", row.text(0), row.text(1)));
    }
    things.emplace(ThingId{TRY(ParseKind(row.text(0))), row.text(1)}, std::move(thing));
  }
  return things;
}

Status PutThing(meta::Transaction& tx, const ThingId& id, const StoredThing& thing) {
  (void)TRY(tx.Execute(
      "INSERT INTO mesh_things (kind, name_key, name, mesh, live, settings) "
      "VALUES (:1, :2, :3, :4, :5, :6) ON CONFLICT (kind, name_key) DO UPDATE SET "
      "name = excluded.name, mesh = excluded.mesh, live = excluded.live, settings = "
      "excluded.settings",
      {KindName(id.first), id.second, thing.name, thing.mesh, int64_t{thing.live ? 1 : 0},
       thing.settings.dump(-1, ' ', false, json::error_handler_t::replace)}));
  return {};
}

Status DeleteThing(meta::Transaction& tx, const ThingId& id) {
  (void)TRY(tx.Execute("DELETE FROM mesh_things WHERE kind = :1 AND name_key = :2",
                       {KindName(id.first), id.second}));
  return {};
}

}  // namespace weft::mesh
