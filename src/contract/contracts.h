// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "contract/contract.h"
#include "meta/database.h"

namespace weft::contract {

// The contracts in force, and those that were: records in the log name the version they were
// checked against.
class Contracts {
 public:
  explicit Contracts(meta::Database& database);
  ~Contracts();
  static const std::vector<std::string>& Migrations();

  // Stores the contract as the product's next version, unless the current one has the same text and
  // kind. Returns the version in force, from 1.
  Result<int> Put(meta::Transaction& tx, const ProductName& product, const Contract& contract);
  // Forgets all versions.
  Status Delete(meta::Transaction& tx, const ProductName& product);

  // Parsed once, then shared. kNotFound for no such product or version.
  Result<std::shared_ptr<const Contract>> Find(const ProductName& product, int version) const;
  struct Current {
    int version = 0;
    std::shared_ptr<const Contract> contract;
  };
  Result<Current> FindCurrent(const ProductName& product) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::contract
