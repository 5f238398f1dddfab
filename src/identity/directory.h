// SPDX-License-Identifier: Apache-2.0
// Accounts, users, groups and access keys, over meta. What a thing is declared by does not matter
// here: mesh files, AWS calls and our REST all reach these functions. Those that take a Transaction
// change state within it; the others read a cached picture that every commit refreshes, and cost no
// disk.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "base/result.h"
#include "identity/principal.h"
#include "meta/database.h"

namespace weft::identity {

// The first administrator, who is made at the first start.
inline constexpr const char* kRootAccount = "000000000000";
inline constexpr const char* kRootAccountName = "root";
inline constexpr const char* kAdministrator = "admin";

struct Account {
  AccountId id;      // twelve digits
  std::string name;  // unique on a server
  std::string description;
};
struct User {
  AccountId account;
  std::string name;
  std::vector<std::string> groups;  // "group", or "account/group" of another account, by its name
};
struct Group {
  AccountId account;
  std::string name;
};
struct AccessKey {
  std::string id;  // "AKIA" and 16 of A-Z 2-7
  AccountId account;
  std::string user;
  bool active = true;
  Timestamp created;
};
struct NewAccessKey {
  AccessKey key;
  std::string secret;  // 40 characters; told once
};

class Directory {
 public:
  struct Options {
    Bytes master_key;  // 32 octets: seals the secrets (AES-256-GCM) that the database keeps
  };
  Directory(Options options, meta::Database& database, const Clock& clock, Random& random);
  ~Directory();
  static const std::vector<std::string>& Migrations();

  // The account 000000000000 named "root", its user "admin" and, when admin has no key, a key.
  Result<std::optional<NewAccessKey>> EnsureAdministrator();
  // A fresh key for admin; the ones it had are deleted.
  Result<NewAccessKey> ResetAdministratorKey();

  // Makes or updates; kInvalid for a bad id or name, kConflict where the name belongs to another
  // id. The administrator and its account stay as they are: kDenied.
  Status PutAccount(meta::Transaction& tx, const Account& account);
  // kConflict while users or groups are in it.
  Status DeleteAccount(meta::Transaction& tx, const AccountId& id);
  // kNotFound, here and below, where the account, the group or the user that is named does not
  // exist.
  Status PutGroup(meta::Transaction& tx, const Group& group);
  Status DeleteGroup(meta::Transaction& tx, const Group& group);  // memberships go too
  // Makes or updates the user; its groups are exactly `groups` (in any account: memberships name a
  // group of the user's own account, or "account/group").
  Status PutUser(meta::Transaction& tx, const User& user);
  Status DeleteUser(meta::Transaction& tx, const AccountId& account,
                    const std::string& name);  // keys go too

  Result<NewAccessKey> CreateKey(const AccountId& account, const std::string& user);
  Status SetKeyActive(const std::string& access_key_id, bool active);
  Status DeleteKey(const std::string& access_key_id);
  std::vector<AccessKey> Keys() const;
  // Seals every secret by `master_key` (32 octets) instead, in one transaction; those that it opens
  // already stay. This directory goes on with the old one: open another. kCorrupt, and nothing
  // changed, where neither key opens a secret.
  Status Reseal(const Bytes& master_key);

  std::vector<Account> Accounts() const;
  std::vector<User> Users() const;
  std::vector<Group> Groups() const;
  std::optional<Account> FindAccount(const std::string& id_or_name) const;

  // "ada" or "analytics/ada": kNotFound, or kInvalid where the short name is not unique and says
  // so.
  Result<User> ResolveUser(std::string_view reference) const;
  // "user/ada", "group/…", "account/…"; "role/…" is kNotOffered, for there are no roles yet.
  Result<PrincipalRef> ResolvePrincipal(std::string_view reference) const;
  Result<Principal> PrincipalOf(const User& user) const;

  // For Authenticate: kUnauthenticated when the key is unknown or disabled.
  struct Credential {
    std::string secret;
    Principal principal;
  };
  Result<std::shared_ptr<const Credential>> FindCredential(std::string_view access_key_id) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::identity
