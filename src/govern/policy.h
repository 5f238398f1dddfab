// SPDX-License-Identifier: Apache-2.0
// IAM policy documents:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

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
  enum class Verdict { kNone, kAllow, kDeny };  // an explicit deny wins
  Verdict Judge(std::string_view action, std::string_view resource) const;

 private:
  struct Statement {
    bool allow = false;
    bool not_action = false, not_resource = false;
    std::vector<std::string> actions, resources;
  };
  std::vector<Statement> statements_;
};

}  // namespace weft::govern
