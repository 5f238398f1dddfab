// SPDX-License-Identifier: Apache-2.0
#include "identity/directory.h"

namespace weft::identity {

const std::vector<std::string>& Directory::Migrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE identity_accounts (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, "
      "description TEXT NOT NULL)",
      "CREATE TABLE identity_groups (account TEXT NOT NULL REFERENCES identity_accounts (id), "
      "name TEXT NOT NULL, PRIMARY KEY (account, name))",
      "CREATE TABLE identity_users (account TEXT NOT NULL REFERENCES identity_accounts (id), "
      "name TEXT NOT NULL, PRIMARY KEY (account, name))",
      "CREATE TABLE identity_memberships (user_account TEXT NOT NULL, user_name TEXT NOT NULL, "
      "group_account TEXT NOT NULL, group_name TEXT NOT NULL, "
      "PRIMARY KEY (user_account, user_name, group_account, group_name), "
      "FOREIGN KEY (user_account, user_name) REFERENCES identity_users (account, name) ON DELETE "
      "CASCADE, "
      "FOREIGN KEY (group_account, group_name) REFERENCES identity_groups (account, name) ON "
      "DELETE CASCADE)",
      // `created` in microseconds since 1970; `secret` is sealed, in base64.
      "CREATE TABLE identity_keys (id TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, "
      "user_name TEXT NOT NULL, active INTEGER NOT NULL, created INTEGER NOT NULL, secret TEXT NOT "
      "NULL, "
      "FOREIGN KEY (account, user_name) REFERENCES identity_users (account, name) ON DELETE "
      "CASCADE)",
  };
  return steps;
}

}  // namespace weft::identity
