// SPDX-License-Identifier: Apache-2.0
#include "contract/contracts.h"

#include <map>
#include <mutex>

namespace weft::contract {

using meta::Transaction;

struct Contracts::State {
  explicit State(meta::Database& the_database) : database(the_database) {}

  meta::Database& database;
  std::mutex mutex;
  // Guarded by the mutex. What is read while something changes must not be remembered: `changes`
  // tells.
  int64_t changes = 0;
  std::map<std::pair<ProductName, int>, std::shared_ptr<const Contract>> parsed;
  std::map<ProductName, Current> current;

  void Forget(const ProductName& product, bool all_versions) {
    std::lock_guard lock(mutex);
    ++changes;
    current.erase(product);
    if (!all_versions) return;
    std::erase_if(parsed, [&](const auto& entry) { return entry.first.first == product; });
  }
};

Contracts::Contracts(meta::Database& database) : state_(std::make_unique<State>(database)) {}
Contracts::~Contracts() = default;

const std::vector<std::string>& Contracts::Migrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE contract_version (product TEXT NOT NULL, version INTEGER NOT NULL, text TEXT "
      "NOT NULL, "
      "PRIMARY KEY (product, version))",
  };
  return steps;
}

namespace {

constexpr std::string_view kSelectCurrent =
    "SELECT version, text FROM contract_version WHERE product = :1 ORDER BY version DESC LIMIT 1";

}  // namespace

Result<int> Contracts::Put(Transaction& tx, const ProductName& product, const Contract& contract) {
  auto rows = TRY(tx.Query(kSelectCurrent, {product.text()}));
  int64_t version = rows.empty() ? 0 : rows[0].integer(0);
  if (!rows.empty() && rows[0].text(1) == contract.text) return static_cast<int>(version);
  ++version;
  TRY(tx.Execute("INSERT INTO contract_version (product, version, text) VALUES (:1, :2, :3)",
                 {product.text(), version, contract.text}));
  tx.AfterCommit([state = state_.get(), product] { state->Forget(product, false); });
  return static_cast<int>(version);
}

Status Contracts::Delete(Transaction& tx, const ProductName& product) {
  TRY(tx.Execute("DELETE FROM contract_version WHERE product = :1", {product.text()}));
  tx.AfterCommit([state = state_.get(), product] { state->Forget(product, true); });
  return {};
}

Result<std::shared_ptr<const Contract>> Contracts::Find(const ProductName& product,
                                                        int version) const {
  int64_t changes = 0;
  {
    std::lock_guard lock(state_->mutex);
    auto it = state_->parsed.find({product, version});
    if (it != state_->parsed.end()) return it->second;
    changes = state_->changes;
  }
  std::string text;
  TRY(state_->database.Read([&](Transaction& tx) -> Status {
    auto rows =
        TRY(tx.Query("SELECT text FROM contract_version WHERE product = :1 AND version = :2",
                     {product.text(), int64_t{version}}));
    if (rows.empty()) {
      return Fail(Code::kNotFound, fmt::format("the product '{}' has no contract version {}",
                                               product.text(), version));
    }
    text = rows[0].text(0);
    return {};
  }));
  auto contract = ParseOdcs(text);
  if (!contract.ok())
    return Fail(Code::kCorrupt, contract.error().In("a stored contract").message());
  auto shared = std::make_shared<const Contract>(std::move(*contract));
  std::lock_guard lock(state_->mutex);
  if (changes == state_->changes) state_->parsed[{product, version}] = shared;
  return std::shared_ptr<const Contract>(shared);
}

Result<Contracts::Current> Contracts::FindCurrent(const ProductName& product) const {
  int64_t changes = 0;
  {
    std::lock_guard lock(state_->mutex);
    auto it = state_->current.find(product);
    if (it != state_->current.end()) return it->second;
    changes = state_->changes;
  }
  Current current;
  TRY(state_->database.Read([&](Transaction& tx) -> Status {
    auto rows = TRY(
        tx.Query("SELECT max(version) FROM contract_version WHERE product = :1", {product.text()}));
    if (rows.empty() || rows[0].null(0)) {
      return Fail(Code::kNotFound, fmt::format("the product '{}' has no contract", product.text()));
    }
    current.version = static_cast<int>(rows[0].integer(0));
    return {};
  }));
  current.contract = TRY(Find(product, current.version));
  std::lock_guard lock(state_->mutex);
  if (changes == state_->changes) state_->current[product] = current;
  return current;
}

}  // namespace weft::contract
