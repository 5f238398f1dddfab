// SPDX-License-Identifier: Apache-2.0
#include "identity/people.h"

#include <fmt/format.h>

#include "base/logging.h"
#include "codec/hash.h"
#include "codec/seal.h"

namespace weft::identity {
namespace {

Result<std::string> OpenSecret(BytesView master_key, const std::string& stored,
                               const std::string& id) {
  auto sealed = codec::Base64Decode(stored);
  auto secret =
      sealed.ok() ? codec::Open(master_key, *sealed, id) : Result<Bytes>(Fail(sealed.error()));
  if (secret.ok()) return secret;
  Log(LogLevel::kError, "identity", "a secret does not open with this master key",
      {{"access_key_id", id}});
  return Fail(
      Code::kCorrupt,
      fmt::format("the secret of {} does not open: is the master key the one that sealed it?", id));
}

}  // namespace

const Account* People::account(std::string_view id_or_name) const {
  std::string text(id_or_name);
  auto named = account_names.find(text);
  auto found =
      accounts.find(named == account_names.end() ? AccountId(std::move(text)) : named->second);
  return found == accounts.end() ? nullptr : &found->second;
}

Principal People::PrincipalOf(const NameInAccount& user) const {
  Principal principal;
  principal.account = user.first;
  principal.name = user.second;
  principal.arn = fmt::format("arn:aws:iam::{}:user/{}", user.first.text(), user.second);
  principal.administrator = user == NameInAccount(AccountId(kRootAccount), kAdministrator);
  for (const NameInAccount& group : users.at(user)) {
    principal.groups.push_back(group.first == user.first ? group.second
                                                         : group.first.text() + "/" + group.second);
  }
  return principal;
}

std::string People::GroupName(const AccountId& of, const NameInAccount& group) const {
  return group.first == of ? group.second : accounts.at(group.first).name + "/" + group.second;
}

User People::UserOf(const NameInAccount& user) const {
  User made{.account = user.first, .name = user.second, .groups = {}};
  for (const NameInAccount& group : users.at(user))
    made.groups.push_back(GroupName(user.first, group));
  return made;
}

Result<std::shared_ptr<const People>> LoadPeople(meta::Transaction& tx, BytesView master_key) {
  auto people = std::make_shared<People>();
  for (const meta::Row& row :
       TRY(tx.Query("SELECT id, name, description FROM identity_accounts"))) {
    Account account{.id = AccountId(row.text(0)), .name = row.text(1), .description = row.text(2)};
    people->account_names.emplace(account.name, account.id);
    people->accounts.emplace(account.id, std::move(account));
  }
  for (const meta::Row& row : TRY(tx.Query("SELECT account, name FROM identity_groups"))) {
    people->groups.emplace(NameInAccount(AccountId(row.text(0)), row.text(1)), 0);
  }
  for (const meta::Row& row : TRY(tx.Query("SELECT account, name FROM identity_users"))) {
    people->users.emplace(NameInAccount(AccountId(row.text(0)), row.text(1)),
                          std::vector<NameInAccount>());
  }
  for (const meta::Row& row : TRY(tx.Query(
           "SELECT user_account, user_name, group_account, group_name FROM identity_memberships "
           "ORDER BY group_name, group_account"))) {
    NameInAccount group(AccountId(row.text(2)), row.text(3));
    ++people->groups.at(group);
    people->users.at({AccountId(row.text(0)), row.text(1)}).push_back(std::move(group));
  }
  for (const meta::Row& row :
       TRY(tx.Query("SELECT id, account, user_name, active, created, secret FROM identity_keys"))) {
    AccessKey key{.id = row.text(0),
                  .account = AccountId(row.text(1)),
                  .user = row.text(2),
                  .active = row.integer(3) != 0,
                  .created = Timestamp(microseconds(row.integer(4)))};
    Principal principal = people->PrincipalOf({key.account, key.user});
    principal.access_key_id = key.id;
    auto secret = OpenSecret(master_key, row.text(5), key.id);
    auto credential = secret.ok() ? Directory::Credential{std::move(*secret), std::move(principal)}
                                  : Result<Directory::Credential>(Fail(secret.error()));
    std::string id = key.id;
    people->keys.emplace(std::move(id), KnownKey{std::move(key), std::move(credential)});
  }
  return people;
}

}  // namespace weft::identity
