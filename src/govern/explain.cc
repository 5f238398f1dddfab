// SPDX-License-Identifier: Apache-2.0
// Why a column is readable or not, in words for whoever has to mend it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "govern/govern_internal.h"

namespace weft::govern {
namespace {

using identity::Principal;
using identity::PrincipalRef;

constexpr size_t kNamedMax = 5;

// As a person would write it: the account only where it is needed.
std::string TextOf(const identity::Directory& directory, const PrincipalRef& ref) {
  const std::string_view kind = KindText(ref.kind);
  auto account = directory.FindAccount(ref.account.text());
  const std::string owner = account.has_value() ? account->name : ref.account.text();
  if (ref.kind == PrincipalRef::Kind::kAccount) return fmt::format("account/{}", owner);
  std::string brief = fmt::format("{}/{}", kind, ref.name);
  auto resolved = directory.ResolvePrincipal(brief);
  if (resolved.ok() && *resolved == ref) return brief;
  return fmt::format("{}/{}/{}", kind, owner, ref.name);
}

std::string Some(const std::vector<std::string>& items) {
  const size_t shown = std::min(items.size(), kNamedMax);
  std::string text = fmt::format(
      "{}", fmt::join(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  return items.size() > shown ? fmt::format("{} and {} more", text, items.size() - shown) : text;
}

// The grants of one table that count for whom is asked about.
struct Reaching {
  const Grant* grant;
  std::string to;
};

std::string Through(const std::vector<const Reaching*>& found) {
  std::vector<std::string> texts;
  for (const Reaching* one : found)
    texts.push_back(fmt::format("grant {} to {}", one->grant->id, one->to));
  return Some(texts);
}

ColumnExplanation ExplainColumn(const std::string& column, const std::vector<Reaching>& reaching) {
  const bool own = column == "_id" || column == "_arrival";
  std::vector<const Reaching*> naming;
  for (const Reaching& one : reaching) {
    const auto& columns = one.grant->columns;
    const bool names =
        columns.empty() || std::find(columns.begin(), columns.end(), column) != columns.end();
    if (names || own) naming.push_back(&one);
  }
  if (!naming.empty()) {
    return {.column = column,
            .allowed = true,
            .why = Through(naming) + (own ? ": comes with any grant" : "")};
  }
  std::string why = "no grant names this column";
  for (size_t i = 0; i < std::min(reaching.size(), kNamedMax); ++i) {
    why += fmt::format("; granted through {} to {}: {}", reaching[i].grant->id, reaching[i].to,
                       Some(reaching[i].grant->columns));
  }
  return {.column = column, .allowed = false, .why = std::move(why)};
}

std::string NothingReaches(const identity::Directory& directory, const Rules& rules,
                           const PrincipalRef& who, const catalog::TableName& table) {
  std::string why = fmt::format("no grant on {} reaches {}", table.text(), TextOf(directory, who));
  auto on_table = rules.tables.find(table);
  if (on_table == rules.tables.end()) return why + "; nobody has one";
  std::vector<std::string> others;
  for (const auto& [to, granted] : on_table->second) {
    if (others.size() > kNamedMax) break;
    others.push_back(TextOf(directory, to));
  }
  const size_t more = on_table->second.size() - std::min(on_table->second.size(), kNamedMax);
  if (others.size() > kNamedMax) others.resize(kNamedMax);
  why += fmt::format("; it is granted to {}", fmt::join(others, ", "));
  return more > 0 ? fmt::format("{} and {} more", why, more) : why;
}

}  // namespace

Result<std::vector<ColumnExplanation>> Govern::Explain(
    const PrincipalRef& who, const catalog::TableName& table,
    const std::vector<std::string>& columns) const {
  auto rules = TRY(state_->picture.Get());
  std::vector<PrincipalRef> names = {who};
  if (who.kind == PrincipalRef::Kind::kUser) {
    const Principal principal = TRY(
        state_->directory.PrincipalOf({.account = who.account, .name = who.name, .groups = {}}));
    names = NamesOf(principal);
    if (principal.administrator) {
      std::vector<ColumnExplanation> all;
      for (const std::string& column : columns) {
        all.push_back(
            {.column = column, .allowed = true, .why = "the administrator needs no grant"});
      }
      return all;
    }
  }
  std::vector<Reaching> reaching;
  for (const PrincipalRef& name : names) {
    const GrantedTo* granted = rules->Find(table, name);
    if (granted == nullptr) continue;
    const std::string to = TextOf(state_->directory, name);
    for (const std::string& id : granted->ids)
      reaching.push_back({.grant = &rules->grants.at(id), .to = to});
  }
  const std::string nothing =
      reaching.empty() ? NothingReaches(state_->directory, *rules, who, table) : "";
  std::vector<ColumnExplanation> explained;
  for (const std::string& column : columns) {
    if (reaching.empty()) {
      explained.push_back({.column = column, .allowed = false, .why = nothing});
    } else {
      explained.push_back(ExplainColumn(column, reaching));
    }
  }
  return explained;
}

}  // namespace weft::govern
