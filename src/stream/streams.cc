// SPDX-License-Identifier: Apache-2.0
#include "stream/streams.h"

#include <fmt/compile.h>

#include <algorithm>
#include <set>

#include "base/logging.h"

namespace weft::stream {
namespace {

constexpr size_t kNameBytesMax = 128;
constexpr std::string_view kPrefix = "streams/";

Status CheckName(const StreamName& name) {
  const std::string& text = name.text();
  auto good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (text.empty() || text.size() > kNameBytesMax || !std::all_of(text.begin(), text.end(), good)) {
    return Fail(Code::kInvalid,
                fmt::format("a stream's name has 1 to {} letters, digits, '-', '_' and '.'",
                            kNameBytesMax));
  }
  return {};
}

Error NoSuchStream(const StreamName& name) {
  return Error(Code::kNotFound, fmt::format("no such stream: {}", name.text()));
}

}  // namespace

std::string RecordId(int shard, Offset offset) {
  // Once for each record that becomes a row.
  return fmt::format(FMT_COMPILE("{:04}-{:019}"), shard, offset.value);
}

Streams::Streams(meta::Database& database, log::RecordLog& log) : database_(database), log_(log) {}

const std::vector<std::string>& Streams::Migrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE stream_streams (name TEXT PRIMARY KEY, number INTEGER NOT NULL, shards INTEGER "
      "NOT NULL)",
      "CREATE TABLE stream_numbers (only INTEGER PRIMARY KEY, last INTEGER NOT NULL)",
      "INSERT INTO stream_numbers (only, last) VALUES (1, 0)",
  };
  return steps;
}

log::PartitionName Streams::PartitionOf(const StreamName& name, int64_t number, int shard) {
  return log::PartitionName(fmt::format("{}{}/{}/{}", kPrefix, name.text(), number, shard));
}

Result<Streams::Known> Streams::Find(meta::Transaction& tx, const StreamName& name) {
  auto rows =
      TRY(tx.Query("SELECT number, shards FROM stream_streams WHERE name = :1", {name.text()}));
  if (rows.empty()) return Fail(NoSuchStream(name));
  return Known{.number = rows[0].integer(0), .shards = static_cast<int>(rows[0].integer(1))};
}

Status Streams::Create(meta::Transaction& tx, const StreamName& name) {
  TRY(CheckName(name));
  auto there = Find(tx, name);
  if (there.ok()) return {};
  if (there.error().code() != Code::kNotFound) return Fail(there.error());
  TRY(tx.Execute("UPDATE stream_numbers SET last = last + 1 WHERE only = 1"));
  auto rows = TRY(tx.Query("SELECT last FROM stream_numbers WHERE only = 1"));
  if (rows.empty()) return Fail(Code::kCorrupt, "the table stream_numbers is empty");
  Known known{.number = rows[0].integer(0), .shards = 1};
  TRY(tx.Execute("INSERT INTO stream_streams (name, number, shards) VALUES (:1, :2, :3)",
                 {name.text(), known.number, int64_t{known.shards}}));
  // After a rollback they stay as orphans, empty; taking them back here could meet the next
  // attempt, which gets the same number.
  for (int shard = 0; shard < known.shards; ++shard) {
    TRY(log_.CreatePartition(PartitionOf(name, known.number, shard)));
  }
  tx.AfterCommit([this, name, known] { Remember(name, known); });
  return {};
}

Status Streams::Delete(meta::Transaction& tx, const StreamName& name) {
  Known known = TRY(Find(tx, name));
  TRY(tx.Execute("DELETE FROM stream_streams WHERE name = :1", {name.text()}));
  tx.AfterCommit([this, name, known] {
    Forget(name);
    for (int shard = 0; shard < known.shards; ++shard) {
      Status deleted = log_.DeletePartition(PartitionOf(name, known.number, shard));
      if (deleted.ok() || deleted.error().code() == Code::kNotFound) continue;
      Log(LogLevel::kWarning, "stream", "a deleted stream's records are removed at the next start",
          {{"stream", name.text()}, {"error", deleted.error().message()}});
    }
  });
  return {};
}

Status Streams::RemoveOrphans() {
  std::map<StreamName, Known> all;
  TRY(database_.Read([&](meta::Transaction& tx) -> Status {
    all.clear();
    auto rows = TRY(tx.Query("SELECT name, number, shards FROM stream_streams"));
    for (const meta::Row& row : rows) {
      all[StreamName(row.text(0))] = {.number = row.integer(1),
                                      .shards = static_cast<int>(row.integer(2))};
    }
    return {};
  }));
  std::set<log::PartitionName> owned;
  for (const auto& [name, known] : all) {
    for (int shard = 0; shard < known.shards; ++shard)
      owned.insert(PartitionOf(name, known.number, shard));
  }
  auto partitions = TRY(log_.Partitions());
  for (const auto& partition : partitions) {
    if (!partition.text().starts_with(kPrefix) || owned.contains(partition)) continue;
    TRY(log_.DeletePartition(partition));
  }
  std::lock_guard lock(mutex_);
  known_ = std::move(all);
  ++changes_;
  return {};
}

Result<Streams::Known> Streams::Lookup(const StreamName& name) {
  int64_t changes = 0;
  {
    std::lock_guard lock(mutex_);
    auto known = known_.find(name);
    if (known != known_.end()) return known->second;
    changes = changes_;
  }
  Known known;
  TRY(database_.Read([&](meta::Transaction& tx) -> Status {
    known = TRY(Find(tx, name));
    return {};
  }));
  std::lock_guard lock(mutex_);
  if (changes == changes_) known_[name] = known;
  return known;
}

void Streams::Remember(const StreamName& name, Known known) {
  std::lock_guard lock(mutex_);
  known_[name] = known;
  ++changes_;
}

void Streams::Forget(const StreamName& name) {
  std::lock_guard lock(mutex_);
  known_.erase(name);
  ++changes_;
}

Result<std::vector<ShardId>> Streams::Shards(const StreamName& name) {
  Known known = TRY(Lookup(name));
  std::vector<ShardId> shards;
  for (int shard = 0; shard < known.shards; ++shard)
    shards.push_back({.stream = name, .number = shard});
  return shards;
}

Result<log::PartitionName> Streams::PartitionOf(const ShardId& shard) {
  Known known = TRY(Lookup(shard.stream));
  if (shard.number < 0 || shard.number >= known.shards) {
    return Fail(Code::kNotFound,
                fmt::format("the stream {} has no shard {}", shard.stream.text(), shard.number));
  }
  return PartitionOf(shard.stream, known.number, shard.number);
}

void Streams::Append(const StreamName& name, log::Batch batch, log::RecordLog::OnDurable done) {
  auto partition = PartitionOf({.stream = name, .number = 0});
  if (!partition.ok()) return done(Fail(partition.error()));
  log_.Append(*partition, std::move(batch), std::move(done));
}

Result<std::vector<log::StoredBatch>> Streams::Read(const ShardId& shard, Offset from,
                                                    log::ReadLimits limits) {
  auto partition = TRY(PartitionOf(shard));
  return log_.Read(partition, from, limits);
}

Result<log::Bounds> Streams::BoundsOf(const ShardId& shard) {
  auto partition = TRY(PartitionOf(shard));
  return log_.BoundsOf(partition);
}

Result<log::Bounds> Streams::WaitPast(const ShardId& shard, Offset from, milliseconds wait_max) {
  auto partition = TRY(PartitionOf(shard));
  return log_.WaitPast(partition, from, wait_max);
}

Status Streams::Trim(const ShardId& shard, Offset before) {
  auto partition = TRY(PartitionOf(shard));
  return log_.Trim(partition, before);
}

Result<Offset> Streams::OffsetAt(const ShardId& shard, Timestamp time) {
  auto partition = TRY(PartitionOf(shard));
  log::Bounds bounds = TRY(log_.BoundsOf(partition));
  // Arrival times never fall, so the batches before `low` arrived earlier and those from `high` on
  // did not.
  int64_t low = bounds.begin.value;
  int64_t high = bounds.end.value;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    auto batches = log_.Read(partition, {middle}, {.bytes_max = 1});
    if (!batches.ok() && batches.error().code() == Code::kNotFound) {
      // Trimmed meanwhile.
      bounds = TRY(log_.BoundsOf(partition));
      low = std::max(low, bounds.begin.value);
      high = std::max(low, high);
      continue;
    }
    if (!batches.ok()) return Fail(batches.error());
    if (batches->empty()) break;
    const log::StoredBatch& batch = batches->front();
    if (batch.arrival < time) {
      low = batch.next().value;
    } else {
      high = std::max(low, batch.first.value);
    }
  }
  return Offset{low};
}

}  // namespace weft::stream
