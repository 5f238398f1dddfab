// SPDX-License-Identifier: Apache-2.0
#include "govern/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace weft::govern {
namespace {

using identity::PrincipalRef;

Result<PrincipalRef> RefOf(const meta::Row& row, size_t column) {
  for (auto kind : {PrincipalRef::Kind::kUser, PrincipalRef::Kind::kGroup,
                    PrincipalRef::Kind::kRole, PrincipalRef::Kind::kAccount}) {
    if (row.text(column) != KindText(kind)) continue;
    return PrincipalRef{
        .kind = kind, .account = AccountId(row.text(column + 1)), .name = row.text(column + 2)};
  }
  return Fail(Code::kCorrupt,
              fmt::format("govern: a rule for an unknown kind of principal: {}", row.text(column)));
}

void Merge(GrantedTo& into, const Grant& grant) {
  into.all_columns = into.all_columns || grant.columns.empty();
  into.columns.insert(into.columns.end(), grant.columns.begin(), grant.columns.end());
  into.ids.push_back(grant.id);
}

}  // namespace

std::string_view KindText(PrincipalRef::Kind kind) {
  switch (kind) {
    case PrincipalRef::Kind::kUser:
      return "user";
    case PrincipalRef::Kind::kGroup:
      return "group";
    case PrincipalRef::Kind::kRole:
      return "role";
    case PrincipalRef::Kind::kAccount:
      return "account";
  }
  return "";
}

std::string EncodeColumns(const std::vector<std::string>& columns) {
  return columns.empty() ? "" : nlohmann::json(columns).dump();
}

Result<std::vector<std::string>> DecodeColumns(const std::string& text) {
  std::vector<std::string> columns;
  if (text.empty()) return columns;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const bool good =
      json.is_array() && !json.empty() &&
      std::all_of(json.begin(), json.end(), [](const auto& item) { return item.is_string(); });
  // Read as no columns, it would be a grant of all.
  if (!good) return Fail(Code::kCorrupt, "govern: the columns of a grant cannot be read");
  for (const auto& item : json) columns.push_back(item.template get<std::string>());
  return columns;
}

Verdict Rules::Judge(const identity::Principal& principal, std::string_view action,
                     std::string_view resource) const {
  auto verdict = Verdict::kNone;
  for (const PrincipalRef& name : NamesOf(principal)) {
    auto found = policies.find(name);
    if (found == policies.end()) continue;
    for (const Attached& attached : found->second) {
      const auto one = attached.policy.Judge(action, resource);
      if (one == Verdict::kDeny) return one;
      if (one == Verdict::kAllow) verdict = one;
    }
  }
  return verdict;
}

const GrantedTo* Rules::Find(const catalog::TableName& table, const PrincipalRef& to) const {
  auto on_table = tables.find(table);
  if (on_table == tables.end()) return nullptr;
  auto found = on_table->second.find(to);
  return found == on_table->second.end() ? nullptr : &found->second;
}

Result<std::shared_ptr<const Rules>> LoadRules(meta::Transaction& tx) {
  auto rules = std::make_shared<Rules>();
  for (const meta::Row& row :
       TRY(tx.Query("SELECT kind, account, principal, policy, document FROM govern_policies "
                    "ORDER BY kind, account, principal, policy"))) {
    PrincipalRef to = TRY(RefOf(row, 0));
    AttachedPolicy source{.to = std::move(to), .name = row.text(3), .document = row.text(4)};
    auto policy = Policy::Parse(source.document);
    if (!policy.ok()) return Fail(policy.error().In(fmt::format("stored policy {}", source.name)));
    auto& attached = rules->policies[source.to];
    attached.push_back({.source = std::move(source), .policy = std::move(*policy)});
  }
  for (const meta::Row& row :
       TRY(tx.Query("SELECT resource, document FROM govern_resource_policies ORDER BY resource"))) {
    auto policy = ResourcePolicy::Parse(row.text(1), row.text(0));
    if (!policy.ok())
      return Fail(policy.error().In(fmt::format("stored policy of {}", row.text(0))));
    rules->resources.emplace(
        row.text(0), Rules::OfResource{.document = row.text(1), .policy = std::move(*policy)});
  }
  for (const meta::Row& row : TRY(tx.Query("SELECT id, kind, account, principal, database_name, "
                                           "table_name, columns FROM govern_grants ORDER BY id"))) {
    PrincipalRef to = TRY(RefOf(row, 1));
    auto columns = TRY(DecodeColumns(row.text(6)));
    Grant grant{.id = row.text(0),
                .to = std::move(to),
                .table = {.database = row.text(4), .table = row.text(5)},
                .columns = std::move(columns)};
    Merge(rules->tables[grant.table][grant.to], grant);
    std::string id = grant.id;
    rules->grants.emplace_hint(rules->grants.end(), std::move(id), std::move(grant));
  }
  for (auto& [table, by_principal] : rules->tables) {
    for (auto& [principal, granted] : by_principal) {
      auto& columns = granted.columns;
      std::sort(columns.begin(), columns.end());
      columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    }
  }
  return rules;
}

std::vector<PrincipalRef> NamesOf(const identity::Principal& principal) {
  using Kind = PrincipalRef::Kind;
  std::vector<PrincipalRef> names;
  const bool user = principal.kind == identity::Principal::Kind::kUser;
  names.push_back({.kind = user ? Kind::kUser : Kind::kRole,
                   .account = principal.account,
                   .name = principal.name});
  for (const std::string& group : principal.groups) {
    const size_t slash = group.find('/');
    if (slash == std::string::npos) {
      names.push_back({.kind = Kind::kGroup, .account = principal.account, .name = group});
    } else {
      names.push_back({.kind = Kind::kGroup,
                       .account = AccountId(group.substr(0, slash)),
                       .name = group.substr(slash + 1)});
    }
  }
  names.push_back({.kind = Kind::kAccount, .account = principal.account, .name = ""});
  return names;
}

}  // namespace weft::govern
