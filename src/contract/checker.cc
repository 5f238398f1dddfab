// SPDX-License-Identifier: Apache-2.0
#include "contract/checker.h"

#include "contract/flat_walk_internal.h"
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

  bool Check(std::string_view record, std::vector<FieldError>& errors,
             const Taking& taking) override {
    if (taking.rows == nullptr) {
      return TakeFlat<false>(record, taking.readable_after, nullptr) ||
             Walk<false>(State(), checker_->options, errors, nullptr)
                 .Run(*checker_->root, record, taking.readable_after);
    }
    const bool good = TakeFlat<true>(record, taking.readable_after, taking.rows) ||
                      Walk<true>(State(), checker_->options, errors, taking.rows)
                          .Run(*checker_->root, record, taking.readable_after);
    if (good) {
      taking.rows->FinishRow();
    } else {
      taking.rows->DropRow();
    }
    return good;
  }

  bool CheckArray(std::string_view text, std::vector<Judged>& judged,
                  std::vector<FieldError>& errors, const Taking& taking) override {
    const size_t judged_before = judged.size(), errors_before = errors.size();
    auto undo = [&] {
      judged.resize(judged_before);
      errors.resize(errors_before);
      if (taking.rows != nullptr) taking.rows->Clear();
      return false;
    };
    auto take = [&]<bool kAppend>() {
      const Part& root = *checker_->root;
      const bool flat =
          !root.flat.empty() && FlatWalk<kAppend>(State(), root, order_, taking.rows)
                                    .RunArray(text, checker_->options, taking, judged, errors);
      return flat || undo() ||
             Walk<kAppend>(State(), checker_->options, errors, taking.rows)
                 .RunArray(root, text, taking, judged) ||
             undo();
    };
    return taking.rows == nullptr ? take.template operator()<false>()
                                  : take.template operator()<true>();
  }

  Status Append(std::string_view record, std::string_view id, int64_t arrival_us,
                ColumnBuilder& builder) override {
    faults_.clear();
    const bool good =
        TakeFlat<true>(record, 0, &builder) ||
        Walk<true>(State(), {.unknown_fields = checker_->options.unknown_fields, .errors_max = 1},
                   faults_, &builder)
            .Run(*checker_->root, record, 0);
    if (!good) {
      builder.DropRow();
      const auto& [field, reason] = faults_.front();
      return Fail(Code::kCorrupt, fmt::format("a record that was accepted does not pass: {}{}{}",
                                              field, field.empty() ? "" : " ", reason));
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
  // Parser and buffers grow to the largest text they meet: one set for each thread, not for each
  // session. Nothing of a walk outlives the call it is in.
  static WalkState& State() {
    thread_local WalkState state;
    return state;
  }

  // False, and no part of a row, where Walk has to judge the record.
  template <bool kAppend>
  bool TakeFlat(std::string_view record, size_t readable_after, ColumnBuilder* rows) {
    if (checker_->root->flat.empty()) return false;
    State().Load(record, readable_after);
    if (FlatWalk<kAppend>(State(), *checker_->root, order_, rows).Run()) return true;
    if constexpr (kAppend) rows->DropRow();
    return false;
  }

  bool Rewrite(std::string_view record, std::string& out) {
    WalkState& state = State();
    ondemand::document document;
    ondemand::object object;
    if (state.parser.iterate(state.Load(record, 0)).get(document) ||
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
      if (!state.scalars.Inside(raw_key, key).empty()) return false;
      if (out.size() > 1) out += ',';
      out.append("\"").append(raw_key).append("\":");
      std::string_view token = TrimRight(field.value().raw_json_token());
      if (token.empty() || token.front() == '{' || token.front() == '[') return false;
      auto it = checker_->root->by_name.find(key);
      std::string_view text;
      std::string value;
      if (it != checker_->root->by_name.end() && token.front() == '"' &&
          state.scalars.String(token, text).empty()) {
        value = Unquote(checker_->root->children[it->second], text);
      }
      out += value.empty() ? std::string(token) : value;
    }
    out += '}';
    const char* rest = nullptr;
    return document.current_location().get(rest) != simdjson::SUCCESS;
  }

  std::shared_ptr<const CheckerImpl> checker_;
  std::vector<FieldError> faults_;
  std::vector<uint8_t> order_;  // of the keys in the last flat record
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
