// SPDX-License-Identifier: Apache-2.0
// Carries a plan out. Objects come first: those of tables that then are not made are garbage, and
// known as such. Then one transaction moves everything, through the modules that own each thing.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "mesh/garbage.h"
#include "mesh/planner.h"

namespace weft::mesh {

class Applier {
 public:
  Applier(const Meshes::Options& options, const Meshes::Dependencies& use, Garbage& garbage)
      : options_(options), use_(use), garbage_(garbage) {}
  // `also` is called within the transaction.
  Status Apply(const Plan& plan, const std::function<void(meta::Transaction&)>& also);

 private:
  // What was written for a table before the transaction.
  struct Prepared {
    std::string location;  // of a new table
    std::string expected;  // where the pointer of an evolving table must be
    std::string metadata_location;
    catalog::Positions positions;  // of a new table
  };
  Status DeliverFirst(const Plan& plan);
  Status Exclusively(const std::vector<int64_t>& table_ids, size_t from,
                     const std::function<Status()>& work);
  Status Prepare(const Plan& plan);
  Result<Prepared> PrepareNew(const Step& step, const TablePlan& table);
  Result<Prepared> PrepareEvolved(const Step& step, const TablePlan& table);
  Status Commit(meta::Transaction& tx, const Plan& plan);
  Status Remove(meta::Transaction& tx, const Plan& plan, const Step& step);
  Status RemoveProduct(meta::Transaction& tx, const Plan& plan, const Step& step);
  Status PurgeTable(meta::Transaction& tx, const TablePlan& table, const AccountId& account);
  Status Put(meta::Transaction& tx, const Plan& plan, const Step& step);
  Status PutProduct(meta::Transaction& tx, const Step& step);
  Status PutStreams(meta::Transaction& tx, const DeclaredProduct& product,
                    const AccountId& account);
  Status PutTable(meta::Transaction& tx, const Step& step, const TablePlan& table,
                  const AccountId& account);
  void TakeBack();

  const Meshes::Options& options_;
  const Meshes::Dependencies& use_;
  Garbage& garbage_;
  std::map<catalog::TableName, Prepared> prepared_;
};

// The streams of a product: its own, and that of its quarantine.
stream::StreamName StreamOf(const AccountId& account, const ProductName& product);
stream::StreamName QuarantineOf(const AccountId& account, const ProductName& product);

}  // namespace weft::mesh
