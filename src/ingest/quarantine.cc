// SPDX-License-Identifier: Apache-2.0
#include "ingest/quarantine.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/logging.h"
#include "ingest/quarantine_internal.h"
#include "ingest/quarantine_record.h"

namespace weft::ingest {
namespace {

constexpr int64_t kListBytesMax = int64_t{64} << 20;

Error NoSuchRecord(const Intake& intake, const std::string& id) {
  return Error(Code::kNotFound,
               fmt::format("the quarantine of '{}' has no record '{}'", intake.product.text(), id));
}

// The offset of a RecordId of shard 0.
Result<int64_t> OffsetOf(const Intake& intake, const std::string& id) {
  int64_t offset = -1;
  constexpr std::string_view kShard = "0000-";
  if (id.size() == kShard.size() + 19 && id.starts_with(kShard)) {
    auto [end, error] = std::from_chars(id.data() + kShard.size(), id.data() + id.size(), offset);
    if (error == std::errc() && end == id.data() + id.size() && offset >= 0) return offset;
  }
  return Fail(NoSuchRecord(intake, id));
}

}  // namespace

Quarantine::Quarantine(meta::Database& database, stream::Streams& streams, Ingest& ingest)
    : state_(std::make_unique<State>(database, streams, ingest)) {}
Quarantine::~Quarantine() = default;

const std::vector<std::string>& Quarantine::Migrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE quarantine_done (product TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER "
      "NOT NULL, "
      "PRIMARY KEY (product, first))",
      "CREATE TABLE quarantine_redrives (product TEXT NOT NULL, batch_id TEXT NOT NULL, stream_end "
      "INTEGER NOT NULL, "
      "offsets TEXT NOT NULL, PRIMARY KEY (product, batch_id))",
      "CREATE TABLE quarantine_reasons (product TEXT NOT NULL, record INTEGER NOT NULL, errors "
      "TEXT NOT NULL, PRIMARY KEY (product, record))",
      "ALTER TABLE quarantine_redrives ADD COLUMN shard_ends TEXT NOT NULL DEFAULT ''",
  };
  return steps;
}

Result<QuarantinedRecord> Quarantine::State::ReadRecord(const log::StoredBatch& batch,
                                                        int64_t offset) {
  auto entry = TRY(
      DecodeQuarantineEntry(batch.records[static_cast<size_t>(offset - batch.first.value)].value));
  return QuarantinedRecord{.id = stream::RecordId(0, {offset}),
                           .arrival = batch.arrival,
                           .object = std::move(entry.object),
                           .format = entry.format,
                           .errors = std::move(entry.errors),
                           .original = std::move(entry.original),
                           .head = std::move(entry.head)};
}

// Calls `visit` for each record that is still in quarantine, from `from` on, until it answers
// false.
Status Quarantine::State::Walk(const Intake& intake, int64_t from, const Visit& visit) {
  const stream::ShardId shard{intake.quarantine, 0};
  auto ranges = TRY(done.Of(intake.product));
  auto bounds = TRY(streams.BoundsOf(shard));
  int64_t at = ranges.FirstNotIn(std::max(from, bounds.begin.value));
  while (at < bounds.end.value) {
    auto batches = streams.Read(shard, {at}, {});
    if (!batches.ok()) {
      // Trimmed meanwhile: what was there is done with.
      if (batches.error().code() != Code::kNotFound) return Fail(batches.error());
      bounds = TRY(streams.BoundsOf(shard));
      if (at >= bounds.begin.value) return Fail(batches.error());
      at = bounds.begin.value;
      continue;
    }
    if (batches->empty()) return {};
    for (const auto& batch : *batches) {
      at = std::max(at, batch.first.value);  // behind records whose loss was accepted
      while (at < batch.next().value) {
        if (!ranges.Contains(at) && !TRY(visit(at, batch))) return {};
        ++at;
      }
    }
    at = ranges.FirstNotIn(at);
  }
  return {};
}

Status Quarantine::State::MarkDone(const Intake& intake, const std::vector<int64_t>& offsets,
                                   const std::string& batch_id) {
  return database.Transact([&](meta::Transaction& tx) -> Status {
    TRY(done.Add(tx, intake.product, offsets));
    OffsetRanges left;
    for (int64_t offset : offsets) left.Add(offset, offset);
    TRY(reasons.Remove(tx, intake.product, left));
    if (batch_id.empty()) return {};
    (void)TRY(tx.Execute("DELETE FROM quarantine_redrives WHERE product = :1 AND batch_id = :2",
                         {intake.product.text(), batch_id}));
    return {};
  });
}

// Gives up the stream's records before the first that is still in quarantine.
void Quarantine::State::Trim(const Intake& intake) {
  const stream::ShardId shard{intake.quarantine, 0};
  auto ranges = done.Of(intake.product);
  auto bounds = streams.BoundsOf(shard);
  if (!ranges.ok() || !bounds.ok()) return;  // the next redrive or drop does it
  const int64_t first = std::min(ranges->FirstNotIn(bounds->begin.value), bounds->end.value);
  if (first == bounds->begin.value) return;
  if (auto trimmed = streams.Trim(shard, {first}); !trimmed.ok()) {
    Log(LogLevel::kWarning, "quarantine", "cannot free the room of records that left",
        {{"product", intake.product.text()}, {"error", trimmed.error().message()}});
  }
}

// The offsets of the ids, in order; kNotFound names one that is not in quarantine.
Result<std::vector<int64_t>> Quarantine::State::Present(const Intake& intake,
                                                        const std::vector<std::string>& ids) {
  auto ranges = TRY(done.Of(intake.product));
  auto bounds = TRY(streams.BoundsOf({intake.quarantine, 0}));
  std::set<int64_t> offsets;
  for (const auto& id : ids) {
    const int64_t offset = TRY(OffsetOf(intake, id));
    if (offset < bounds.begin.value || offset >= bounds.end.value || ranges.Contains(offset)) {
      return Fail(NoSuchRecord(intake, id));
    }
    offsets.insert(offset);
  }
  return std::vector<int64_t>(offsets.begin(), offsets.end());
}

// Gives the records, which are in order, the reasons of their last sending.
Status Quarantine::State::Overlay(const Intake& intake, std::vector<QuarantinedRecord>& records) {
  if (records.empty()) return {};
  const int64_t first = TRY(OffsetOf(intake, records.front().id));
  const int64_t last = TRY(OffsetOf(intake, records.back().id));
  auto newer = TRY(reasons.Of(intake.product, first, last));
  if (newer.empty()) return {};
  for (auto& record : records) {
    auto found = newer.find(TRY(OffsetOf(intake, record.id)));
    if (found != newer.end()) record.errors = std::move(found->second);
  }
  return {};
}

Status Quarantine::Recover(const Intakes& intakes) {
  std::lock_guard lock(state_->mutex);
  for (const auto& intake : intakes.All()) TRY(state_->Settle(intake));
  return {};
}

Result<std::vector<QuarantinedRecord>> Quarantine::List(const Intake& intake,
                                                        const std::string& after, int count_max) {
  std::vector<QuarantinedRecord> records;
  int64_t from = 0, bytes = 0;
  if (!after.empty()) from = TRY(OffsetOf(intake, after)) + 1;
  if (count_max <= 0) return records;
  TRY(state_->Walk(intake, from,
                   [&](int64_t offset, const log::StoredBatch& batch) -> Result<bool> {
                     records.push_back(TRY(State::ReadRecord(batch, offset)));
                     bytes += static_cast<int64_t>(records.back().original.size());
                     return static_cast<int>(records.size()) < count_max && bytes < kListBytesMax;
                   }));
  TRY(state_->Overlay(intake, records));
  return records;
}

Result<QuarantinedRecord> Quarantine::Find(const Intake& intake, const std::string& id) {
  auto offsets = TRY(state_->Present(intake, {id}));
  auto batches = TRY(state_->streams.Read({intake.quarantine, 0}, {offsets[0]}, {.bytes_max = 1}));
  if (batches.empty() || batches[0].first.value > offsets[0]) return Fail(NoSuchRecord(intake, id));
  std::vector<QuarantinedRecord> record = {TRY(State::ReadRecord(batches[0], offsets[0]))};
  TRY(state_->Overlay(intake, record));
  return std::move(record[0]);
}

Result<int64_t> Quarantine::Count(const Intake& intake) {
  auto ranges = TRY(state_->done.Of(intake.product));
  auto bounds = TRY(state_->streams.BoundsOf({intake.quarantine, 0}));
  return bounds.end.value - bounds.begin.value -
         ranges.CountWithin(bounds.begin.value, bounds.end.value);
}

Result<int64_t> Quarantine::Drop(const Intake& intake, const std::vector<std::string>& ids) {
  std::lock_guard lock(state_->mutex);
  TRY(state_->Settle(intake));
  auto offsets = TRY(state_->Present(intake, ids));
  if (offsets.empty()) return 0;
  TRY(state_->MarkDone(intake, offsets, ""));
  state_->Trim(intake);
  return static_cast<int64_t>(offsets.size());
}

Status Quarantine::Forget(meta::Transaction& tx, const ProductName& product) {
  TRY(state_->done.Forget(tx, product));
  TRY(state_->reasons.Forget(tx, product));
  (void)TRY(tx.Execute("DELETE FROM quarantine_redrives WHERE product = :1", {product.text()}));
  return {};
}

}  // namespace weft::ingest
