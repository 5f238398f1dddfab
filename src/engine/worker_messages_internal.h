// SPDX-License-Identifier: Apache-2.0
// What the messages carry, as bytes and back.
#pragma once

#include <functional>

#include "engine/engine.h"
#include "engine/worker_socket_internal.h"

namespace weft::engine {

struct WorkerSetup {
  int threads = 1;
  std::string temporary_folder;
  std::string objects_root;
};
Bytes PackSetup(const WorkerSetup& setup);
Result<WorkerSetup> UnpackSetup(BytesView bytes);

Bytes PackStatement(const QueryRequest& request);
Result<QueryRequest> UnpackStatement(BytesView bytes);

Bytes PackFiles(const std::vector<iceberg::DataFile>& files);
Result<std::vector<iceberg::DataFile>> UnpackFiles(BytesView bytes);

// Chunks and lists of files are named by numbers; 0 is none.
struct RelationIds {
  int64_t files = 0;
  std::vector<int64_t> chunks;  // one for each slice
};
Bytes PackRelation(const Relation& relation, const RelationIds& ids);
// Without the files and the chunks, which the receiver puts in by their numbers.
Result<Relation> UnpackRelation(BytesView bytes, RelationIds& ids);

Bytes PackNames(const std::vector<RelationSource::Name>& names);
Result<std::vector<RelationSource::Name>> UnpackNames(BytesView bytes);

Bytes PackColumns(const std::vector<ResultColumn>& columns);
Result<std::vector<ResultColumn>> UnpackColumns(BytesView bytes);

Bytes PackStatus(const Status& status);
Status UnpackStatus(BytesView bytes);  // kInternal when it cannot be read

}  // namespace weft::engine
