// SPDX-License-Identifier: Apache-2.0
#include "govern/policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace weft::govern {
namespace {

// A session is also the role it came from.
std::string ArnOfRole(const identity::Principal& caller) {
  if (caller.kind != identity::Principal::Kind::kRole) return "";
  return fmt::format("arn:aws:iam::{}:role/{}", caller.account.text(), caller.name);
}

// Whether the statement speaks of the caller: an account's name delegates to that account, whose
// own policies then say who of it may.
bool Names(const Statement& statement, const identity::Principal& caller, bool same_account) {
  using Kind = PrincipalPattern::Kind;
  const auto one = [&](const PrincipalPattern& principal) {
    switch (principal.kind) {
      case Kind::kAnybody:
        return true;
      case Kind::kAccount:
        return principal.text == caller.account.text() && (!same_account || !statement.allow);
      case Kind::kOne:
        return principal.text == caller.arn || principal.text == ArnOfRole(caller);
    }
    UNREACHABLE("a kind of principal");
  };
  return std::any_of(statement.principals.begin(), statement.principals.end(), one);
}

}  // namespace

Result<Policy> Policy::Parse(std::string_view json) {
  Policy policy;
  policy.statements_ = TRY(ParseStatements(json, PolicyKind::kIdentity, kOctetsMax));
  return policy;
}

Verdict Policy::Judge(std::string_view action, std::string_view resource) const {
  Verdict verdict = Verdict::kNone;
  for (const Statement& statement : statements_) {
    if (!statement.Covers(action, resource)) continue;
    if (!statement.allow) return Verdict::kDeny;
    verdict = Verdict::kAllow;
  }
  return verdict;
}

Result<ResourcePolicy> ResourcePolicy::Parse(std::string_view json, std::string_view resource) {
  ResourcePolicy policy;
  policy.statements_ = TRY(ParseStatements(json, PolicyKind::kResource, kOctetsMax));
  for (const Statement& statement : policy.statements_) {
    const bool itself = std::all_of(statement.resources.begin(), statement.resources.end(),
                                    [&](const std::string& named) { return named == resource; });
    if (itself && !statement.not_resource) continue;
    return Fail(Code::kInvalid,
                fmt::format("policy: the Resource of a policy on {} is that ARN itself", resource));
  }
  policy.resource_ = resource;
  return policy;
}

Verdict ResourcePolicy::Judge(const identity::Principal& caller, std::string_view action,
                              const AccountId& owner) const {
  Verdict verdict = Verdict::kNone;
  for (const Statement& statement : statements_) {
    if (!Names(statement, caller, caller.account == owner)) continue;
    if (!statement.Covers(action, resource_)) continue;
    if (!statement.allow) return Verdict::kDeny;
    verdict = Verdict::kAllow;
  }
  return verdict;
}

}  // namespace weft::govern
