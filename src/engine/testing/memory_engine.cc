// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/memory_engine.h"

#include "engine/partition_rows_internal.h"
#include "iceberg/single_value.h"
#include "objects/object_store.h"

namespace weft::engine::testing {

Status MemoryEngine::Query(const QueryRequest&, RelationSource&, ResultSink&) {
  if (stopped_) return Fail(Code::kUnavailable, "the server stops");
  return Fail(Code::kNotOffered, "this engine understands no SQL");
}

Result<iceberg::DataFile> MemoryEngine::Put(const WriteRequest& request, size_t number,
                                            int64_t rows,
                                            std::vector<iceberg::SingleValue> partition) {
  auto path = iceberg::PartitionPath(request.spec, request.schema, partition);
  iceberg::DataFile file;
  file.location = fmt::format("{}{}{}/{}-{}.parquet", request.location, path.empty() ? "" : "/",
                              path, request.name, number);
  file.spec_id = request.spec.spec_id;
  file.partition = std::move(partition);
  file.record_count = rows;
  auto body = fmt::format("{} rows\n", rows);
  file.file_bytes = static_cast<int64_t>(body.size());
  auto key = TRY(objects::ParseLocation(file.location));
  TRY(store_.Put(key, body));
  return file;
}

Result<std::vector<iceberg::DataFile>> MemoryEngine::WriteParquet(const WriteRequest& request) {
  std::vector<iceberg::DataFile> files;
  if (!request.merged_files.empty()) {
    int64_t rows = 0;
    for (const auto& file : request.merged_files) {
      auto key = TRY(objects::ParseLocation(file.location));
      TRY(store_.Head(key));
      rows += file.record_count;
    }
    files.push_back(TRY(Put(request, 0, rows, request.merged_files[0].partition)));
    return files;
  }
  for (auto& part : TRY(PartRows(request))) {
    int64_t rows = 0;
    for (const auto& piece : part.pieces) rows += piece.end_row - piece.first_row;
    if (rows > 0) files.push_back(TRY(Put(request, files.size(), rows, std::move(part.partition))));
  }
  return files;
}

}  // namespace weft::engine::testing
