// SPDX-License-Identifier: Apache-2.0
// Access keys, and why somebody may or may not read a table.
#include "api/doors_internal.h"

namespace weft::api {
namespace {

using nlohmann::json;

json KeyToJson(const identity::AccessKey& key) {
  return {{"access_key_id", key.id},
          {"user", key.user},
          {"account", key.account.text()},
          {"active", key.active},
          {"created", FormatTimestamp(key.created)}};
}

Result<json> ListKeys(Doors& doors, Call& call) {
  TRY(doors.Require(call.principal, "weft:ManageKeys"));
  std::optional<identity::User> only;
  if (!call.option("user").empty())
    only = TRY(doors.use.directory.ResolveUser(call.option("user")));
  json list = json::array();
  for (const auto& key : doors.use.directory.Keys()) {
    if (only && (key.account != only->account || key.user != only->name)) continue;
    list.push_back(KeyToJson(key));
  }
  return json{{"keys", list}};
}

Result<json> CreateKey(Doors& doors, Call& call) {
  TRY(doors.Require(call.principal, "weft:ManageKeys"));
  json body = TRY(ParseObject(*TRY(doors.TakeBody(call.request))));
  const std::string name = TRY(TextMember(body, "user"));
  if (name.empty()) return Fail(Code::kInvalid, "'user' is missing");
  auto user = TRY(doors.use.directory.ResolveUser(name));
  auto made = TRY(doors.use.directory.CreateKey(user.account, user.name));
  json answer = KeyToJson(made.key);
  answer["secret_access_key"] = made.secret;
  return answer;
}

Result<json> SetKeyActive(Doors& doors, Call& call) {
  TRY(doors.Require(call.principal, "weft:ManageKeys"));
  json body = TRY(ParseObject(*TRY(doors.TakeBody(call.request))));
  if (!body.contains("active")) return Fail(Code::kInvalid, "'active' is missing");
  TRY(doors.use.directory.SetKeyActive(call.parameter("key"), TRY(BoolMember(body, "active"))));
  return json{{"access_key_id", call.parameter("key")}, {"active", body["active"]}};
}

Result<json> DeleteKey(Doors& doors, Call& call) {
  TRY(doors.Require(call.principal, "weft:ManageKeys"));
  TRY(doors.use.directory.DeleteKey(call.parameter("key")));
  return json{{"access_key_id", call.parameter("key")}, {"deleted", true}};
}

Result<json> ExplainAccess(Doors& doors, Call& call) {
  TRY(doors.Require(call.principal, "weft:ExplainAccess"));
  auto who = TRY(doors.use.directory.ResolvePrincipal(call.option("principal")));
  auto name = TRY(catalog::ParseTableName(call.option("table")));
  auto names = TRY(doors.use.query.ColumnNames(name));
  auto lines = TRY(doors.use.govern.Explain(who, name, names));
  json columns = json::array();
  for (const auto& line : lines) {
    columns.push_back({{"column", line.column}, {"allowed", line.allowed}, {"why", line.why}});
  }
  return json{
      {"principal", call.option("principal")}, {"table", name.text()}, {"columns", columns}};
}

}  // namespace

void AddIdentityDoors(DoorTable& table) {
  table.Add("GET", "/api/v1/keys", ListKeys);
  table.Add("POST", "/api/v1/keys", CreateKey);
  table.Add("PUT", "/api/v1/keys/{key}", SetKeyActive);
  table.Add("DELETE", "/api/v1/keys/{key}", DeleteKey);
  table.Add("GET", "/api/v1/explain-access", ExplainAccess);
}

}  // namespace weft::api
