// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "meta/database.h"

namespace weft::meta {

// SQLite through SOCI: WAL, synchronous=FULL, foreign keys on, BEGIN IMMEDIATE for writers. "" as
// the path is a database in memory, gone with the object.
struct SqliteOptions {
  std::string path;
  int readers = 4;  // connections for Read; one more for Transact
};
Result<std::unique_ptr<Database>> OpenSqlite(const SqliteOptions& options);

}  // namespace weft::meta
