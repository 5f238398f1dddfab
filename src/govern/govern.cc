// SPDX-License-Identifier: Apache-2.0
#include "govern/govern.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/logging.h"
#include "govern/govern_internal.h"

namespace weft::govern {
namespace {

using identity::Principal;
using identity::PrincipalRef;

constexpr size_t kNameMax = 128;
constexpr size_t kGrantIdMax = 512;
constexpr size_t kColumnsMax = 10'000;

std::vector<meta::Value> KeyOf(const PrincipalRef& ref) {
  return {std::string(KindText(ref.kind)), ref.account.text(), ref.name};
}

Status CheckGrant(const Grant& grant) {
  if (grant.id.empty() || grant.id.size() > kGrantIdMax) {
    return Fail(Code::kInvalid, fmt::format("a grant's id has 1 to {} octets", kGrantIdMax));
  }
  if (grant.table.database.empty() || grant.table.table.empty()) {
    return Fail(Code::kInvalid, fmt::format("the grant {} names no table", grant.id));
  }
  if (grant.to.account.empty() ||
      grant.to.name.empty() != (grant.to.kind == PrincipalRef::Kind::kAccount)) {
    return Fail(Code::kInvalid, fmt::format("the grant {} names no principal", grant.id));
  }
  if (grant.columns.size() > kColumnsMax) {
    return Fail(Code::kInvalid,
                fmt::format("the grant {} names more than {} columns", grant.id, kColumnsMax));
  }
  if (std::find(grant.columns.begin(), grant.columns.end(), "") != grant.columns.end()) {
    return Fail(Code::kInvalid,
                fmt::format("the grant {} names a column without a name", grant.id));
  }
  return {};
}

}  // namespace

const std::vector<std::string>& Govern::Migrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE govern_policies (kind TEXT NOT NULL, account TEXT NOT NULL, principal TEXT NOT "
      "NULL, "
      "policy TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (kind, account, principal, "
      "policy))",
      // `columns`: a JSON list, or '' for all.
      "CREATE TABLE govern_grants (id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, account TEXT "
      "NOT NULL, "
      "principal TEXT NOT NULL, database_name TEXT NOT NULL, table_name TEXT NOT NULL, columns "
      "TEXT NOT NULL)",
      "CREATE INDEX govern_grants_to ON govern_grants (kind, account, principal)",
      "CREATE TABLE govern_resource_policies (resource TEXT NOT NULL PRIMARY KEY, document TEXT "
      "NOT "
      "NULL)",
  };
  return steps;
}

Govern::Govern(meta::Database& database, const identity::Directory& directory)
    : state_(std::make_unique<State>(database, directory)) {}
Govern::~Govern() = default;

std::shared_ptr<const Rules> Govern::State::rules() {
  auto now = picture.Get();
  if (now.ok()) return *now;
  Log(LogLevel::kError, "govern", "the rules cannot be read: nothing is allowed",
      {{"error", now.error().message()}});
  return std::make_shared<Rules>();
}

Status Govern::PutPolicy(meta::Transaction& tx, const AttachedPolicy& policy) {
  if (policy.name.empty() || policy.name.size() > kNameMax) {
    return Fail(Code::kInvalid, fmt::format("a policy's name has 1 to {} octets", kNameMax));
  }
  if (policy.to.kind == PrincipalRef::Kind::kAccount || policy.to.name.empty()) {
    return Fail(
        Code::kInvalid,
        fmt::format("the policy {} must be attached to a user, a group or a role", policy.name));
  }
  TRY(Policy::Parse(policy.document));
  auto values = KeyOf(policy.to);
  values.insert(values.end(), {policy.name, policy.document});
  (void)TRY(
      tx.Execute("INSERT INTO govern_policies (kind, account, principal, policy, document) "
                 "VALUES (:1, :2, :3, :4, :5) ON CONFLICT (kind, account, principal, policy) "
                 "DO UPDATE SET document = excluded.document",
                 values));
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Govern::DeletePolicy(meta::Transaction& tx, const PrincipalRef& to,
                            const std::string& name) {
  auto values = KeyOf(to);
  values.push_back(name);
  const int64_t deleted =
      TRY(tx.Execute("DELETE FROM govern_policies WHERE kind = :1 AND account = :2 AND principal = "
                     ":3 AND policy = :4",
                     values));
  if (deleted == 0) {
    return Fail(Code::kNotFound,
                fmt::format("{}/{} has no policy {}", KindText(to.kind), to.name, name));
  }
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Govern::PutGrant(meta::Transaction& tx, const Grant& grant) {
  TRY(CheckGrant(grant));
  std::vector<meta::Value> values = {grant.id};
  const auto key = KeyOf(grant.to);
  values.insert(values.end(), key.begin(), key.end());
  values.insert(values.end(),
                {grant.table.database, grant.table.table, EncodeColumns(grant.columns)});
  (void)TRY(tx.Execute(
      "INSERT INTO govern_grants (id, kind, account, principal, database_name, table_name, "
      "columns) "
      "VALUES (:1, :2, :3, :4, :5, :6, :7) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, "
      "account = excluded.account, principal = excluded.principal, "
      "database_name = excluded.database_name, table_name = excluded.table_name, "
      "columns = excluded.columns",
      values));
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Govern::DeleteGrant(meta::Transaction& tx, const std::string& id) {
  if (TRY(tx.Execute("DELETE FROM govern_grants WHERE id = :1", {id})) == 0) {
    return Fail(Code::kNotFound, fmt::format("no grant {}", id));
  }
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Govern::Forget(meta::Transaction& tx, const PrincipalRef& principal) {
  const auto key = KeyOf(principal);
  (void)TRY(tx.Execute(
      "DELETE FROM govern_policies WHERE kind = :1 AND account = :2 AND principal = :3", key));
  (void)TRY(tx.Execute(
      "DELETE FROM govern_grants WHERE kind = :1 AND account = :2 AND principal = :3", key));
  state_->picture.ReloadAfter(tx);
  return {};
}

std::vector<Grant> Govern::Grants() const {
  std::vector<Grant> grants;
  auto rules = state_->rules();
  for (const auto& [id, grant] : rules->grants) grants.push_back(grant);
  return grants;
}

std::vector<AttachedPolicy> Govern::Policies() const {
  std::vector<AttachedPolicy> policies;
  auto rules = state_->rules();
  for (const auto& [to, attached] : rules->policies) {
    for (const Rules::Attached& one : attached) policies.push_back(one.source);
  }
  return policies;
}

Access Govern::AccessTo(const Principal& principal, const catalog::TableName& table) const {
  if (principal.administrator) return {.any = true, .all_columns = true, .columns = {}};
  Access access;
  auto rules = state_->rules();
  for (const PrincipalRef& name : NamesOf(principal)) {
    const GrantedTo* granted = rules->Find(table, name);
    if (granted == nullptr) continue;
    access.any = true;
    if (granted->all_columns) return {.any = true, .all_columns = true, .columns = {}};
    access.columns.insert(access.columns.end(), granted->columns.begin(), granted->columns.end());
  }
  std::sort(access.columns.begin(), access.columns.end());
  access.columns.erase(std::unique(access.columns.begin(), access.columns.end()),
                       access.columns.end());
  return access;
}

bool Access::Allows(std::string_view column) const {
  if (!any) return false;
  return all_columns || column == "_id" || column == "_arrival" ||
         std::find(columns.begin(), columns.end(), column) != columns.end();
}

}  // namespace weft::govern
