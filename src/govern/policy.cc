// SPDX-License-Identifier: Apache-2.0
#include "govern/policy.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/nearest.h"
#include "govern/pattern.h"

namespace weft::govern {
namespace {

using Json = nlohmann::json;

tl::unexpected<Error> Invalid(std::string message) {
  return Fail(Code::kInvalid, "policy: " + std::move(message));
}

// The parser would keep one of two equal keys; a reader may have meant the other.
Result<Json> ParseStrictly(std::string_view text) {
  if (text.size() > Policy::kOctetsMax) {
    return Invalid(fmt::format("larger than {} octets", Policy::kOctetsMax));
  }
  std::vector<std::set<std::string>> objects;
  std::string twice;
  int depth_max = 0;
  auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    depth_max = std::max(depth_max, depth);
    if (event == Json::parse_event_t::object_start) objects.emplace_back();
    if (event == Json::parse_event_t::object_end) objects.pop_back();
    if (event == Json::parse_event_t::key &&
        !objects.back().insert(value.get<std::string>()).second) {
      twice = value.get<std::string>();
    }
    return true;
  };
  try {
    Json json = Json::parse(text, watch);
    if (!twice.empty()) return Invalid(fmt::format("'{}' is given twice", twice));
    if (depth_max > 8) return Invalid("nested too deeply");
    return json;
  } catch (const Json::exception& error) {
    return Invalid(fmt::format("not JSON: {}", error.what()));
  }
}

Status CheckKeys(const Json& object, const std::vector<std::string>& known) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = Nearest(key, known);
    return Invalid(fmt::format("unknown element '{}'{}", key,
                               near.empty() ? "" : fmt::format(" (did you mean {}?)", near)));
  }
  return {};
}

Result<std::vector<std::string>> Patterns(const Json& value, const std::string& name,
                                          Status (*check)(std::string_view)) {
  std::vector<std::string> patterns;
  const Json list = value.is_array() ? value : Json::array({value});
  for (const Json& item : list) {
    if (!item.is_string()) return Invalid(fmt::format("{} is text or a list of texts", name));
    const std::string& text = item.get_ref<const std::string&>();
    if (text.find("${") != std::string::npos) {
      return Fail(Code::kNotOffered,
                  fmt::format("policy: variables are not offered yet: '{}'", text));
    }
    Status checked = check(text);
    if (!checked.ok()) return Invalid(checked.error().message());
    patterns.push_back(text);
  }
  if (patterns.empty()) return Invalid(fmt::format("{} is empty", name));
  return patterns;
}

// The one of `name` and "Not" + `name` that is there.
Result<std::vector<std::string>> OneOf(const Json& statement, const std::string& name,
                                       bool& negated, Status (*check)(std::string_view)) {
  const std::string other = "Not" + name;
  if (statement.contains(name) == statement.contains(other)) {
    return Invalid(fmt::format("a statement has either {} or {}", name, other));
  }
  negated = statement.contains(other);
  const std::string& used = negated ? other : name;
  return Patterns(statement.at(used), used, check);
}

bool AnyMatches(const std::vector<std::string>& patterns, std::string_view text,
                bool (*matches)(std::string_view, std::string_view)) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& p) { return matches(p, text); });
}

Status CheckSid(const Json& statement, std::set<std::string>& sids) {
  if (!statement.contains("Sid")) return {};
  const Json& sid = statement.at("Sid");
  if (!sid.is_string()) return Invalid("Sid is text");
  const auto& text = sid.get_ref<const std::string&>();
  const bool good = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
  if (!good) return Invalid(fmt::format("a Sid has letters and digits only: '{}'", text));
  if (!text.empty() && !sids.insert(text).second)
    return Invalid(fmt::format("two statements have the Sid '{}'", text));
  return {};
}

}  // namespace

Result<Policy> Policy::Parse(std::string_view text) {
  const Json json = TRY(ParseStrictly(text));
  if (!json.is_object()) return Invalid("not an object");
  TRY(CheckKeys(json, {"Version", "Id", "Statement"}));
  if (json.contains("Version") && json.at("Version") != "2012-10-17" &&
      json.at("Version") != "2008-10-17") {
    return Invalid("Version is \"2012-10-17\" or \"2008-10-17\"");
  }
  if (json.contains("Id") && !json.at("Id").is_string()) return Invalid("Id is text");
  if (!json.contains("Statement")) return Invalid("without a Statement");
  const Json& given = json.at("Statement");
  const Json statements = given.is_array() ? given : Json::array({given});
  if (statements.empty()) return Invalid("without a Statement");
  Policy policy;
  std::set<std::string> sids;
  for (const Json& item : statements) {
    if (!item.is_object()) return Invalid("a Statement is an object");
    if (item.contains("Condition"))
      return Fail(Code::kNotOffered, "policy: Condition is not offered yet");
    if (item.contains("Principal") || item.contains("NotPrincipal")) {
      return Invalid("Principal does not belong in a policy that is attached to one");
    }
    TRY(CheckKeys(item, {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource"}));
    TRY(CheckSid(item, sids));
    const Json effect = item.value("Effect", Json());
    if (effect != "Allow" && effect != "Deny") return Invalid("Effect is \"Allow\" or \"Deny\"");
    Statement statement;
    statement.allow = effect == "Allow";
    statement.actions = TRY(OneOf(item, "Action", statement.not_action, CheckActionPattern));
    statement.resources =
        TRY(OneOf(item, "Resource", statement.not_resource, CheckResourcePattern));
    policy.statements_.push_back(std::move(statement));
  }
  return policy;
}

Policy::Verdict Policy::Judge(std::string_view action, std::string_view resource) const {
  Verdict verdict = Verdict::kNone;
  for (const Statement& statement : statements_) {
    if (AnyMatches(statement.actions, action, MatchesAction) == statement.not_action) continue;
    if (AnyMatches(statement.resources, resource, MatchesResource) == statement.not_resource)
      continue;
    if (!statement.allow) return Verdict::kDeny;
    verdict = Verdict::kAllow;
  }
  return verdict;
}

}  // namespace weft::govern
