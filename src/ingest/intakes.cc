// SPDX-License-Identifier: Apache-2.0
#include "ingest/intakes.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>

#include "base/logging.h"

namespace weft::ingest {
namespace {

// `a-b` and `a_b` are one product.
std::string KeyOf(std::string_view product) {
  std::string key(product);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

Intake FromRow(const meta::Row& row) {
  return {.product = ProductName(row.text(0)),
          .account = AccountId(row.text(1)),
          .stream = stream::StreamName(row.text(2)),
          .quarantine = stream::StreamName(row.text(3)),
          .mode = row.integer(4) == 0 ? Mode::kAtomic : Mode::kPartial,
          .unknown_fields = row.integer(5) == 0 ? contract::UnknownFields::kRefuse
                                                : contract::UnknownFields::kIgnore,
          .record_bytes_max = row.integer(6),
          .bytes_per_second = row.integer(7),
          .records_per_second = row.integer(8)};
}

}  // namespace

struct Intakes::State {
  explicit State(meta::Database& d) : database(d) {}
  using Known = std::map<std::string, std::shared_ptr<const Intake>>;

  // Reads the picture once; from then on every commit changes it. A failed read is tried again by
  // the next call.
  Status Load() {
    if (loaded) return {};
    Known found;
    TRY(database.Read([&](meta::Transaction& tx) -> Status {
      found.clear();
      auto rows = TRY(tx.Query(
          "SELECT product, account, stream, quarantine, mode, unknown_fields, record_bytes_max, "
          "bytes_per_second, records_per_second FROM ingest_intakes"));
      for (const auto& row : rows) {
        auto intake = FromRow(row);
        auto key = KeyOf(intake.product.text());
        found[std::move(key)] = std::make_shared<const Intake>(std::move(intake));
      }
      return {};
    }));
    std::lock_guard lock(mutex);
    if (loaded) return {};
    intakes = std::move(found);
    for (auto& [key, intake] : changed) Apply(key, std::move(intake));
    changed.clear();
    loaded = true;
    return {};
  }

  void Change(const std::string& key, std::optional<Intake> intake) {
    std::lock_guard lock(mutex);
    if (loaded) {
      Apply(key, std::move(intake));
    } else {
      changed[key] = std::move(intake);
    }
  }

  void Apply(const std::string& key, std::optional<Intake> intake) {
    if (intake) {
      intakes[key] = std::make_shared<const Intake>(*std::move(intake));
    } else {
      intakes.erase(key);
    }
  }

  meta::Database& database;
  std::mutex mutex;
  std::atomic<bool> loaded = false;  // becomes so under the mutex
  // Guarded by the mutex.
  Known intakes;
  std::map<std::string, std::optional<Intake>> changed;  // commits before the first read
};

Intakes::Intakes(meta::Database& database) : state_(std::make_unique<State>(database)) {}
Intakes::~Intakes() = default;

const std::vector<std::string>& Intakes::Migrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE ingest_intakes (name_key TEXT PRIMARY KEY, product TEXT NOT NULL, account TEXT "
      "NOT NULL, "
      "stream TEXT NOT NULL, quarantine TEXT NOT NULL, mode INTEGER NOT NULL, unknown_fields "
      "INTEGER NOT NULL, "
      "record_bytes_max INTEGER NOT NULL)",
      "ALTER TABLE ingest_intakes ADD COLUMN bytes_per_second INTEGER NOT NULL DEFAULT 0",
      "ALTER TABLE ingest_intakes ADD COLUMN records_per_second INTEGER NOT NULL DEFAULT 0",
  };
  return steps;
}

Status Intakes::Put(meta::Transaction& tx, const Intake& intake) {
  const auto key = KeyOf(intake.product.text());
  auto there = TRY(tx.Query("SELECT product FROM ingest_intakes WHERE name_key = :1", {key}));
  if (!there.empty() && there[0].text(0) != intake.product.text()) {
    return Fail(Code::kExists,
                fmt::format("the product '{}' has that name already: - and _ count alike",
                            there[0].text(0)));
  }
  (void)TRY(tx.Execute(
      "INSERT INTO ingest_intakes (name_key, product, account, stream, quarantine, mode, "
      "unknown_fields, record_bytes_max, bytes_per_second, records_per_second) "
      "VALUES (:1, :2, :3, :4, :5, :6, :7, :8, :9, :10) ON CONFLICT (name_key) DO UPDATE SET "
      "account = excluded.account, stream = excluded.stream, quarantine = excluded.quarantine, "
      "mode = excluded.mode, unknown_fields = excluded.unknown_fields, record_bytes_max = "
      "excluded.record_bytes_max, bytes_per_second = excluded.bytes_per_second, "
      "records_per_second = excluded.records_per_second",
      {key, intake.product.text(), intake.account.text(), intake.stream.text(),
       intake.quarantine.text(), int64_t{intake.mode == Mode::kPartial ? 1 : 0},
       int64_t{intake.unknown_fields == contract::UnknownFields::kIgnore ? 1 : 0},
       intake.record_bytes_max, intake.bytes_per_second, intake.records_per_second}));
  tx.AfterCommit([state = state_.get(), key, intake] { state->Change(key, intake); });
  return {};
}

Status Intakes::Delete(meta::Transaction& tx, const ProductName& product) {
  const auto key = KeyOf(product.text());
  (void)TRY(tx.Execute("DELETE FROM ingest_intakes WHERE name_key = :1", {key}));
  tx.AfterCommit([state = state_.get(), key] { state->Change(key, std::nullopt); });
  return {};
}

Result<std::shared_ptr<const Intake>> Intakes::Find(std::string_view product) const {
  TRY(state_->Load());
  std::lock_guard lock(state_->mutex);
  auto found = state_->intakes.find(KeyOf(product));
  if (found == state_->intakes.end()) {
    return Fail(Code::kNotFound, fmt::format("there is no product '{}'", product));
  }
  return found->second;
}

std::vector<Intake> Intakes::All() const {
  if (auto loaded = state_->Load(); !loaded.ok()) {
    Log(LogLevel::kError, "ingest", "cannot read the intakes",
        {{"error", loaded.error().message()}});
  }
  std::lock_guard lock(state_->mutex);
  std::vector<Intake> all;
  for (const auto& entry : state_->intakes) all.push_back(*entry.second);
  return all;
}

}  // namespace weft::ingest
