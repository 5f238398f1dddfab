// SPDX-License-Identifier: Apache-2.0
// IAM policy documents:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "govern/statement.h"
#include "identity/principal.h"

namespace weft::govern {

// A parsed policy: Version, Statement with Effect, Action or NotAction, Resource or NotResource,
// Sid. Conditions and policy variables are not offered yet: a document that has them is refused
// (kNotOffered), never read as if they were absent. Principal does not belong in an identity policy
// (kInvalid). In actions and resources '*' stands for any characters and '?' for one; a '*' between
// the colons of an ARN stays between them, one at its end does not. Actions are compared without
// regard to case, resources with it.
class Policy {
 public:
  static constexpr size_t kOctetsMax = 10'240;
  static Result<Policy> Parse(std::string_view json);
  Verdict Judge(std::string_view action, std::string_view resource) const;

 private:
  std::vector<Statement> statements_;
};

// A policy attached to a resource: each statement also has a Principal, and its Resource is the ARN
// of that resource itself. A Principal is "*", or {"AWS": one or a list of} "*", an account (twelve
// digits, or the ARN of its root), or the ARN of a user, a role or a role's session, whole.
// Allowing an account delegates to it: one of its principals may where its own policies allow it
// too, so that in the owner's account such a statement changes nothing. Principals of other kinds
// (Service, Federated, CanonicalUser) and NotPrincipal are not offered.
class ResourcePolicy {
 public:
  static constexpr size_t kOctetsMax = 20'480;
  static Result<ResourcePolicy> Parse(std::string_view json, std::string_view resource);
  // `owner`: the account of the resource.
  Verdict Judge(const identity::Principal& caller, std::string_view action,
                const AccountId& owner) const;

 private:
  std::string resource_;
  std::vector<Statement> statements_;
};

}  // namespace weft::govern
