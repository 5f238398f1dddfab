// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "meta/database.h"

namespace weft::meta {

Status Migrate(Database& database, const std::string& module,
               const std::vector<std::string>& steps) {
  return database.Transact([&](Transaction& tx) -> Status {
    (void)TRY(
        tx.Execute("CREATE TABLE IF NOT EXISTS meta_migrations (module TEXT NOT NULL PRIMARY KEY, "
                   "steps INTEGER NOT NULL)"));
    auto rows = TRY(tx.Query("SELECT steps FROM meta_migrations WHERE module = :1", {module}));
    const size_t done = rows.empty() ? 0 : static_cast<size_t>(rows.front().integer(0));
    if (done > steps.size()) {
      return Fail(
          Code::kNotOffered,
          fmt::format(
              "the database was written by a newer Weft: {} is at step {}, this one knows {}",
              module, done, steps.size()));
    }
    for (size_t i = done; i < steps.size(); ++i) {
      auto ran = tx.Execute(steps[i]);
      if (!ran.ok()) return Fail(ran.error().In(fmt::format("{} step {}", module, i + 1)));
    }
    if (done == steps.size()) return {};
    (void)TRY(
        tx.Execute("INSERT INTO meta_migrations (module, steps) VALUES (:1, :2) "
                   "ON CONFLICT (module) DO UPDATE SET steps = excluded.steps",
                   {module, static_cast<int64_t>(steps.size())}));
    return {};
  });
}

}  // namespace weft::meta
