// SPDX-License-Identifier: Apache-2.0
// Works out what differs between a declaration and the server. Changes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "iceberg/table.h"
#include "mesh/mesh.h"
#include "mesh/tables.h"
#include "mesh/things.h"

namespace weft::mesh {

// What becomes of one table.
struct TablePlan {
  catalog::TableName name;
  std::string object;
  std::vector<std::string> partition_by;
  const contract::SchemaObject* declared = nullptr;
  bool create = false;
  bool revive = false;   // it is hidden and comes back
  bool evolve = false;   // its schema gets columns
  int64_t table_id = 0;  // of one that is there
};

struct Step {
  ThingId id;
  Change change;
  std::optional<StoredThing> before;  // as stored; none: new to the server
  std::optional<Thing> after;         // as declared; none: it goes
  // Of products:
  const DeclaredProduct* product = nullptr;  // unless it goes
  std::vector<TablePlan> tables;             // of a product that goes: those it has
};

struct Plan {
  std::string mesh;
  bool delete_data = false;
  std::vector<Step> steps;  // in the order in which they are told
  std::vector<Change> changes() const;
};

class Planner {
 public:
  Planner(const Meshes::Dependencies& use) : use_(use) {}
  // As Meshes::Plan. The plan points into the declaration.
  Result<Plan> PlanApply(const Declaration& declaration);
  // Everything of the mesh goes; with `delete_data` what was kept of it before, too.
  Result<Plan> PlanDestroy(const std::string& mesh, bool delete_data);

 private:
  Status Load();
  Status CheckOwner(const std::string& mesh, const ThingId& id, const Thing& thing) const;
  Status CheckProductNames(const std::string& key, const Thing& thing) const;
  Result<std::optional<Step>> Compare(const std::string& mesh, const ThingId& id,
                                      const Thing& thing);
  Result<std::optional<Step>> CompareProduct(Step step, const DeclaredProduct& product);
  Status CompareTables(Step& step, const DeclaredProduct& product, std::vector<std::string>& notes);
  Result<std::string> CompareSchema(TablePlan& table, const AccountId& account);
  Result<Step> Removal(const ThingId& id, const StoredThing& thing, bool delete_data);
  Result<catalog::Table> Hidden(const catalog::TableName& name, const AccountId& account);

  const Meshes::Dependencies& use_;
  std::map<ThingId, StoredThing> stored_;
};

}  // namespace weft::mesh
