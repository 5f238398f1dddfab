// SPDX-License-Identifier: Apache-2.0
#include "query/query.h"

#include <algorithm>
#include <map>
#include <utility>

#include "contract/contract.h"

namespace weft::query {
namespace {

constexpr int kTries = 8;

// SQL names compare without case; those of tables are lower case.
std::string Folded(std::string_view name) {
  std::string folded(name);
  std::transform(folded.begin(), folded.end(), folded.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return folded;
}

bool Reserved(std::string_view column) {
  return column == contract::kIdColumn || column == contract::kArrivalColumn;
}

Error NoSuchTable(const catalog::TableName& name) {
  return {Code::kNotFound, fmt::format("table {} does not exist", name.text())};
}

// Splits the schema into what `select *` gives and what is only there by name.
void Choose(const iceberg::Schema& schema, const govern::Access& access,
            std::vector<iceberg::Field>& columns, std::vector<iceberg::Field>* hidden) {
  for (const iceberg::Field& field : schema.fields) {
    if (Reserved(field.name)) {
      if (hidden != nullptr) hidden->push_back(field);
    } else if (access.all_columns || access.Allows(field.name)) {
      columns.push_back(field);
    }
  }
}

// What one statement of one principal sees: each table is resolved once, however often it is named.
class Relations final : public engine::RelationSource {
 public:
  Relations(const Query::Dependencies& on, const identity::Principal& principal)
      : on_(on), principal_(principal) {}

  Result<engine::Relation> Find(const Name& name) override {
    const catalog::TableName table{Folded(name.first), Folded(name.second)};
    auto known = resolved_.find(table);
    if (known != resolved_.end()) return known->second;
    auto relation = TRY(Resolve(table));
    resolved_.emplace(table, relation);
    return relation;
  }

  Result<std::vector<Name>> List() override {
    std::vector<Name> names;
    for (const catalog::Table& table : on_.catalog.Tables()) {
      if (on_.govern.AccessTo(principal_, table.name).any) {
        names.emplace_back(table.name.database, table.name.table);
      }
    }
    return names;
  }

 private:
  Result<engine::Relation> Resolve(const catalog::TableName& name) {
    const govern::Access access = on_.govern.AccessTo(principal_, name);
    if (!access.any) return Fail(NoSuchTable(name));
    // Delivery may move the table between the reading of its pointer and that of the records behind
    // it; then all of it is read again. A failure at a table that stood still is real.
    for (int tried = 1;; ++tried) {
      auto state = on_.catalog.Find(name);
      if (!state.ok() && state.error().code() == Code::kNotFound) return Fail(NoSuchTable(name));
      const catalog::TableState at = TRY(std::move(state));
      auto relation = Read(at, access);
      if (relation.ok() || tried == kTries) return relation;
      const bool moved = relation.error().code() == Code::kConflict || Moved(name, at);
      if (!moved) return relation;
    }
  }

  bool Moved(const catalog::TableName& name, const catalog::TableState& before) {
    const auto now = on_.catalog.Find(name);
    return now.ok() && (now->table.version != before.table.version ||
                        now->table.metadata_location != before.table.metadata_location ||
                        now->positions != before.positions);
  }

  Result<engine::Relation> Read(const catalog::TableState& state, const govern::Access& access) {
    const auto version = TRY(on_.tables.Load(state.table.metadata_location));
    const std::shared_ptr<const iceberg::Schema> schema{version.metadata,
                                                        &version.metadata->schema()};
    engine::Relation relation;
    Choose(*schema, access, relation.columns, &relation.hidden);
    relation.spec = version.metadata->spec();
    relation.files = TRY(on_.tables.Files(version));
    if (relation.files == nullptr) {
      relation.files = std::make_shared<const std::vector<iceberg::DataFile>>();
    }
    const auto feed = TRY(on_.feeds.Lookup(state.table.id));
    if (feed.has_value()) {
      relation.tail = TRY(on_.tail.Rows(*feed, schema, state.positions)).slices;
    }
    return relation;
  }

  const Query::Dependencies& on_;
  const identity::Principal& principal_;
  std::map<catalog::TableName, engine::Relation> resolved_;
};

}  // namespace

struct Query::State {
  explicit State(const Dependencies& dependencies)
      : on(dependencies),
        seconds(on.metrics.AddHistogram(
            "weft_query_seconds", "Statements, from call to last row",
            {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60})) {}
  const Dependencies on;
  Histogram& seconds;
};

Query::Query(const Dependencies& dependencies) : state_(std::make_unique<State>(dependencies)) {}
Query::~Query() = default;

Status Query::Run(const identity::Principal& principal, const std::string& sql,
                  const QueryOptions& options, engine::ResultSink& sink) {
  const Dependencies& on = state_->on;
  const microseconds began = on.clock.Elapsed();
  Relations relations(on, principal);
  const Status done = on.engine.Query({.sql = sql,
                                       .format = options.format,
                                       .time_max = options.time_max,
                                       .memory_bytes_max = options.memory_bytes_max,
                                       .rows_max = options.rows_max,
                                       .default_database = Folded(options.default_database)},
                                      relations, sink);
  state_->seconds.Observe(std::chrono::duration<double>(on.clock.Elapsed() - began).count());
  if (!done.ok()) {
    on.metrics
        .AddCounter("weft_query_errors_total", "Statements that failed",
                    {{"code", std::string(CodeName(done.error().code()))}})
        .Add(1);
  }
  return done;
}

Result<Query::TableView> Query::Describe(const identity::Principal& principal,
                                         const catalog::TableName& name) {
  const catalog::TableName folded{Folded(name.database), Folded(name.table)};
  TableView view;
  view.access = state_->on.govern.AccessTo(principal, folded);
  if (!view.access.any) return Fail(NoSuchTable(folded));
  auto state = state_->on.catalog.Find(folded);
  if (!state.ok() && state.error().code() == Code::kNotFound) return Fail(NoSuchTable(folded));
  view.state = TRY(std::move(state));
  view.version = TRY(state_->on.tables.Load(view.state.table.metadata_location));
  Choose(view.version.metadata->schema(), view.access, view.columns, nullptr);
  return view;
}

Result<std::vector<std::string>> Query::ColumnNames(const catalog::TableName& name) {
  const catalog::TableName folded{Folded(name.database), Folded(name.table)};
  const auto state = TRY(state_->on.catalog.Find(folded));
  const auto version = TRY(state_->on.tables.Load(state.table.metadata_location));
  std::vector<std::string> names;
  for (const auto& field : version.metadata->schema().fields) names.push_back(field.name);
  return names;
}

}  // namespace weft::query
