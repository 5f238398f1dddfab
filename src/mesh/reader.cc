// SPDX-License-Identifier: Apache-2.0
#include "mesh/reader.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/units.h"
#include "mesh/paths.h"
#include "mesh/tables.h"

namespace weft::mesh {
namespace {

using std::chrono::hours;
constexpr int64_t kKiB = 1024, kMiB = kKiB * 1024;

// What may name an account, group or user: AWS's alphabet for them.
bool PlainName(std::string_view name, std::string_view extra) {
  if (name.empty() || name.size() > 64) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || extra.find(c) != std::string_view::npos;
  });
}

bool AccountNumber(std::string_view id) {
  return id.size() == 12 &&
         std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void DeclarationReader::Read(const YamlNode& root) {
  Section section(faults_, root, "", {"mesh", "accounts", "products", "groups", "users", "grants"});
  if (root.kind != YamlNode::Kind::kMap && root.kind != YamlNode::Kind::kNull) return;
  auto mesh = section.Text("mesh", true);
  if (!mesh.text.empty() && !PlainName(mesh.text, ".")) {
    faults_.Add(
        mesh.line,
        fmt::format("mesh: '{}' is not a name: letters, digits, - _ . and 64 at most", mesh.text));
  }
  declaration_.mesh = mesh.text;
  for (const auto& entry : Entries(section, "accounts", "account")) ReadAccount(entry);
  for (const auto& entry : Entries(section, "products", "product")) ReadProduct(entry);
  for (const auto& entry : Entries(section, "groups", "group")) ReadGroup(entry);
  for (const auto& entry : Entries(section, "users", "user")) ReadUser(entry);
  if (const YamlNode* grants = section.Find("grants")) {
    if (grants->kind == YamlNode::Kind::kList) {
      for (size_t i = 0; i < grants->items.size(); ++i) ReadGrant(grants->items[i], i);
    } else if (grants->kind != YamlNode::Kind::kNull) {
      faults_.Add(grants->line, "grants is not a list");
    }
  }
  CheckProducts();
  CheckUsers();
  CheckGrants();
}

std::vector<DeclarationReader::Entry> DeclarationReader::Entries(const Section& root,
                                                                 const std::string& key,
                                                                 const char* what) {
  std::vector<Entry> entries;
  const YamlNode* node = root.Find(key);
  if (node == nullptr || node->kind == YamlNode::Kind::kNull) return entries;
  if (node->kind != YamlNode::Kind::kMap) {
    faults_.Add(node->line, fmt::format("{} is not a map of names", key));
    return entries;
  }
  std::map<std::string_view, int> seen;
  for (const auto& [name, value] : node->entries) {
    auto [first, fresh] = seen.emplace(name.text, name.line);
    if (!fresh) {
      faults_.Add(name.line, fmt::format("{}.{} comes twice, first in line {}", key, name.text,
                                         first->second));
      continue;
    }
    if (!PlainName(name.text, key == "users" || key == "groups" ? "+=,.@" : "")) {
      faults_.Add(name.line,
                  fmt::format("'{}' cannot name {} {}: letters, digits, - and _, 64 at most",
                              name.text, what[0] == 'a' ? "an" : "a", what));
      continue;
    }
    entries.push_back({name.text, name.line, &value});
  }
  return entries;
}

void DeclarationReader::ReadAccount(const Entry& entry) {
  Section section(faults_, *entry.node, "accounts." + entry.name, {"id", "description"});
  auto id = section.Text("id", true);
  if (AccountNumber(entry.name)) {
    faults_.Add(entry.line, fmt::format("accounts.{}: a name of twelve digits would pass for an id",
                                        entry.name));
  }
  if (entry.name == "root" || id.text == "000000000000") {
    faults_.Add(
        entry.name == "root" ? entry.line : id.line,
        fmt::format("accounts.{}: the account 000000000000, named root, is the server's own",
                    entry.name));
  } else if (!id.text.empty() && !AccountNumber(id.text)) {
    faults_.Add(id.line,
                fmt::format("accounts.{}.id: '{}' is not twelve digits", entry.name, id.text));
  }
  for (const auto& other : declaration_.accounts) {
    if (!id.text.empty() && other.id.text() == id.text) {
      faults_.Add(id.line, fmt::format("accounts.{}.id: {} is the id of {} already", entry.name,
                                       id.text, other.name));
    }
  }
  declaration_.accounts.push_back(
      {entry.name, AccountId(id.text), section.Text("description").text});
}

int64_t DeclarationReader::Size(const Section& section, std::string_view key, int64_t otherwise,
                                int64_t min, int64_t max) {
  auto value = section.Text(key);
  if (value.text.empty()) return otherwise;
  auto size = ParseSize(value.text);
  if (!size.ok()) {
    faults_.Add(value.line, fmt::format("{}: {}", section.Path(key), size.error().message()));
    return otherwise;
  }
  if (*size < min || *size > max) {
    faults_.Add(value.line, fmt::format("{}: {} is not within {} and {}", section.Path(key),
                                        value.text, FormatSize(min), FormatSize(max)));
    return otherwise;
  }
  return *size;
}

int64_t DeclarationReader::Count(const Section& section, std::string_view key, int64_t otherwise) {
  auto value = section.Text(key);
  if (value.text.empty()) return otherwise;
  int64_t count = 0;
  const char* end = value.text.data() + value.text.size();
  auto [rest, error] = std::from_chars(value.text.data(), end, count);
  if (error == std::errc() && rest == end && count >= 1) return count;
  faults_.Add(value.line,
              fmt::format("{}: '{}' is not a whole number from 1", section.Path(key), value.text));
  return otherwise;
}

milliseconds DeclarationReader::Duration(const Section& section, std::string_view key,
                                         milliseconds otherwise, milliseconds min,
                                         milliseconds max) {
  auto value = section.Text(key);
  if (value.text.empty()) return otherwise;
  auto duration = ParseDuration(value.text);
  if (!duration.ok()) {
    faults_.Add(value.line, fmt::format("{}: {}", section.Path(key), duration.error().message()));
    return otherwise;
  }
  if (*duration < min || *duration > max) {
    auto text = [](milliseconds bound) {  // as people write these bounds
      return bound.count() == 0  ? std::string("0 s")
             : bound < hours(1)  ? fmt::format("{} s", bound.count() / 1000)
             : bound < hours(48) ? fmt::format("{}h", bound / hours(1))
                                 : fmt::format("{}d", bound / hours(24));
    };
    faults_.Add(value.line, fmt::format("{}: {} is not within {} and {}", section.Path(key),
                                        value.text, text(min), text(max)));
    return otherwise;
  }
  return *duration;
}

void DeclarationReader::ReadProduct(const Entry& entry) {
  Section section(faults_, *entry.node, "products." + entry.name,
                  {"account", "database", "contract", "columns", "ingest", "retention",
                   "retention_size", "delivery"});
  DeclaredProduct product;
  ProductLines lines;
  lines.line = entry.line;
  product.name = ProductName(entry.name);
  auto account = section.Text("account", true);
  product.account = account.text;
  lines.account = account.line;
  auto database = section.Text("database", true);
  product.database = database.text;
  lines.database = database.line;
  product.retention = Duration(section, "retention", product.retention, hours(24), hours(365 * 24));
  product.retention_bytes =
      Size(section, "retention_size", product.retention_bytes, kMiB, 1024 * 1024 * kMiB * 1024);
  static const YamlNode kNothing;
  const YamlNode* ingest = section.Find("ingest");
  ReadIngest(Section(faults_, ingest == nullptr ? kNothing : *ingest, section.Path("ingest"),
                     {"mode", "unknown_fields", "record_bytes_max", "bytes_per_second",
                      "records_per_second"}),
             product);
  const YamlNode* delivery = section.Find("delivery");
  ReadDelivery(
      Section(faults_, delivery == nullptr ? kNothing : *delivery, section.Path("delivery"),
              {"buffer_size", "buffer_interval", "partition_by"}),
      product, lines);
  ReadContract(section, product, lines);
  declaration_.products.push_back(std::move(product));
  product_lines_.push_back(lines);
}

void DeclarationReader::ReadIngest(const Section& section, DeclaredProduct& product) {
  auto mode = section.Text("mode");
  if (mode.text == "partial") {
    product.mode = ingest::Mode::kPartial;
  } else if (!mode.text.empty() && mode.text != "atomic") {
    faults_.Add(mode.line, fmt::format("{}: '{}' is neither atomic nor partial",
                                       section.Path("mode"), mode.text));
  }
  auto unknown = section.Text("unknown_fields");
  if (unknown.text == "ignore") {
    product.unknown_fields = contract::UnknownFields::kIgnore;
  } else if (!unknown.text.empty() && unknown.text != "refuse") {
    faults_.Add(unknown.line, fmt::format("{}: '{}' is neither refuse nor ignore",
                                          section.Path("unknown_fields"), unknown.text));
  }
  product.record_bytes_max =
      Size(section, "record_bytes_max", product.record_bytes_max, kKiB, 10 * kMiB);
  product.bytes_per_second =
      Size(section, "bytes_per_second", product.bytes_per_second, kKiB, 1024 * 1024 * kMiB);
  product.records_per_second = Count(section, "records_per_second", product.records_per_second);
}

void DeclarationReader::ReadDelivery(const Section& section, DeclaredProduct& product,
                                     ProductLines& lines) {
  product.buffer_bytes = Size(section, "buffer_size", product.buffer_bytes, kMiB, 128 * kMiB);
  product.buffer_interval =
      Duration(section, "buffer_interval", product.buffer_interval, milliseconds(0), seconds(900));
  lines.partition_by = section.LineOf("partition_by");
  for (const auto& term : section.Texts("partition_by")) {
    auto parsed = ParsePartitionTerm(term.text);
    if (parsed.ok()) {
      product.partition_by.push_back(parsed->text());
    } else {
      faults_.Add(term.line, fmt::format("{}: {}", "products." + product.name.text(),
                                         parsed.error().message()));
    }
  }
}

void DeclarationReader::ReadContract(const Section& section, DeclaredProduct& product,
                                     ProductLines& lines) {
  const YamlNode* columns = section.Find("columns");
  const bool has_contract = section.Find("contract") != nullptr;
  if (columns != nullptr && has_contract) {
    faults_.Add(section.LineOf("columns"),
                fmt::format("products.{} has both contract and columns: one of them says it all",
                            product.name.text()));
    return;
  }
  if (columns == nullptr && !has_contract) {
    faults_.Add(lines.line,
                fmt::format("products.{} needs a contract or columns", product.name.text()));
    return;
  }
  if (columns != nullptr) return ReadColumns(*columns, product, lines);
  auto path = section.Text("contract", true);
  if (path.text.empty() || !CheckPath(path, section.Path("contract"))) return;
  auto read = contracts_.find(path.text);
  if (read == contracts_.end()) {
    auto parsed = contract::ParseOdcs(files_.at(path.text));
    if (!parsed.ok()) faults_.AddFrom(path.text, parsed.error().message());
    read = contracts_
               .emplace(path.text, parsed.ok() ? std::optional(std::move(*parsed)) : std::nullopt)
               .first;
  }
  if (!read->second) return;
  product.contract = *read->second;
  lines.contract_read = true;
}

void DeclarationReader::ReadColumns(const YamlNode& columns, DeclaredProduct& product,
                                    ProductLines& lines) {
  const std::string path = fmt::format("products.{}.columns", product.name.text());
  if (columns.kind != YamlNode::Kind::kList || columns.items.empty()) {
    faults_.Add(columns.line, fmt::format("{} is not a list of names and types", path));
    return;
  }
  std::vector<contract::ShortColumn> all;
  std::map<std::string, int> names;
  bool good = true;
  for (size_t i = 0; i < columns.items.size(); ++i) {
    Section section(faults_, columns.items[i], fmt::format("{}[{}]", path, i), {"name", "type"});
    auto name = section.Text("name", true);
    auto type = section.Text("type", true);
    if (name.text.empty() || type.text.empty()) {
      good = false;
      continue;
    }
    auto [first, fresh] = names.emplace(name.text, name.line);
    if (!fresh) {
      faults_.Add(name.line, fmt::format("{}: the column '{}' comes twice, first in line {}", path,
                                         name.text, first->second));
    }
    auto alone = contract::FromShortForm(product.name.text(), {{name.text, type.text}});
    if (!alone.ok()) faults_.Add(name.line, fmt::format("{}: {}", path, alone.error().message()));
    good = good && fresh && alone.ok();
    all.push_back({name.text, type.text});
  }
  if (!good) return;
  auto whole = contract::FromShortForm(product.name.text(), all);
  if (!whole.ok())
    return faults_.Add(columns.line, fmt::format("{}: {}", path, whole.error().message()));
  product.contract = std::move(*whole);
  lines.contract_read = true;
}

bool DeclarationReader::CheckPath(const Section::Value& path, const std::string& what) {
  if (!PathWithin(path.text)) {
    faults_.Add(path.line,
                fmt::format("{}: '{}' is not a path within the directory", what, path.text));
    return false;
  }
  if (files_.contains(path.text)) return true;
  std::vector<std::string> known;
  for (const auto& file : files_) known.push_back(file.first);
  faults_.Add(path.line,
              fmt::format("{}: there is no file '{}'{}", what, path.text, Hint(path.text, known)));
  return false;
}

std::vector<DeclaredPolicy> DeclarationReader::ReadPolicies(const Section& section) {
  std::vector<DeclaredPolicy> policies;
  std::map<std::string, std::string> names;
  for (const auto& path : section.Texts("policies")) {
    if (!CheckPath(path, section.Path("policies"))) continue;
    auto [first, fresh] = names.emplace(PolicyName(path.text), path.text);
    if (!fresh) {
      faults_.Add(
          path.line,
          first->second == path.text
              ? fmt::format("{}: '{}' comes twice", section.Path("policies"), path.text)
              : fmt::format("{}: '{}' and '{}' would both be the policy '{}'",
                            section.Path("policies"), first->second, path.text, first->first));
      continue;
    }
    const std::string& document = files_.at(path.text);
    auto known = policies_.find(path.text);
    if (known == policies_.end()) {
      auto parsed = govern::Policy::Parse(document);
      if (!parsed.ok()) faults_.AddFrom(path.text, parsed.error().message());
      known = policies_.emplace(path.text, parsed.ok()).first;
    }
    if (known->second) policies.push_back({path.text, document});
  }
  return policies;
}

void DeclarationReader::ReadGroup(const Entry& entry) {
  Section section(faults_, *entry.node, "groups." + entry.name, {"account", "policies"});
  auto account = section.Text("account", true);
  group_lines_.push_back(account.line);
  declaration_.groups.push_back({entry.name, account.text, ReadPolicies(section)});
}

void DeclarationReader::ReadUser(const Entry& entry) {
  Section section(faults_, *entry.node, "users." + entry.name, {"account", "groups", "policies"});
  auto account = section.Text("account", true);
  UserLines lines{account.line, section.Texts("groups")};
  DeclaredUser user{entry.name, account.text, {}, ReadPolicies(section)};
  for (const auto& group : lines.groups) user.groups.push_back(group.text);
  declaration_.users.push_back(std::move(user));
  user_lines_.push_back(std::move(lines));
}

void DeclarationReader::ReadGrant(const YamlNode& node, size_t index) {
  Section section(faults_, node, fmt::format("grants[{}]", index), {"to", "table", "columns"});
  auto to = section.Text("to", true);
  auto table = section.Text("table", true);
  GrantLines lines{node.line, to.line, table.line, section.Texts("columns")};
  DeclaredGrant grant{to.text, table.text, {}};
  for (const auto& column : lines.columns) grant.columns.push_back(column.text);
  const YamlNode* columns = section.Find("columns");
  if (columns != nullptr && columns->items.empty() && columns->kind != YamlNode::Kind::kScalar) {
    faults_.Add(
        columns->line,
        fmt::format("grants[{}].columns is empty: leave it out to grant all columns", index));
  }
  declaration_.grants.push_back(std::move(grant));
  grant_lines_.push_back(std::move(lines));
}

}  // namespace weft::mesh
