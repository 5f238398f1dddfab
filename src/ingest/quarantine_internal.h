// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "ingest/done_ranges.h"
#include "ingest/new_reasons.h"
#include "ingest/quarantine.h"

namespace weft::ingest {

struct Quarantine::State {
  State(meta::Database& d, stream::Streams& s, Ingest& i)
      : database(d), streams(s), ingest(i), done(d), reasons(d) {}

  static Result<QuarantinedRecord> ReadRecord(const log::StoredBatch& batch, int64_t offset);
  using Visit = std::function<Result<bool>(int64_t offset, const log::StoredBatch& batch)>;
  Status Walk(const Intake& intake, int64_t from, const Visit& visit);
  Status Settle(const Intake& intake);
  // Where a product's stream ended, by shard.
  using Ends = std::map<int, int64_t>;
  Result<Ends> EndsOf(const Intake& intake);
  Result<bool> Stored(const Intake& intake, const std::string& batch_id, const Ends& before);
  Result<bool> StoredIn(const Intake& intake, const stream::ShardId& shard,
                        const std::string& batch_id, int64_t from);
  Result<std::vector<int64_t>> Present(const Intake& intake, const std::vector<std::string>& ids);
  struct Chunk {
    std::vector<int64_t> offsets;
    std::vector<Bytes> keys, values;
    // What chooses the shard, for records that came with a key.
    std::vector<std::optional<stream::HashKey>> hashes;
    NewReasons::ByOffset reasons;  // of records that stay
    int64_t bytes = 0;
  };
  Status Overlay(const Intake& intake, std::vector<QuarantinedRecord>& records);
  Result<Ingest::Judged> Judge(const Intake& intake, const QuarantinedRecord& record,
                               const Bytes* replacement);
  Status Stay(const Intake& intake, int64_t offset, const std::vector<RecordError>& before,
              const std::vector<RecordError>& after, Chunk& chunk);
  static void Add(BytesView key, Ingest::Judged verdict, int64_t offset, Chunk& chunk);
  Status Send(const Intake& intake, Chunk& chunk, Redriven& redriven);
  Status MarkDone(const Intake& intake, const std::vector<int64_t>& offsets,
                  const std::string& batch_id);
  void Trim(const Intake& intake);

  meta::Database& database;
  stream::Streams& streams;
  Ingest& ingest;
  DoneRanges done;
  NewReasons reasons;
  std::mutex mutex;  // held by whoever takes records out of quarantine
};

}  // namespace weft::ingest
