// SPDX-License-Identifier: Apache-2.0
#include "ingest/gates.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>

#include "tail/record_key.h"

namespace weft::ingest {
namespace {

constexpr size_t kSessionsKeptMax = 16;
// As many faults of one record are told as an answer can list.
constexpr int kErrorsMax = 1'000;

std::string Alike(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

Counter& RecordsTotal(Metrics& metrics, const Intake& intake, const char* outcome) {
  return metrics.AddCounter("weft_ingest_records_total",
                            "Records that reached a door, by what became of them.",
                            {{"product", intake.product.text()}, {"outcome", outcome}});
}

// The object that `name` means: one that makes a table.
Result<const contract::SchemaObject*> Choose(const contract::Contract& contract,
                                             const ProductName& product, std::string_view name) {
  auto none = [&](const std::string& why) {
    return Fail(Code::kInvalid,
                fmt::format("nothing can be published to '{}': {}", product.text(), why));
  };
  if (contract.objects.empty())
    return none("its contract has no schema objects, so it has no table");
  std::vector<const contract::SchemaObject*> tables;
  std::string names;
  for (const auto& object : contract.objects) {
    if (object.columns.empty()) continue;
    tables.push_back(&object);
    names += (names.empty() ? "" : ", ") + object.name;
  }
  if (name.empty() || (contract.objects.size() == 1 && Alike(name) == Alike(product.text()))) {
    if (tables.empty())
      return none("the objects of its contract have no properties, so it has no table");
    if (tables.size() == 1) return tables[0];
    return Fail(Code::kInvalid, fmt::format("'{}' has several tables; name one as schema: {}",
                                            product.text(), names));
  }
  for (const auto& object : contract.objects) {
    if (Alike(object.name) != Alike(name)) continue;
    if (object.columns.empty())
      return none(fmt::format("the object '{}' has no properties, so no table", object.name));
    return &object;
  }
  return Fail(Code::kInvalid, fmt::format("'{}' has no schema '{}'{}", product.text(), name,
                                          names.empty() ? "" : "; it has " + names));
}

}  // namespace

Gate::Gate(const Intake& intake, int contract_version, const contract::SchemaObject& object,
           Metrics& metrics)
    : accepted(RecordsTotal(metrics, intake, "accepted")),
      quarantined(RecordsTotal(metrics, intake, "quarantined")),
      refused(RecordsTotal(metrics, intake, "refused")),
      object_(object),
      key_(tail::EncodeRecordKey({contract_version, object.name})),
      record_bytes_max_(intake.record_bytes_max),
      options_({.unknown_fields = intake.unknown_fields, .errors_max = kErrorsMax}) {}

Status Gate::Furnish(Desk& desk, std::shared_ptr<const iceberg::Schema> schema) const {
  desk = {.schema = schema, .checker = nullptr, .idle = {}};
  desk.checker = TRY(contract::Checker::Make(object_, std::move(schema), options_));
  return {};
}

Gate::Pass::Pass(std::shared_ptr<Gate> gate, std::shared_ptr<const iceberg::Schema> table)
    : gate_(std::move(gate)) {
  {
    std::lock_guard lock(gate_->mutex_);
    Desk* desk = &gate_->plain_;
    if (table != nullptr) {
      Desk& other = gate_->for_table_;
      // A table that has not got the contract's columns yet gets no rows from here.
      if (other.schema != table) (void)gate_->Furnish(other, std::move(table)).ok();
      makes_rows_ = other.checker != nullptr;
      if (makes_rows_) desk = &other;
    }
    checker_ = desk->checker;
    if (!desk->idle.empty()) {
      session_ = std::move(desk->idle.back());
      desk->idle.pop_back();
    }
  }
  if (!session_) session_ = checker_->Open();
}

Gate::Pass::~Pass() {
  std::lock_guard lock(gate_->mutex_);
  Desk& desk = makes_rows_ ? gate_->for_table_ : gate_->plain_;
  if (desk.checker == checker_ && desk.idle.size() < kSessionsKeptMax)
    desk.idle.push_back(std::move(session_));
}

bool Gate::Pass::Check(std::string_view record, std::vector<contract::FieldError>& errors,
                       const Taking& taking) {
  return session_->Check(record, errors, taking);
}

bool Gate::Pass::CheckArray(std::string_view text,
                            std::vector<contract::Checker::Session::Judged>& judged,
                            std::vector<contract::FieldError>& errors, const Taking& taking) {
  return session_->CheckArray(text, judged, errors, taking);
}

bool Gate::Pass::CheckTexts(std::string_view record, std::string_view& typed,
                            std::vector<contract::FieldError>& errors, const Taking& taking) {
  typed_.clear();
  session_->Canonicalise(record, typed_);
  typed = typed_;
  return session_->Check(typed, errors, taking);
}

struct Gates::State {
  State(const contract::Contracts& c, Metrics& m) : contracts(c), metrics(m) {}

  // What a product's gates were made for: when it changes, they are made anew.
  struct Made {
    int contract_version = 0;
    contract::UnknownFields unknown_fields = contract::UnknownFields::kRefuse;
    int64_t record_bytes_max = 0;
    std::map<std::string, std::shared_ptr<Gate>, std::less<>>
        gates;  // by the name that was asked for

    bool For(const Intake& intake, int version) const {
      return version == contract_version && unknown_fields == intake.unknown_fields &&
             record_bytes_max == intake.record_bytes_max;
    }
  };

  Result<std::shared_ptr<Gate>> Make(const Intake& intake,
                                     const contract::Contracts::Current& current,
                                     std::string_view name) {
    const contract::SchemaObject* object = TRY(Choose(*current.contract, intake.product, name));
    std::shared_ptr<Gate> gate(new Gate(intake, current.version, *object, metrics));
    auto schema =
        std::make_shared<const iceberg::Schema>(contract::MakeTableSchema(*object).schema);
    TRY(gate->Furnish(gate->plain_, std::move(schema)));
    return gate;
  }

  const contract::Contracts& contracts;
  Metrics& metrics;
  std::mutex mutex;
  std::map<ProductName, Made> made;  // guarded by the mutex
};

Gates::Gates(const contract::Contracts& contracts, Metrics& metrics)
    : state_(std::make_unique<State>(contracts, metrics)) {}
Gates::~Gates() = default;

Result<std::shared_ptr<Gate>> Gates::Find(const Intake& intake, std::string_view object) {
  auto current = TRY(state_->contracts.FindCurrent(intake.product));
  {
    std::lock_guard lock(state_->mutex);
    auto made = state_->made.find(intake.product);
    if (made != state_->made.end() && made->second.For(intake, current.version)) {
      auto gate = made->second.gates.find(object);
      if (gate != made->second.gates.end()) return gate->second;
    }
  }
  auto gate = TRY(state_->Make(intake, current, object));
  std::lock_guard lock(state_->mutex);
  auto& made = state_->made[intake.product];
  if (!made.For(intake, current.version)) {
    made = {current.version, intake.unknown_fields, intake.record_bytes_max, {}};
  }
  // Only names that mean an object get here, each in few spellings; the bound is for those.
  if (made.gates.size() < 1'000) made.gates.emplace(std::string(object), gate);
  return gate;
}

}  // namespace weft::ingest
