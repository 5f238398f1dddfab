// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "engine/engine.h"
#include "objects/object_store.h"

namespace weft::engine::testing {

// Stands in for an engine where rows only have to be somewhere: WriteParquet puts an object for
// each partition, which says how many rows it stands for, and gives their counts, without
// statistics of columns. It understands no SQL: Query answers kNotOffered. Safe to call from any
// thread.
class MemoryEngine final : public Engine {
 public:
  explicit MemoryEngine(objects::ObjectStore& store) : store_(store) {}

  Status Query(const QueryRequest& request, RelationSource& relations, ResultSink& sink) override;
  Result<std::vector<iceberg::DataFile>> WriteParquet(const WriteRequest& request) override;
  void Stop() override { stopped_ = true; }

 private:
  Result<iceberg::DataFile> Put(const WriteRequest& request, size_t number, int64_t rows,
                                std::vector<iceberg::SingleValue> partition);

  objects::ObjectStore& store_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace weft::engine::testing
