// SPDX-License-Identifier: Apache-2.0
// The coarse decision: which calls the policies of the caller and of the resource allow.
#include <fmt/format.h>

#include "govern/govern_internal.h"

namespace weft::govern {
namespace {

using identity::Principal;

tl::unexpected<Error> Denied(const Principal& principal, std::string_view action,
                             std::string_view resource, const std::string& why) {
  return Fail(Code::kDenied,
              fmt::format("User: {} is not authorized to perform: {} on resource: {} {}",
                          principal.arn, action, resource, why));
}
std::string DeniedIn(std::string_view kind) {
  return fmt::format("with an explicit deny in {} policy", kind);
}
std::string NoneAllows(std::string_view kind, std::string_view action) {
  return fmt::format("because no {} policy allows the {} action", kind, action);
}

}  // namespace

Status Govern::Authorize(const Principal& principal, std::string_view action,
                         std::string_view resource) const {
  if (principal.administrator) return {};
  // The same caller mostly does the same again: each thread remembers what it allowed last, and by
  // which rules.
  struct Allowed {
    std::shared_ptr<const Rules> rules;
    Principal principal;
    std::string action, resource;
  };
  thread_local Allowed last;
  auto rules = TRY(state_->picture.Get());
  if (last.rules == rules && last.resource == resource && last.action == action &&
      last.principal == principal) {
    return {};
  }
  const Verdict verdict = rules->Judge(principal, action, resource);
  if (verdict == Verdict::kAllow) {
    last = {std::move(rules), principal, std::string(action), std::string(resource)};
    return {};
  }
  return Denied(principal, action, resource,
                verdict == Verdict::kDeny ? DeniedIn("an identity-based")
                                          : NoneAllows("identity-based", action));
}

Status Govern::AuthorizeOn(const Principal& principal, std::string_view action,
                           std::string_view resource, const AccountId& owner) const {
  if (principal.administrator) return {};
  auto rules = TRY(state_->picture.Get());
  const Verdict by_identity = rules->Judge(principal, action, resource);
  if (by_identity == Verdict::kDeny)
    return Denied(principal, action, resource, DeniedIn("an identity-based"));
  auto found = rules->resources.find(resource);
  const Verdict by_resource = found == rules->resources.end()
                                  ? Verdict::kNone
                                  : found->second.policy.Judge(principal, action, owner);
  if (by_resource == Verdict::kDeny)
    return Denied(principal, action, resource, DeniedIn("a resource-based"));
  const bool own = principal.account == owner;
  if (own && (by_identity == Verdict::kAllow || by_resource == Verdict::kAllow)) return {};
  if (!own && by_resource != Verdict::kAllow)
    return Denied(principal, action, resource, NoneAllows("resource-based", action));
  if (!own && by_identity == Verdict::kAllow) return {};
  return Denied(principal, action, resource, NoneAllows("identity-based", action));
}

Status Govern::PutResourcePolicy(meta::Transaction& tx, const std::string& resource,
                                 const std::string& document) {
  TRY(ResourcePolicy::Parse(document, resource));
  (void)TRY(
      tx.Execute("INSERT INTO govern_resource_policies (resource, document) VALUES (:1, :2) "
                 "ON CONFLICT (resource) DO UPDATE SET document = excluded.document",
                 {resource, document}));
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Govern::DeleteResourcePolicy(meta::Transaction& tx, const std::string& resource) {
  const int64_t deleted =
      TRY(tx.Execute("DELETE FROM govern_resource_policies WHERE resource = :1", {resource}));
  if (deleted == 0) return Fail(Code::kNotFound, fmt::format("{} has no policy", resource));
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Govern::ForgetResource(meta::Transaction& tx, const std::string& resource) {
  const std::string below = resource + "/";
  const int64_t deleted =
      TRY(tx.Execute("DELETE FROM govern_resource_policies WHERE resource = :1 OR substr(resource, "
                     "1, length(:2)) = :3",
                     {resource, below, below}));
  if (deleted > 0) state_->picture.ReloadAfter(tx);
  return {};
}

Result<std::optional<std::string>> Govern::GetResourcePolicy(const std::string& resource) const {
  auto rules = TRY(state_->picture.Get());
  auto found = rules->resources.find(resource);
  if (found == rules->resources.end()) return std::nullopt;
  return found->second.document;
}

}  // namespace weft::govern
