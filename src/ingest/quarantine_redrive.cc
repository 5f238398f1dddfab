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

}  // namespace

// Whether a batch of that id lies in the product's stream at `from` or later.
Result<bool> Quarantine::State::Stored(const Intake& intake, const std::string& batch_id,
                                       int64_t from) {
  const stream::ShardId shard{intake.stream, 0};
  auto bounds = TRY(streams.BoundsOf(shard));
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
    int64_t stream_end = 0;
    std::vector<int64_t> offsets;
  };
  std::vector<Intent> intents;
  TRY(database.Read([&](meta::Transaction& tx) -> Status {
    intents.clear();
    auto rows = TRY(
        tx.Query("SELECT batch_id, stream_end, offsets FROM quarantine_redrives WHERE product = :1",
                 {intake.product.text()}));
    for (const auto& row : rows)
      intents.push_back({row.text(0), row.integer(1), SplitOffsets(row.text(2))});
    return {};
  }));
  for (const auto& intent : intents) {
    const bool stored = TRY(Stored(intake, intent.batch_id, intent.stream_end));
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
    std::optional<Result<log::Appended>> answer;
  };
  auto kept = std::make_shared<Kept>();
  kept->keys = std::move(chunk.keys);
  kept->values = std::move(chunk.values);
  const auto offsets = std::move(chunk.offsets);
  chunk = {};
  log::Batch batch{ingest.NewBatchId(), {}, kept};
  for (size_t i = 0; i < offsets.size(); ++i)
    batch.records.push_back({kept->keys[i], kept->values[i]});
  const std::string id = batch.id;
  auto bounds = TRY(streams.BoundsOf({intake.stream, 0}));
  TRY(database.Transact([&](meta::Transaction& tx) -> Status {
    (void)TRY(
        tx.Execute("INSERT INTO quarantine_redrives (product, batch_id, stream_end, offsets) "
                   "VALUES (:1, :2, :3, :4)",
                   {intake.product.text(), id, bounds.end.value, JoinOffsets(offsets)}));
    return {};
  }));
  streams.Append(intake.stream, std::move(batch), [kept](Result<log::Appended> appended) {
    std::lock_guard lock(kept->mutex);
    kept->answer = std::move(appended);
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
      chunk.bytes += static_cast<int64_t>(verdict.value.size());
      chunk.offsets.push_back(offset);
      chunk.keys.push_back(std::move(verdict.key));
      chunk.values.push_back(std::move(verdict.value));
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
