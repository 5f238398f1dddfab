// SPDX-License-Identifier: Apache-2.0
// A redrive must store each record exactly once, whatever crashes when: the log takes the batch,
// meta knows who left quarantine, and no one transaction spans both. So meta first notes the
// intent: which records, under which batch id, and where the product's stream ended before. Whoever
// finds an intent later looks for that batch id in the stream from there on: found, the records are
// done; not found, they never left.
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <set>

#include "base/logging.h"
#include "ingest/quarantine_internal.h"
#include "stream/record_head.h"

namespace weft::ingest {
namespace {

constexpr int64_t kRedriveBytesMax = int64_t{16} << 20;  // of one batch
constexpr size_t kRedriveRecordsMax = 10'000;
constexpr size_t kFailuresListedMax = 100;

std::string JoinOffsets(const std::vector<int64_t>& offsets) {
  return fmt::format("{}", fmt::join(offsets, ","));
}

std::vector<int64_t> SplitOffsets(std::string_view text) {
  std::vector<int64_t> offsets;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    int64_t offset = 0;
    std::from_chars(text.data(), text.data() + end, offset);
    offsets.push_back(offset);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return offsets;
}

// "SHARD:END,…".
std::string JoinEnds(const std::map<int, int64_t>& ends) {
  std::string text;
  for (const auto& [shard, end] : ends) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", shard, end);
  }
  return text;
}

// An intent of an earlier Weft, which had one shard only, has no `text`.
std::map<int, int64_t> SplitEnds(int64_t of_first, std::string_view text) {
  if (text.empty()) return {{0, of_first}};
  std::map<int, int64_t> ends;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    const size_t colon = std::min(one.find(':'), one.size());
    int shard = 0;
    int64_t end = 0;
    std::from_chars(one.data(), one.data() + colon, shard);
    std::from_chars(one.data() + std::min(colon + 1, one.size()), one.data() + one.size(), end);
    ends[shard] = end;
    text.remove_prefix(std::min(one.size() + 1, text.size()));
  }
  return ends;
}

// The parts of a batch for the shards that its records' keys choose. `owner` has the bytes.
std::vector<stream::Streams::Part> Arrange(
    const stream::StreamName& name, const stream::Route& route, const std::string& id,
    const std::vector<Bytes>& keys, const std::vector<Bytes>& values,
    const std::vector<std::optional<stream::HashKey>>& hashes,
    const std::shared_ptr<const void>& owner) {
  std::map<int, log::Batch> batches;
  const int any = route.ShardOfBatch(id);
  for (size_t i = 0; i < keys.size(); ++i) {
    auto& batch = batches[hashes[i] ? route.ShardOf(*hashes[i]) : any];
    batch.records.push_back({keys[i], values[i]});
  }
  std::vector<stream::Streams::Part> unit;
  for (auto& [shard, batch] : batches) {
    batch.id = id;
    batch.owner = owner;
    unit.push_back({.stream = name, .route = route, .shard = shard, .batch = std::move(batch)});
  }
  return unit;
}

}  // namespace

Result<Quarantine::State::Ends> Quarantine::State::EndsOf(const Intake& intake) {
  Ends ends;
  const auto shards = TRY(streams.Shards(intake.stream));
  for (const auto& shard : shards) {
    auto bounds = streams.BoundsOf(shard);
    if (bounds.ok()) {
      ends[shard.number] = bounds->end.value;
    } else if (bounds.error().code() != Code::kNotFound) {
      return Fail(bounds.error());
    }
    // Else the shard was forgotten meanwhile: nothing can come to it.
  }
  return ends;
}

// Whether a batch of that id was appended to the product's stream since it ended at `before`. All
// of its parts became durable together, so one of them tells.
Result<bool> Quarantine::State::Stored(const Intake& intake, const std::string& batch_id,
                                       const Ends& before) {
  const auto shards = TRY(streams.Shards(intake.stream));
  for (const auto& shard : shards) {
    auto end = before.find(shard.number);
    if (TRY(StoredIn(intake, shard, batch_id, end == before.end() ? 0 : end->second))) return true;
  }
  return false;
}

Result<bool> Quarantine::State::StoredIn(const Intake& intake, const stream::ShardId& shard,
                                         const std::string& batch_id, int64_t from) {
  const auto found = streams.BoundsOf(shard);
  // Forgotten since: it held nothing any more.
  if (!found.ok() && found.error().code() == Code::kNotFound) return false;
  const log::Bounds bounds = TRY(found);
  int64_t at = std::max(from, bounds.begin.value);
  if (at > from) {
    Log(LogLevel::kWarning, "quarantine",
        "the stream was trimmed past an unfinished redrive; its records stay",
        {{"product", intake.product.text()}, {"batch", batch_id}});
  }
  while (at < bounds.end.value) {
    auto batches = TRY(streams.Read(shard, {at}, {}));
    if (batches.empty()) break;
    for (const auto& batch : batches) {
      if (batch.id == batch_id) return true;
      at = batch.next().value;
    }
  }
  return false;
}

// Finishes what earlier redrives of the product began. The caller holds the mutex.
Status Quarantine::State::Settle(const Intake& intake) {
  struct Intent {
    std::string batch_id;
    Ends before;
    std::vector<int64_t> offsets;
  };
  std::vector<Intent> intents;
  TRY(database.Read([&](meta::Transaction& tx) -> Status {
    intents.clear();
    auto rows =
        TRY(tx.Query("SELECT batch_id, stream_end, shard_ends, offsets FROM quarantine_redrives "
                     "WHERE product = :1",
                     {intake.product.text()}));
    for (const auto& row : rows) {
      intents.push_back(
          {row.text(0), SplitEnds(row.integer(1), row.text(2)), SplitOffsets(row.text(3))});
    }
    return {};
  }));
  for (const auto& intent : intents) {
    const bool stored = TRY(Stored(intake, intent.batch_id, intent.before));
    TRY(MarkDone(intake, stored ? intent.offsets : std::vector<int64_t>(), intent.batch_id));
  }
  return {};
}

// Judges the record, or what is sent in its place, by the contract now in force.
Result<Ingest::Judged> Quarantine::State::Judge(const Intake& intake,
                                                const QuarantinedRecord& record,
                                                const Bytes* replacement) {
  auto judged =
      replacement != nullptr
          ? ingest.Judge(intake, record.object, codec::RecordFormat::kJson, {}, *replacement)
          : ingest.Judge(intake, record.object, record.format, record.head, record.original);
  if (judged.ok() || judged.error().code() != Code::kInvalid) return judged;
  // The contract may have lost the object, or the row its header: that concerns this record, not
  // the others.
  Ingest::Judged refused;
  refused.errors.push_back({0, "", judged.error().message()});
  return refused;
}

// Notes what is wrong with a record that stays, unless that is known: from its entry (`before`) or
// from an earlier sending.
Status Quarantine::State::Stay(const Intake& intake, int64_t offset,
                               const std::vector<RecordError>& before,
                               const std::vector<RecordError>& after, Chunk& chunk) {
  auto newer = TRY(reasons.Of(intake.product, offset, offset));
  if ((newer.empty() ? before : newer.begin()->second) == after) return {};
  for (const auto& error : after)
    chunk.bytes += static_cast<int64_t>(error.field.size() + error.reason.size());
  chunk.reasons[offset] = after;
  return {};
}

// Stores the chunk's records in the product's stream; afterwards they have left quarantine. The
// chunk is empty then.
// A record that came with a key goes where the key says, and keeps it.
void Quarantine::State::Add(BytesView key, Ingest::Judged verdict, int64_t offset, Chunk& chunk) {
  chunk.bytes += static_cast<int64_t>(verdict.value.size());
  chunk.offsets.push_back(offset);
  chunk.values.push_back(std::move(verdict.value));
  auto head = stream::DecodeRecordHead(key);
  if (!head.ok() || key.empty()) {
    chunk.hashes.push_back(std::nullopt);
    chunk.keys.push_back(std::move(verdict.key));
    return;
  }
  chunk.hashes.push_back(head->explicit_hash ? *head->explicit_hash
                                             : stream::HashOf(head->partition_key));
  head->rest = verdict.key;
  chunk.keys.push_back(stream::EncodeRecordHead(*head));
}

Status Quarantine::State::Send(const Intake& intake, Chunk& chunk, Redriven& redriven) {
  if (!chunk.reasons.empty()) {
    TRY(database.Transact(
        [&](meta::Transaction& tx) { return reasons.Put(tx, intake.product, chunk.reasons); }));
    chunk.reasons.clear();
  }
  if (chunk.offsets.empty()) {
    chunk = {};
    return {};
  }
  struct Kept {
    std::vector<Bytes> keys, values;
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Status> answer;
  };
  auto kept = std::make_shared<Kept>();
  kept->keys = std::move(chunk.keys);
  kept->values = std::move(chunk.values);
  const auto offsets = std::move(chunk.offsets);
  const auto hashes = std::move(chunk.hashes);
  chunk = {};
  const std::string id = ingest.NewBatchId();
  // Before the ends: so each shard that the batch may go to is among them.
  const auto route = TRY(streams.RouteOf(intake.stream));
  const Ends ends = TRY(EndsOf(intake));
  TRY(database.Transact([&](meta::Transaction& tx) -> Status {
    (void)TRY(tx.Execute(
        "INSERT INTO quarantine_redrives (product, batch_id, stream_end, shard_ends, offsets) "
        "VALUES (:1, :2, 0, :3, :4)",
        {intake.product.text(), id, JoinEnds(ends), JoinOffsets(offsets)}));
    return {};
  }));
  streams.Append(Arrange(intake.stream, route, id, kept->keys, kept->values, hashes, kept),
                 [kept](Result<std::vector<log::Appended>> appended) {
                   std::lock_guard lock(kept->mutex);
                   kept->answer = appended.ok() ? Status() : Fail(appended.error());
                   kept->changed.notify_all();
                 });
  std::unique_lock lock(kept->mutex);
  kept->changed.wait(lock, [&] { return kept->answer.has_value(); });
  if (!kept->answer->ok()) {
    const Error failure = kept->answer->error();
    // kInternal leaves open whether the batch is in the log: the intent stays until that can be
    // read.
    if (failure.code() != Code::kInternal) TRY(MarkDone(intake, {}, id));
    return Fail(failure);
  }
  TRY(MarkDone(intake, offsets, id));
  redriven.accepted += static_cast<int64_t>(offsets.size());
  return {};
}

Result<Quarantine::Redriven> Quarantine::Redrive(const Intake& intake,
                                                 const std::vector<std::string>& ids,
                                                 const Bytes* replacement) {
  if (replacement != nullptr && ids.size() != 1) {
    return Fail(Code::kInvalid, "a replacement is for exactly one record: name its id");
  }
  std::lock_guard lock(state_->mutex);
  TRY(state_->Settle(intake));
  auto offsets = TRY(state_->Present(intake, ids));
  const std::set<int64_t> wanted(offsets.begin(), offsets.end());
  // What is refused while this runs goes behind; sending it again here might never end.
  const int64_t end = TRY(state_->streams.BoundsOf({intake.quarantine, 0})).end.value;
  Redriven redriven;
  State::Chunk chunk;
  auto visit = [&](int64_t offset, const log::StoredBatch& batch) -> Result<bool> {
    if (offset >= end || (!wanted.empty() && offset > *wanted.rbegin())) return false;
    if (!wanted.empty() && !wanted.contains(offset)) return true;
    auto record = TRY(State::ReadRecord(batch, offset));
    auto verdict = TRY(state_->Judge(intake, record, replacement));
    if (verdict.good) {
      const auto index = static_cast<size_t>(offset - batch.first.value);
      State::Add(batch.records[index].key, std::move(verdict), offset, chunk);
    } else {
      ++redriven.still_bad;
      const int64_t index = record.errors.empty() ? 0 : record.errors.front().index;
      for (auto& error : verdict.errors) error.index = index;
      // A replacement's faults are not those of what is kept.
      if (replacement == nullptr) {
        TRY(state_->Stay(intake, offset, record.errors, verdict.errors, chunk));
      }
      record.errors = std::move(verdict.errors);
      if (redriven.failures.size() < kFailuresListedMax)
        redriven.failures.push_back(std::move(record));
    }
    if (chunk.bytes >= kRedriveBytesMax ||
        chunk.offsets.size() + chunk.reasons.size() >= kRedriveRecordsMax) {
      TRY(state_->Send(intake, chunk, redriven));
    }
    return true;
  };
  TRY(state_->Walk(intake, wanted.empty() ? 0 : *wanted.begin(), visit));
  TRY(state_->Send(intake, chunk, redriven));
  state_->Trim(intake);
  return redriven;
}

}  // namespace weft::ingest
