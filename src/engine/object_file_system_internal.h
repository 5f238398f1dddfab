// SPDX-License-Identifier: Apache-2.0
// Objects as files of DuckDB's, under a path prefix that nobody can guess: a statement that names
// an object or a file by any name it could know reaches nothing.
#pragma once

#include <memory>
#include <string>

#include "duckdb.hpp"
#include "duckdb/common/file_system.hpp"
#include "objects/object_store.h"

namespace weft::engine {

struct ObjectPaths {
  std::string prefix;      // "weft-0123…/"; the object s3://BUCKET/KEY is PREFIX BUCKET/KEY
  std::string local_root;  // where the local store keeps plain keys; "": always ask the store

  static ObjectPaths Make(const std::string& local_root);  // a fresh prefix
  std::string Path(const std::string& location) const;     // of "s3://…"
};

std::unique_ptr<duckdb::FileSystem> MakeObjectFileSystem(objects::ObjectStore& store,
                                                         const ObjectPaths& paths);

}  // namespace weft::engine
