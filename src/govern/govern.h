// SPDX-License-Identifier: Apache-2.0
// Who may do what: the coarse decision (policies) and the fine one (grants on tables and columns).
// Every door asks here. Denied until granted. Reads go to a cached picture that every commit
// refreshes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "govern/policy.h"
#include "identity/directory.h"
#include "meta/database.h"

namespace weft::govern {

// A policy attached to a user, group or role under a name.
struct AttachedPolicy {
  identity::PrincipalRef to;
  std::string name;      // unique for `to`
  std::string document;  // as given
};

// Reading rights on a table: all columns, those that come later included, or the named top-level
// columns.
struct Grant {
  std::string id;  // unique on the server, chosen by who declares it
  identity::PrincipalRef to;
  catalog::TableName table;
  std::vector<std::string> columns;  // empty: all
};

// What a principal may read of one table.
struct Access {
  bool any = false;  // whether anything at all
  bool all_columns = false;
  std::vector<std::string> columns;  // unless all_columns; `_id` and `_arrival` come with any grant
  bool Allows(std::string_view column) const;
};

// One line of an explanation.
struct ColumnExplanation {
  std::string column;
  bool allowed = false;
  std::string why;  // "grant shop/grants[0] to user/ada", or what is missing
};

class Govern {
 public:
  Govern(meta::Database& database, const identity::Directory& directory);
  ~Govern();
  static const std::vector<std::string>& Migrations();

  Status PutPolicy(meta::Transaction& tx,
                   const AttachedPolicy& policy);  // kInvalid for a bad document
  Status DeletePolicy(meta::Transaction& tx, const identity::PrincipalRef& to,
                      const std::string& name);
  Status PutGrant(meta::Transaction& tx, const Grant& grant);
  Status DeleteGrant(meta::Transaction& tx, const std::string& id);
  std::vector<Grant> Grants() const;  // in order of id
  std::vector<AttachedPolicy> Policies() const;
  // All policies and grants of a principal that is deleted, lest the next one of that name have
  // them.
  Status Forget(meta::Transaction& tx, const identity::PrincipalRef& principal);

  // OK, or kDenied with AWS's words: "User: ARN is not authorized to perform: ACTION on resource:
  // RESOURCE because no identity-based policy allows the ACTION action" (or "… with an explicit
  // deny in an identity-based policy").
  Status Authorize(const identity::Principal& principal, std::string_view action,
                   std::string_view resource) const;

  // The policy of a resource itself, whoever it belongs to, named by its ARN. Put replaces;
  // kInvalid or kNotOffered for a document that ResourcePolicy refuses.
  Status PutResourcePolicy(meta::Transaction& tx, const std::string& resource,
                           const std::string& document);
  Status DeleteResourcePolicy(meta::Transaction& tx, const std::string& resource);  // kNotFound
  Result<std::optional<std::string>> GetResourcePolicy(const std::string& resource) const;
  // The policies of a resource that is deleted and of what lies below it ("RESOURCE/...").
  Status ForgetResource(meta::Transaction& tx, const std::string& resource);

  // Like Authorize, on a resource that may have a policy of its own. A principal of the `owner`
  // account needs either policy to allow, one of another account both; a deny in either wins. Where
  // the resource's policy is what is missing or denies, the text says "no resource-based policy"
  // and "in a resource-based policy".
  Status AuthorizeOn(const identity::Principal& principal, std::string_view action,
                     std::string_view resource, const AccountId& owner) const;

  // The one decision on reading a table.
  Access AccessTo(const identity::Principal& principal, const catalog::TableName& table) const;

  // A line for each of `columns` (the table's own, in order). `who` need not be able to sign in: a
  // group or an account is judged by the grants that name it.
  Result<std::vector<ColumnExplanation>> Explain(const identity::PrincipalRef& who,
                                                 const catalog::TableName& table,
                                                 const std::vector<std::string>& columns) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::govern
