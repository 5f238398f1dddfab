// SPDX-License-Identifier: Apache-2.0
#include "govern/statement.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/nearest.h"
#include "govern/pattern.h"

namespace weft::govern {
namespace {

using Json = nlohmann::json;
using Kind = PrincipalPattern::Kind;

tl::unexpected<Error> Invalid(std::string message) {
  return Fail(Code::kInvalid, "policy: " + std::move(message));
}

// The parser would keep one of two equal keys; a reader may have meant the other.
Result<Json> ParseStrictly(std::string_view text, size_t octets_max) {
  if (text.size() > octets_max) {
    return Invalid(fmt::format("larger than {} octets", octets_max));
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

// After the account, in the ARN of one principal.
constexpr std::string_view kNamed[] = {":user/", ":role/", ":assumed-role/"};

// Twelve digits.
bool IsAccount(std::string_view text) {
  return text.size() == 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// One value of "AWS" in a Principal.
Result<PrincipalPattern> PrincipalOf(const std::string& text) {
  if (text == "*") return PrincipalPattern{.kind = Kind::kAnybody, .text = ""};
  if (IsAccount(text)) return PrincipalPattern{.kind = Kind::kAccount, .text = text};
  for (const std::string_view service : {"arn:aws:iam::", "arn:aws:sts::"}) {
    if (!text.starts_with(service)) continue;
    const std::string account = text.substr(service.size(), 12);
    const std::string rest = text.substr(std::min(text.size(), service.size() + 12));
    if (!IsAccount(account)) break;
    if (rest == ":root") return PrincipalPattern{.kind = Kind::kAccount, .text = account};
    const bool named =
        std::any_of(std::begin(kNamed), std::end(kNamed), [&](std::string_view prefix) {
          return rest.starts_with(prefix) && rest.size() > prefix.size();
        });
    if (named && text.find_first_of("*?") == std::string::npos)
      return PrincipalPattern{.kind = Kind::kOne, .text = text};
  }
  return Invalid(fmt::format(
      "not a principal (*, an account, or the ARN of an account's root, a user or a role): '{}'",
      text));
}

Result<std::vector<PrincipalPattern>> PrincipalsOf(const Json& given) {
  std::vector<PrincipalPattern> principals;
  if (given == "*") {
    principals.push_back({.kind = Kind::kAnybody, .text = ""});
    return principals;
  }
  if (!given.is_object() || given.empty())
    return Invalid("Principal is \"*\" or an object such as {\"AWS\": ...}");
  TRY(CheckKeys(given, {"AWS", "Service", "Federated", "CanonicalUser"}));
  for (const auto& [key, value] : given.items()) {
    if (key != "AWS") {
      return Fail(Code::kNotOffered,
                  fmt::format("policy: a Principal of kind {} is not offered yet", key));
    }
  }
  const Json& value = given.at("AWS");
  const Json list = value.is_array() ? value : Json::array({value});
  for (const Json& item : list) {
    if (!item.is_string()) return Invalid("AWS is text or a list of texts");
    principals.push_back(TRY(PrincipalOf(item.get_ref<const std::string&>())));
  }
  if (principals.empty()) return Invalid("AWS is empty");
  return principals;
}

Result<Statement> StatementOf(const Json& item, PolicyKind kind, std::set<std::string>& sids) {
  if (!item.is_object()) return Invalid("a Statement is an object");
  if (item.contains("Condition"))
    return Fail(Code::kNotOffered, "policy: Condition is not offered yet");
  const bool to_resource = kind == PolicyKind::kResource;
  if (to_resource && item.contains("NotPrincipal"))
    return Fail(Code::kNotOffered, "policy: NotPrincipal is not offered");
  if (!to_resource && (item.contains("Principal") || item.contains("NotPrincipal")))
    return Invalid("Principal does not belong in a policy that is attached to one");
  if (to_resource && !item.contains("Principal"))
    return Invalid("a statement of a resource's policy has a Principal");
  TRY(CheckKeys(item,
                {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource"}));
  TRY(CheckSid(item, sids));
  const Json effect = item.value("Effect", Json());
  if (effect != "Allow" && effect != "Deny") return Invalid("Effect is \"Allow\" or \"Deny\"");
  Statement statement;
  statement.allow = effect == "Allow";
  if (to_resource) statement.principals = TRY(PrincipalsOf(item.at("Principal")));
  statement.actions = TRY(OneOf(item, "Action", statement.not_action, CheckActionPattern));
  statement.resources = TRY(OneOf(item, "Resource", statement.not_resource, CheckResourcePattern));
  return statement;
}

}  // namespace

bool Statement::Covers(std::string_view action, std::string_view resource) const {
  return AnyMatches(actions, action, MatchesAction) != not_action &&
         AnyMatches(resources, resource, MatchesResource) != not_resource;
}

Result<std::vector<Statement>> ParseStatements(std::string_view text, PolicyKind kind,
                                               size_t octets_max) {
  const Json json = TRY(ParseStrictly(text, octets_max));
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
  std::vector<Statement> parsed;
  std::set<std::string> sids;
  for (const Json& item : statements) parsed.push_back(TRY(StatementOf(item, kind, sids)));
  return parsed;
}

}  // namespace weft::govern
