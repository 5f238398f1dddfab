// SPDX-License-Identifier: Apache-2.0
#include "identity/directory.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/logging.h"
#include "codec/hash.h"
#include "codec/seal.h"
#include "identity/directory_internal.h"

namespace weft::identity {
namespace {

constexpr size_t kNameMax = 64;
constexpr const char* kKeyLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr const char* kSecretLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool TwelveDigits(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// As IAM names users, groups and roles.
Status CheckName(std::string_view what, const std::string& name) {
  const bool good =
      !name.empty() && name.size() <= kNameMax && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view("_+=,.@-").find(c) != std::string_view::npos;
      });
  if (good) return {};
  return Fail(Code::kInvalid,
              fmt::format("not a name for {} (1 to {} of A-Z a-z 0-9 _ + = , . @ -): '{}'", what,
                          kNameMax, name));
}

bool IsAdministrator(const AccountId& account, const std::string& name) {
  return account.text() == kRootAccount && name == kAdministrator;
}

Result<AccountId> AccountIn(meta::Transaction& tx, const std::string& id_or_name) {
  auto rows = TRY(tx.Query("SELECT id FROM identity_accounts WHERE id = :1 OR name = :2",
                           {id_or_name, id_or_name}));
  if (rows.empty()) return Fail(Code::kNotFound, fmt::format("no account {}", id_or_name));
  return AccountId(rows.front().text(0));
}

Status RequireUser(meta::Transaction& tx, const AccountId& account, const std::string& name) {
  auto rows = TRY(tx.Query("SELECT 1 FROM identity_users WHERE account = :1 AND name = :2",
                           {account.text(), name}));
  if (!rows.empty()) return {};
  return Fail(Code::kNotFound, fmt::format("no user {} in account {}", name, account.text()));
}

// "group" or "account/group", as a user of `account` has it.
Result<NameInAccount> GroupIn(meta::Transaction& tx, const AccountId& account,
                              const std::string& reference) {
  const size_t slash = reference.find('/');
  NameInAccount group(account, reference);
  if (slash != std::string::npos) {
    group = {TRY(AccountIn(tx, reference.substr(0, slash))), reference.substr(slash + 1)};
  }
  auto rows = TRY(tx.Query("SELECT 1 FROM identity_groups WHERE account = :1 AND name = :2",
                           {group.first.text(), group.second}));
  if (!rows.empty()) return group;
  return Fail(Code::kNotFound,
              fmt::format("no group {} in account {}", group.second, group.first.text()));
}

}  // namespace

Result<NewAccessKey> Directory::State::MakeKey(meta::Transaction& tx, const AccountId& account,
                                               const std::string& user) {
  TRY(RequireUser(tx, account, user));
  NewAccessKey made{.key = {.id = "AKIA" + random.NextText(16, kKeyLetters),
                            .account = account,
                            .user = user,
                            .active = true,
                            .created = clock.Now()},
                    .secret = random.NextText(40, kSecretLetters)};
  const Bytes sealed = codec::Seal(options.master_key, made.secret, made.key.id, random);
  (void)TRY(tx.Execute(
      "INSERT INTO identity_keys (id, account, user_name, active, created, secret) "
      "VALUES (:1, :2, :3, 1, :4, :5)",
      {made.key.id, account.text(), user, int64_t{made.key.created.time_since_epoch().count()},
       codec::Base64Encode(sealed)}));
  picture.ReloadAfter(tx);
  return made;
}

Directory::Directory(Options options, meta::Database& database, const Clock& clock, Random& random)
    : state_(std::make_unique<State>(std::move(options), database, clock, random)) {
  CHECK(state_->options.master_key.size() == 32);
}
Directory::~Directory() = default;

Result<std::optional<NewAccessKey>> Directory::EnsureAdministrator() {
  std::optional<NewAccessKey> made;
  Status done = state_->database.Transact([&](meta::Transaction& tx) -> Status {
    made.reset();
    (void)TRY(
        tx.Execute("INSERT INTO identity_accounts (id, name, description) VALUES (:1, :2, :3) "
                   "ON CONFLICT (id) DO NOTHING",
                   {kRootAccount, kRootAccountName, "the server's own account"}));
    (void)TRY(
        tx.Execute("INSERT INTO identity_users (account, name) VALUES (:1, :2) ON CONFLICT "
                   "(account, name) DO NOTHING",
                   {kRootAccount, kAdministrator}));
    state_->picture.ReloadAfter(tx);
    auto keys = TRY(tx.Query("SELECT 1 FROM identity_keys WHERE account = :1 AND user_name = :2",
                             {kRootAccount, kAdministrator}));
    if (keys.empty()) made = TRY(state_->MakeKey(tx, AccountId(kRootAccount), kAdministrator));
    return {};
  });
  TRY(done);
  return made;
}

Status Directory::Reseal(const Bytes& master_key) {
  CHECK(master_key.size() == 32);
  return state_->database.Transact([&](meta::Transaction& tx) -> Status {
    auto rows = TRY(tx.Query("SELECT id, secret FROM identity_keys"));
    for (const meta::Row& row : rows) {
      const std::string id = row.text(0);
      const Bytes sealed = TRY(codec::Base64Decode(row.text(1)));
      if (codec::Open(master_key, sealed, id).ok()) continue;
      const Bytes secret = TRY(codec::Open(state_->options.master_key, sealed, id));
      const Bytes anew = codec::Seal(master_key, secret, id, state_->random);
      (void)TRY(tx.Execute("UPDATE identity_keys SET secret = :1 WHERE id = :2",
                           {codec::Base64Encode(anew), id}));
    }
    return {};
  });
}

Result<NewAccessKey> Directory::ResetAdministratorKey() {
  TRY(EnsureAdministrator());
  std::optional<NewAccessKey> made;
  Status done = state_->database.Transact([&](meta::Transaction& tx) -> Status {
    (void)TRY(tx.Execute("DELETE FROM identity_keys WHERE account = :1 AND user_name = :2",
                         {kRootAccount, kAdministrator}));
    made = TRY(state_->MakeKey(tx, AccountId(kRootAccount), kAdministrator));
    return {};
  });
  TRY(done);
  return std::move(*made);
}

Status Directory::PutAccount(meta::Transaction& tx, const Account& account) {
  if (!TwelveDigits(account.id.text())) {
    return Fail(Code::kInvalid,
                fmt::format("an account's id has twelve digits: '{}'", account.id.text()));
  }
  TRY(CheckName("an account", account.name));
  if (TwelveDigits(account.name)) {
    return Fail(Code::kInvalid,
                fmt::format("an account's name may not look like an id: '{}'", account.name));
  }
  if (account.id.text() == kRootAccount && account.name != kRootAccountName) {
    return Fail(Code::kDenied, fmt::format("the account {} is the server's own, named {}",
                                           kRootAccount, kRootAccountName));
  }
  auto taken = TRY(tx.Query("SELECT id FROM identity_accounts WHERE name = :1 AND id <> :2",
                            {account.name, account.id.text()}));
  if (!taken.empty()) {
    return Fail(Code::kConflict, fmt::format("the account name {} belongs to {}", account.name,
                                             taken.front().text(0)));
  }
  (void)TRY(tx.Execute(
      "INSERT INTO identity_accounts (id, name, description) VALUES (:1, :2, :3) ON CONFLICT (id) "
      "DO UPDATE SET name = excluded.name, description = excluded.description",
      {account.id.text(), account.name, account.description}));
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Directory::DeleteAccount(meta::Transaction& tx, const AccountId& id) {
  if (id.text() == kRootAccount)
    return Fail(Code::kDenied, "the server's own account cannot be deleted");
  auto inside =
      TRY(tx.Query("SELECT (SELECT count(*) FROM identity_users WHERE account = :1), "
                   "(SELECT count(*) FROM identity_groups WHERE account = :2)",
                   {id.text(), id.text()}));
  const int64_t users = inside.front().integer(0), groups = inside.front().integer(1);
  if (users + groups > 0) {
    return Fail(Code::kConflict, fmt::format("the account {} is not empty: {} users, {} groups",
                                             id.text(), users, groups));
  }
  if (TRY(tx.Execute("DELETE FROM identity_accounts WHERE id = :1", {id.text()})) == 0) {
    return Fail(Code::kNotFound, fmt::format("no account {}", id.text()));
  }
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Directory::PutGroup(meta::Transaction& tx, const Group& group) {
  TRY(CheckName("a group", group.name));
  TRY(AccountIn(tx, group.account.text()));
  (void)TRY(
      tx.Execute("INSERT INTO identity_groups (account, name) VALUES (:1, :2) ON CONFLICT "
                 "(account, name) DO NOTHING",
                 {group.account.text(), group.name}));
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Directory::DeleteGroup(meta::Transaction& tx, const Group& group) {
  if (TRY(tx.Execute("DELETE FROM identity_groups WHERE account = :1 AND name = :2",
                     {group.account.text(), group.name})) == 0) {
    return Fail(Code::kNotFound,
                fmt::format("no group {} in account {}", group.name, group.account.text()));
  }
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Directory::PutUser(meta::Transaction& tx, const User& user) {
  TRY(CheckName("a user", user.name));
  TRY(AccountIn(tx, user.account.text()));
  (void)TRY(
      tx.Execute("INSERT INTO identity_users (account, name) VALUES (:1, :2) ON CONFLICT (account, "
                 "name) DO NOTHING",
                 {user.account.text(), user.name}));
  (void)TRY(
      tx.Execute("DELETE FROM identity_memberships WHERE user_account = :1 AND user_name = :2",
                 {user.account.text(), user.name}));
  for (const std::string& reference : user.groups) {
    const NameInAccount group = TRY(GroupIn(tx, user.account, reference));
    (void)TRY(tx.Execute(
        "INSERT INTO identity_memberships (user_account, user_name, group_account, group_name) "
        "VALUES (:1, :2, :3, :4) ON CONFLICT DO NOTHING",
        {user.account.text(), user.name, group.first.text(), group.second}));
  }
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Directory::DeleteUser(meta::Transaction& tx, const AccountId& account,
                             const std::string& name) {
  if (IsAdministrator(account, name))
    return Fail(Code::kDenied, "the administrator cannot be deleted");
  TRY(RequireUser(tx, account, name));
  (void)TRY(tx.Execute("DELETE FROM identity_users WHERE account = :1 AND name = :2",
                       {account.text(), name}));
  state_->picture.ReloadAfter(tx);
  return {};
}

Result<NewAccessKey> Directory::CreateKey(const AccountId& account, const std::string& user) {
  std::optional<NewAccessKey> made;
  Status done = state_->database.Transact([&](meta::Transaction& tx) -> Status {
    made = TRY(state_->MakeKey(tx, account, user));
    return {};
  });
  TRY(done);
  return std::move(*made);
}

Status Directory::SetKeyActive(const std::string& access_key_id, bool active) {
  return state_->ChangeKey("UPDATE identity_keys SET active = :2 WHERE id = :1",
                           {access_key_id, int64_t{active}});
}

Status Directory::DeleteKey(const std::string& access_key_id) {
  return state_->ChangeKey("DELETE FROM identity_keys WHERE id = :1", {access_key_id});
}

Status Directory::State::ChangeKey(std::string_view sql, const std::vector<meta::Value>& values) {
  return database.Transact([&](meta::Transaction& tx) -> Status {
    if (TRY(tx.Execute(sql, values)) == 0) {
      return Fail(Code::kNotFound,
                  fmt::format("no access key {}", std::get<std::string>(values.front())));
    }
    picture.ReloadAfter(tx);
    return {};
  });
}

}  // namespace weft::identity
