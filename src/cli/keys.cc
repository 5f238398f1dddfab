// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "codec/url.h"

namespace weft::cli {

using nlohmann::json;

Status CreateKey(const Context& context, const std::string& user) {
  auto connection = TRY(context.Connect());
  json key = TRY(connection.Post("/api/v1/keys", {{"user", user}}));
  if (context.output.json) {
    context.output.Result(json{
        {"access_key_id", key.at("access_key_id")},
        {"secret_access_key", key.at("secret_access_key")},
        {"user", key.at("user")},
        {"account",
         key.at("account")}}.dump());
    return {};
  }
  context.output.Result(
      fmt::format("export AWS_ACCESS_KEY_ID='{}'\nexport AWS_SECRET_ACCESS_KEY='{}'",
                  key.value("access_key_id", ""), key.value("secret_access_key", "")));
  context.output.Note("the secret is shown this once");
  return {};
}

Status ListKeys(const Context& context, const std::string& user) {
  auto connection = TRY(context.Connect());
  json keys =
      TRY(connection.Get("/api/v1/keys", user.empty() ? "" : "user=" + Segment(user))).at("keys");
  if (context.output.json) {
    context.output.Result(keys.dump());
    return {};
  }
  TextTable table({"key", "account", "user", "state", "created"});
  for (const auto& key : keys) {
    table.Add({key.value("access_key_id", ""), key.value("account", ""),
               Printable(key.value("user", "")), key.value("active", false) ? "active" : "disabled",
               key.value("created", "")});
  }
  context.output.Result(table.Text());
  return {};
}

Status DisableKey(const Context& context, const std::string& key) {
  auto connection = TRY(context.Connect());
  json answer = TRY(connection.Call("PUT", "/api/v1/keys/" + Segment(key), {{"active", false}}));
  context.output.Result(context.output.json ? answer.dump() : "disabled " + key);
  return {};
}

Status DeleteKey(const Context& context, const std::string& key) {
  auto connection = TRY(context.Connect());
  json answer = TRY(connection.Call("DELETE", "/api/v1/keys/" + Segment(key), nullptr));
  context.output.Result(context.output.json ? answer.dump() : "deleted " + key);
  return {};
}

Status ExplainAccess(const Context& context, const std::string& who, const std::string& table) {
  auto connection = TRY(context.Connect());
  json answer = TRY(connection.Get("/api/v1/explain-access",
                                   "principal=" + Segment(who) + "&table=" + Segment(table)));
  if (context.output.json) {
    context.output.Result(answer.dump());
    return {};
  }
  TextTable lines({"column", "read", "why"});
  for (const auto& column : answer.at("columns")) {
    lines.Add({Printable(column.value("column", "")),
               column.value("allowed", false) ? "allowed" : "denied",
               Printable(column.value("why", ""))});
  }
  context.output.Result(lines.Text());
  return {};
}

}  // namespace weft::cli
