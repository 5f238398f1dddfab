// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/id.h"

namespace weft::identity {

// Who calls, once Authenticate knows it.
struct Principal {
  enum class Kind { kUser, kRole };  // a role comes with sessions
  Kind kind = Kind::kUser;
  AccountId account;
  std::string name;
  std::string arn;                  // "arn:aws:iam::111122223333:user/ada"
  std::vector<std::string> groups;  // names, in the same account; "ACCOUNT_ID/name" of another's
  std::string access_key_id;
  bool administrator = false;  // the first administrator: may do everything in every account
  friend bool operator==(const Principal&, const Principal&) = default;
};

// What a command, a grant or an explanation names: "user/ada", "group/query", "role/etl",
// "account/analytics", or with an account where a name is not unique: "user/analytics/ada".
struct PrincipalRef {
  enum class Kind { kUser, kGroup, kRole, kAccount };
  Kind kind = Kind::kUser;
  AccountId account;  // of kAccount: the account itself
  std::string name;   // of kAccount: ""
  friend auto operator<=>(const PrincipalRef&, const PrincipalRef&) = default;
};

}  // namespace weft::identity
