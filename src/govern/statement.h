// SPDX-License-Identifier: Apache-2.0
// What the documents of all policies have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::govern {

enum class Verdict { kNone, kAllow, kDeny };  // an explicit deny wins

// What a Principal names.
struct PrincipalPattern {
  enum class Kind { kAnybody, kAccount, kOne };
  Kind kind = Kind::kAnybody;
  std::string text;  // kAccount: twelve digits; kOne: the ARN of a user, a role or a session
};

struct Statement {
  bool allow = false;
  bool not_action = false, not_resource = false;
  std::vector<std::string> actions, resources;
  std::vector<PrincipalPattern> principals;  // of a resource's policy only
  bool Covers(std::string_view action, std::string_view resource) const;
};

// Whether a policy is attached to one who acts, or to what is acted upon.
enum class PolicyKind { kIdentity, kResource };

// The statements of a document: kInvalid where it is malformed, kNotOffered where it asks for what
// is not offered.
Result<std::vector<Statement>> ParseStatements(std::string_view json, PolicyKind kind,
                                               size_t octets_max);

}  // namespace weft::govern
