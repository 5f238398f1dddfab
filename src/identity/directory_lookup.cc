// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/logging.h"
#include "base/nearest.h"
#include "identity/directory_internal.h"

namespace weft::identity {
namespace {

// The one entry of `all` that "name" or "account/name" means.
template <class Map>
Result<NameInAccount> Resolve(const People& people, const Map& all, std::string_view kind,
                              std::string_view reference) {
  const size_t slash = reference.find('/');
  if (slash != std::string_view::npos) {
    const Account* account = people.account(reference.substr(0, slash));
    if (account == nullptr) {
      return Fail(Code::kNotFound, fmt::format("no account {}", reference.substr(0, slash)));
    }
    NameInAccount name(account->id, reference.substr(slash + 1));
    if (all.contains(name)) return name;
    return Fail(Code::kNotFound,
                fmt::format("no {} {} in account {}", kind, name.second, account->name));
  }
  std::vector<NameInAccount> found;
  std::vector<std::string> names;
  for (const auto& [name, unused] : all) {
    if (name.second == reference) found.push_back(name);
    names.push_back(name.second);
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    const std::string near = Nearest(reference, names);
    return Fail(Code::kNotFound,
                fmt::format("no {} {}{}", kind, reference,
                            near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
  std::string choices;
  for (const NameInAccount& name : found) {
    choices += fmt::format("{}{}/{}", choices.empty() ? "" : ", ",
                           people.accounts.at(name.first).name, name.second);
  }
  return Fail(Code::kInvalid,
              fmt::format("{} {} is in several accounts, say which: {}", kind, reference, choices));
}

}  // namespace

std::shared_ptr<const People> Directory::State::people() {
  auto now = picture.Get();
  if (now.ok()) return *now;
  Log(LogLevel::kError, "identity", "the directory cannot be read",
      {{"error", now.error().message()}});
  return std::make_shared<People>();
}

std::vector<AccessKey> Directory::Keys() const {
  std::vector<AccessKey> keys;
  for (const auto& [id, known] : state_->people()->keys) keys.push_back(known.key);
  std::sort(keys.begin(), keys.end(), [](const AccessKey& a, const AccessKey& b) {
    return std::tie(a.account, a.user, a.created, a.id) <
           std::tie(b.account, b.user, b.created, b.id);
  });
  return keys;
}

std::vector<Account> Directory::Accounts() const {
  std::vector<Account> accounts;
  auto people = state_->people();
  for (const auto& [id, account] : people->accounts) accounts.push_back(account);
  return accounts;
}

std::vector<User> Directory::Users() const {
  std::vector<User> users;
  auto people = state_->people();
  for (const auto& [name, groups] : people->users) users.push_back(people->UserOf(name));
  return users;
}

std::vector<Group> Directory::Groups() const {
  std::vector<Group> groups;
  auto people = state_->people();
  for (const auto& [name, members] : people->groups)
    groups.push_back({.account = name.first, .name = name.second});
  return groups;
}

std::optional<Account> Directory::FindAccount(const std::string& id_or_name) const {
  auto people = state_->people();
  const Account* account = people->account(id_or_name);
  return account == nullptr ? std::nullopt : std::optional<Account>(*account);
}

Result<User> Directory::ResolveUser(std::string_view reference) const {
  auto people = TRY(state_->picture.Get());
  return people->UserOf(TRY(Resolve(*people, people->users, "user", reference)));
}

Result<PrincipalRef> Directory::ResolvePrincipal(std::string_view reference) const {
  auto people = TRY(state_->picture.Get());
  const size_t slash = reference.find('/');
  const std::string_view kind = reference.substr(0, slash);
  const std::string_view name = slash == std::string_view::npos ? "" : reference.substr(slash + 1);
  if (kind == "user" && !name.empty()) {
    auto user = TRY(Resolve(*people, people->users, kind, name));
    return PrincipalRef{
        .kind = PrincipalRef::Kind::kUser, .account = user.first, .name = user.second};
  }
  if (kind == "group" && !name.empty()) {
    auto group = TRY(Resolve(*people, people->groups, kind, name));
    return PrincipalRef{
        .kind = PrincipalRef::Kind::kGroup, .account = group.first, .name = group.second};
  }
  if (kind == "account" && !name.empty()) {
    const Account* account = people->account(name);
    if (account == nullptr) return Fail(Code::kNotFound, fmt::format("no account {}", name));
    return PrincipalRef{.kind = PrincipalRef::Kind::kAccount, .account = account->id, .name = ""};
  }
  if (kind == "role" && !name.empty()) {
    return Fail(Code::kNotOffered, fmt::format("roles are not offered yet: {}", reference));
  }
  return Fail(Code::kInvalid, fmt::format("not a principal (user/NAME, group/NAME or account/NAME, "
                                          "NAME with ACCOUNT/ before it where "
                                          "it is not unique): '{}'",
                                          reference));
}

Result<Principal> Directory::PrincipalOf(const User& user) const {
  auto people = TRY(state_->picture.Get());
  const NameInAccount name(user.account, user.name);
  if (people->users.contains(name)) return people->PrincipalOf(name);
  return Fail(Code::kNotFound,
              fmt::format("no user {} in account {}", user.name, user.account.text()));
}

Result<std::shared_ptr<const Directory::Credential>> Directory::FindCredential(
    std::string_view access_key_id) const {
  auto people = TRY(state_->picture.Get());
  auto found = people->keys.find(access_key_id);
  if (found == people->keys.end() || !found->second.key.active) {
    return Fail(Code::kUnauthenticated, "The security token included in the request is invalid.");
  }
  const auto& credential = found->second.credential;
  if (!credential.ok()) return Fail(credential.error());
  // A part of the picture, which it keeps.
  return std::shared_ptr<const Credential>(std::move(people), &*credential);
}

}  // namespace weft::identity
