// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "govern/govern.h"

namespace weft::govern {

// All grants on one table to one principal, taken together.
struct GrantedTo {
  bool all_columns = false;
  std::vector<std::string> columns;  // sorted
  std::vector<std::string> ids;      // of the grants
};

// All policies and grants, as of one commit. Never changed once made. Grants are found by table,
// then by principal: a decision takes a look for each of the caller's names, however many grants
// there are.
struct Rules {
  struct Attached {
    AttachedPolicy source;
    Policy policy;
  };
  std::map<identity::PrincipalRef, std::vector<Attached>> policies;
  struct OfResource {
    std::string document;
    ResourcePolicy policy;
  };
  std::map<std::string, OfResource, std::less<>> resources;  // by ARN
  std::map<std::string, Grant> grants;                       // by id
  std::map<catalog::TableName, std::map<identity::PrincipalRef, GrantedTo>> tables;

  // What the policies attached to the principal and its groups say together.
  Verdict Judge(const identity::Principal& principal, std::string_view action,
                std::string_view resource) const;
  const GrantedTo* Find(const catalog::TableName& table, const identity::PrincipalRef& to) const;
};

Result<std::shared_ptr<const Rules>> LoadRules(meta::Transaction& tx);

// The names under which grants and policies reach a principal: itself, its groups, and its account.
std::vector<identity::PrincipalRef> NamesOf(const identity::Principal& principal);

std::string_view KindText(identity::PrincipalRef::Kind kind);  // "user", "group", "role", "account"

// How a list of columns is stored; nothing for all of them.
std::string EncodeColumns(const std::vector<std::string>& columns);
Result<std::vector<std::string>> DecodeColumns(const std::string& text);

}  // namespace weft::govern
