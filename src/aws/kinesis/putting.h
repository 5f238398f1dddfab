// SPDX-License-Identifier: Apache-2.0
// What PutRecord and PutRecords have in common.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "aws/kinesis/names.h"

namespace weft::aws::kinesis {

// What became of each record, in order. Its failures: the shard's throughput, or else.
struct Taken {
  StreamPtr stream;
  std::vector<Result<ingest::Placed>> placed;
};
using TakenDone = std::function<void(Outcome<Taken>)>;

// Puts records of the call's input to the call's stream; `records` point into it. Answers when they
// are durable; fails as a whole where none was stored.
void Put(const std::shared_ptr<const Call>& call, const std::vector<const nlohmann::json*>& records,
         TakenDone done);

// {"ShardId", "SequenceNumber"}.
nlohmann::json PlaceDocument(const ingest::Placed& placed);
// ProvisionedThroughputExceededException, or InternalFailure.
Fault FaultOfRecord(const Error& error);

}  // namespace weft::aws::kinesis
