// SPDX-License-Identifier: Apache-2.0
// A mesh directory as plain data: mesh.yaml and the contracts and policies that it names.
// docs/mesh.md is its reference.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "contract/contract.h"
#include "ingest/intakes.h"

namespace weft::mesh {

// Path within the directory ("mesh.yaml", "policies/ingest.json") to content.
using MeshFiles = std::map<std::string, std::string>;

struct DeclaredAccount {
  std::string name;
  AccountId id;
  std::string description;
};
struct DeclaredProduct {
  ProductName name;
  std::string account, database;  // the account by its name
  contract::Contract contract;
  ingest::Mode mode = ingest::Mode::kAtomic;
  contract::UnknownFields unknown_fields = contract::UnknownFields::kRefuse;
  int64_t record_bytes_max = int64_t{1} << 20;
  int64_t bytes_per_second = 0, records_per_second = 0;  // 0: no limit
  milliseconds retention{std::chrono::hours(24 * 7)};
  int64_t retention_bytes = 0;  // 0: no bound
  int64_t buffer_bytes = int64_t{64} << 20;
  milliseconds buffer_interval{60'000};
  std::vector<std::string>
      partition_by;  // "day(ordered_at)", "country": checked against the columns
};
struct DeclaredPolicy {
  std::string path, document;
};
struct DeclaredGroup {
  std::string name, account;
  std::vector<DeclaredPolicy> policies;
};
struct DeclaredUser {
  std::string name, account;
  std::vector<std::string> groups;
  std::vector<DeclaredPolicy> policies;
};
struct DeclaredGrant {
  std::string to;     // "user/ada"
  std::string table;  // "sales.orders"
  std::vector<std::string> columns;
};

struct Declaration {
  std::string mesh;
  std::vector<DeclaredAccount> accounts;
  std::vector<DeclaredProduct> products;
  std::vector<DeclaredGroup> groups;
  std::vector<DeclaredUser> users;
  std::vector<DeclaredGrant> grants;
};

// Reads and checks the whole directory. kInvalid lists every fault found (up to 20), one a line,
// each with its file and line: unknown keys with the nearest known one, dangling references,
// doubled names, bad types, units and ranges.
Result<Declaration> ReadDeclaration(const MeshFiles& files);

// The paths that mesh.yaml names (contracts, policies), for whoever reads the directory. Only paths
// inside it: kInvalid for an absolute one or one with "..".
Result<std::vector<std::string>> NamedFiles(const std::string& mesh_yaml);

// The value of `mesh:`; kInvalid when mesh.yaml has none.
Result<std::string> MeshName(const std::string& mesh_yaml);

// The example of `weft init`: a commented mesh to start from.
const MeshFiles& StarterMesh();

}  // namespace weft::mesh
