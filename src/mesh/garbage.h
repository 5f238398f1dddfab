// SPDX-License-Identifier: Apache-2.0
// Objects of tables that are not in the catalog: of one that is about to be made, until it is, and
// of one that was deleted, until they are gone. Meta remembers their locations, so that no crash
// leaves objects behind for good.
#pragma once

#include <string>

#include "base/result.h"
#include "meta/database.h"
#include "objects/object_store.h"

namespace weft::mesh {

class Garbage {
 public:
  Garbage(meta::Database& database, objects::ObjectStore& store)
      : database_(database), store_(store) {}

  // A location that nothing else has had or will have, on the list until the transaction that makes
  // the table takes it off: "s3://BUCKET/DATABASE/TABLE-17".
  Result<std::string> NewLocation(const std::string& bucket, const std::string& database,
                                  const std::string& table);
  static Status Add(meta::Transaction& tx, const std::string& location);
  static Status Remove(meta::Transaction& tx, const std::string& location);
  // Deletes the objects of all listed locations. Not while a table is being made.
  Status Collect();

 private:
  meta::Database& database_;
  objects::ObjectStore& store_;
};

}  // namespace weft::mesh
