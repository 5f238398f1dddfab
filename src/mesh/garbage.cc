// SPDX-License-Identifier: Apache-2.0
#include "mesh/garbage.h"

#include <fmt/format.h>

#include <vector>

namespace weft::mesh {
namespace {
constexpr int kPage = 1'000;
}  // namespace

Result<std::string> Garbage::NewLocation(const std::string& bucket, const std::string& database,
                                         const std::string& table) {
  std::string location;
  TRY(database_.Transact([&](meta::Transaction& tx) -> Status {
    (void)TRY(tx.Execute("UPDATE mesh_numbers SET last = last + 1"));
    auto rows = TRY(tx.Query("SELECT last FROM mesh_numbers"));
    if (rows.empty()) return Fail(Code::kCorrupt, "the table mesh_numbers is empty");
    location =
        objects::Location({bucket, fmt::format("{}/{}-{}", database, table, rows[0].integer(0))});
    return Add(tx, location);
  }));
  return location;
}

Status Garbage::Add(meta::Transaction& tx, const std::string& location) {
  (void)TRY(tx.Execute(
      "INSERT INTO mesh_garbage (location) VALUES (:1) ON CONFLICT (location) DO NOTHING",
      {location}));
  return {};
}

Status Garbage::Remove(meta::Transaction& tx, const std::string& location) {
  (void)TRY(tx.Execute("DELETE FROM mesh_garbage WHERE location = :1", {location}));
  return {};
}

Status Garbage::Collect() {
  std::vector<std::string> locations;
  TRY(database_.Read([&](meta::Transaction& tx) -> Status {
    locations.clear();
    auto rows = TRY(tx.Query("SELECT location FROM mesh_garbage"));
    for (const auto& row : rows) locations.push_back(row.text(0));
    return {};
  }));
  for (const auto& location : locations) {
    auto key = TRY(objects::ParseLocation(location));
    const std::string prefix = key.key + "/";
    while (true) {
      auto listed = TRY(store_.List(key.bucket, prefix, "", kPage));
      if (listed.empty()) break;
      for (const auto& object : listed) TRY(store_.Delete(object.key));
    }
    TRY(database_.Transact([&](meta::Transaction& tx) { return Remove(tx, location); }));
  }
  return {};
}

}  // namespace weft::mesh
