// SPDX-License-Identifier: Apache-2.0
#include "contract/checker.h"

#include "contract/walk_internal.h"

namespace weft::contract {
namespace {

using iceberg::ColumnBuilder;
using iceberg::TypeKind;

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool IsWord(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(),
                                                   [](char a, char b) { return (a | 0x20) == b; });
}

// The JSON number or boolean that a text stands for in a column of that kind; "" for none.
std::string Unquote(const Part& part, std::string_view text) {
  text = TrimBlanks(text);
  if (part.kind == TypeKind::kBoolean)
    return IsWord(text, "true") ? "true" : IsWord(text, "false") ? "false" : "";
  bool number = part.kind == TypeKind::kInt || part.kind == TypeKind::kLong ||
                part.kind == TypeKind::kFloat || part.kind == TypeKind::kDouble ||
                part.kind == TypeKind::kDecimal;
  if (!number || text.empty()) return "";
  auto scanned = ScanNumericText(text);
  if (!scanned) return "";
  // From the first digit that counts: ScanNumericText has dropped sign and zeros before it.
  size_t rest = static_cast<size_t>(text.data() + text.size() - scanned->whole.data());
  return (scanned->negative ? "-" : "") + std::string(scanned->whole.data(), rest);
}

class SessionImpl;

class CheckerImpl final : public Checker, public std::enable_shared_from_this<CheckerImpl> {
 public:
  std::unique_ptr<Session> Open() const override;

  std::unique_ptr<Part> root;
  std::shared_ptr<const iceberg::Schema> schema;
  size_t id_column = 0, arrival_column = 0;
  Options options;
};

class SessionImpl final : public Checker::Session {
 public:
  explicit SessionImpl(std::shared_ptr<const CheckerImpl> checker) : checker_(std::move(checker)) {}

  bool Check(std::string_view record, std::vector<FieldError>& errors) override {
    Walk<false> walk(state_, checker_->options.unknown_fields, checker_->options.errors_max,
                     &errors);
    return walk.Run(*checker_->root, record, nullptr);
  }

  Status Append(std::string_view record, std::string_view id, int64_t arrival_us,
                ColumnBuilder& builder) override {
    Walk<true> walk(state_, checker_->options.unknown_fields, 1, nullptr);
    if (!walk.Run(*checker_->root, record, &builder)) {
      builder.DropRow();
      return Fail(Code::kCorrupt, "a record that was accepted does not pass: " + walk.fault());
    }
    builder.column(checker_->id_column).AppendBytes(id);
    builder.column(checker_->arrival_column).AppendInteger(arrival_us);
    builder.FinishRow();
    return {};
  }

  void Canonicalise(std::string_view record, std::string& out) override {
    out.clear();
    if (!Rewrite(record, out)) out.assign(record);
  }

 private:
  bool Rewrite(std::string_view record, std::string& out) {
    ondemand::document document;
    ondemand::object object;
    if (state_.parser.iterate(state_.Load(record)).get(document) ||
        document.get_object().get(object))
      return false;
    out += '{';
    for (auto item : object) {
      ondemand::field field;
      if (std::move(item).get(field)) return false;
      // The key's own text reaches to the colon.
      const char* raw = field.key().raw();
      const char* end = raw;
      while (*end != '"') end += *end == '\\' ? 2 : 1;
      std::string_view raw_key(raw, static_cast<size_t>(end - raw)), key;
      if (!state_.scalars.Inside(raw_key, key).empty()) return false;
      if (out.size() > 1) out += ',';
      out.append("\"").append(raw_key).append("\":");
      std::string_view token = TrimRight(field.value().raw_json_token());
      if (token.empty() || token.front() == '{' || token.front() == '[') return false;
      auto it = checker_->root->by_name.find(key);
      std::string_view text;
      std::string value;
      if (it != checker_->root->by_name.end() && token.front() == '"' &&
          state_.scalars.String(token, text).empty()) {
        value = Unquote(checker_->root->children[it->second], text);
      }
      out += value.empty() ? std::string(token) : value;
    }
    out += '}';
    const char* rest = nullptr;
    return document.current_location().get(rest) != simdjson::SUCCESS;
  }

  std::shared_ptr<const CheckerImpl> checker_;
  WalkState state_;
};

std::unique_ptr<Checker::Session> CheckerImpl::Open() const {
  return std::make_unique<SessionImpl>(shared_from_this());
}

}  // namespace

Result<std::shared_ptr<const Checker>> Checker::Make(const SchemaObject& object,
                                                     std::shared_ptr<const iceberg::Schema> schema,
                                                     const Options& options) {
  auto checker = std::make_shared<CheckerImpl>();
  checker->root = TRY(Part::Make(object.columns, schema->fields));
  checker->schema = std::move(schema);
  checker->options = options;
  auto own = [&](std::string_view name, size_t& column) -> Status {
    auto& absent = checker->root->absent;
    for (auto it = absent.begin(); it != absent.end(); ++it) {
      if (checker->schema->fields[*it].name != name) continue;
      column = *it;
      absent.erase(it);
      return {};
    }
    return Fail(Code::kInvalid, fmt::format("the table has no column '{}'", name));
  };
  TRY(own(kIdColumn, checker->id_column));
  TRY(own(kArrivalColumn, checker->arrival_column));
  return std::shared_ptr<const Checker>(std::move(checker));
}

}  // namespace weft::contract
