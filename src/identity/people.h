// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "identity/directory.h"
#include "identity/principal.h"
#include "meta/database.h"

namespace weft::identity {

using NameInAccount = std::pair<AccountId, std::string>;

struct KnownKey {
  AccessKey key;
  Result<Directory::Credential> credential;  // kCorrupt where the master key does not open it
};

// All that the directory knows, as of one commit. Never changed once made.
struct People {
  std::map<AccountId, Account> accounts;
  std::map<std::string, AccountId> account_names;
  std::map<NameInAccount, std::vector<NameInAccount>> users;  // and the groups each is in
  std::map<NameInAccount, int> groups;                        // and how many are in each
  std::map<std::string, KnownKey, std::less<>> keys;

  const Account* account(std::string_view id_or_name) const;
  Principal PrincipalOf(const NameInAccount& user) const;
  // A group as a user of `account` names it: "group", or "account/group" where it is another's.
  std::string GroupName(const AccountId& account, const NameInAccount& group) const;
  User UserOf(const NameInAccount& user) const;
};

Result<std::shared_ptr<const People>> LoadPeople(meta::Transaction& tx, BytesView master_key);

}  // namespace weft::identity
