// SPDX-License-Identifier: Apache-2.0
#include "ingest/answers.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"

namespace weft::ingest {
namespace {

constexpr std::chrono::hours kAgeMax{24};
constexpr std::chrono::minutes kBetweenMarks{1};

const stream::StreamName& StreamOfAnswers() {
  static const stream::StreamName name("weft.answers");
  return name;
}

stream::ShardId ShardOfAnswers() { return {StreamOfAnswers(), 0}; }

// The first offset behind damage at `at` from which on the log can be read.
Result<int64_t> BehindDamage(stream::Streams& streams, int64_t at, int64_t end) {
  int64_t bad = at;
  while (end - bad > 1) {
    const int64_t middle = bad + (end - bad) / 2;
    auto read = streams.Read(ShardOfAnswers(), {middle}, {.bytes_max = 1});
    if (!read.ok() && read.error().code() != Code::kCorrupt) return Fail(read.error());
    (read.ok() ? end : bad) = middle;
  }
  return end;
}

}  // namespace

Status Answers::Recover(meta::Database& database, int64_t keys_max) {
  TRY(database.Transact([&](meta::Transaction& tx) {
    return streams_.Create(tx, {.name = StreamOfAnswers(),
                                .account = AccountId("000000000000"),
                                .use = stream::Use::kInternal});
  }));
  TRY(Load(clock_.Now() - kAgeMax));
  keys_max_ = keys_max;
  recovered_ = true;
  return {};
}

Status Answers::Load(Timestamp since) {
  const log::Bounds bounds = TRY(streams_.BoundsOf(ShardOfAnswers()));
  int64_t at = TRY(streams_.OffsetAt(ShardOfAnswers(), since)).value;
  floor_ = at;
  end_ = bounds.end.value;
  while (at < bounds.end.value) {
    auto batches = streams_.Read(ShardOfAnswers(), {at}, {});
    if (!batches.ok() && batches.error().code() == Code::kCorrupt) {
      const int64_t behind = TRY(BehindDamage(streams_, at, bounds.end.value));
      Log(LogLevel::kError, "ingest", "answers to idempotency keys are lost",
          {{"count", std::to_string(behind - at)}, {"error", batches.error().message()}});
      at = behind;
      continue;
    }
    if (!batches.ok()) return Fail(batches.error());
    if (batches->empty()) break;
    for (const log::StoredBatch& batch : *batches) {
      at = batch.next().value;
      const KeyHash key = TRY(DecodeAnswerKey(batch.records.front().value));
      Note(key, {.first = batch.first, .arrival = batch.arrival});
    }
  }
  return {};
}

std::shared_ptr<Answers::Claim> Answers::Take(const Submission& submission, Done done) {
  auto taken = TryTake(submission, done);
  if (taken.ok()) return *std::move(taken);
  done(Fail(taken.error()));
  return nullptr;
}

// nullptr: `done` is taken care of.
Result<std::shared_ptr<Answers::Claim>> Answers::TryTake(const Submission& submission, Done& done) {
  if (!recovered_) return Fail(Code::kUnavailable, "Idempotency-Keys cannot be looked up yet");
  TrimWhenDue();
  const auto stream = TRY(streams_.Find(submission.intake->stream));
  const KeyHash key = KeyHashOf(submission, stream->number);
  const BodyHash body = BodyHashOf(submission);
  const auto other = [] {
    return Fail(Code::kConflict,
                "the Idempotency-Key was used for another request within 24 hours: other records, "
                "another schema or format");
  };
  Stripe& stripe = StripeOf(key);
  for (int64_t outdated = KeyTable::kNone;;) {
    int64_t offset = KeyTable::kNone;
    {
      std::lock_guard lock(stripe.mutex);
      auto first = stripe.under_way.find(key);
      if (first != stripe.under_way.end()) {
        if (first->second.body != body) return other();
        if (first->second.open) {
          return Fail(Code::kUnavailable,
                      "whether the first request with this Idempotency-Key was stored is not known "
                      "before the server starts again");
        }
        first->second.waiting.push_back(std::move(done));
        return nullptr;
      }
      offset = stripe.answered.Find(key);
      if (offset < floor_ || offset == outdated) {
        if (end_ - floor_ + under_way_ >= keys_max_) {
          return Fail(
              Code::kThrottled,
              fmt::format("too many Idempotency-Keys were used within 24 hours: {} are kept",
                          keys_max_));
        }
        stripe.under_way[key].body = body;
        ++under_way_;
        return std::shared_ptr<Claim>(new Claim(*this, key, body));
      }
    }
    auto kept = TRY(ReadBack(key, offset));
    if (!kept) {
      outdated = offset;
      continue;
    }
    if (kept->body != body) return other();
    done(std::move(kept->outcome));
    return nullptr;
  }
}

// Nothing when the answer is too old.
Result<std::optional<Answers::Kept>> Answers::ReadBack(const KeyHash& key, int64_t offset) {
  auto batches = streams_.Read(ShardOfAnswers(), {offset}, {.bytes_max = 1});
  if (!batches.ok() && batches.error().code() == Code::kNotFound) return std::nullopt;
  if (!batches.ok()) return Fail(batches.error());
  if (batches->empty()) return Fail(Code::kCorrupt, "the answer to an idempotency key is gone");
  const log::StoredBatch& batch = batches->front();
  if (batch.arrival + kAgeMax <= clock_.Now()) return std::nullopt;
  auto answer = TRY(DecodeAnswer(batch.records.front().value));
  if (answer.key != key || batch.first.value != offset) {
    return Fail(Code::kCorrupt, "the answer to an idempotency key is another's");
  }
  answer.outcome.id = batch.id;
  return Kept{answer.body, std::move(answer.outcome)};
}

void Answers::Note(const KeyHash& key, const log::Appended& appended) {
  const int64_t offset = appended.first.value;
  StripeOf(key).answered.Put(key, offset, floor_);
  int64_t end = end_;
  while (end <= offset && !end_.compare_exchange_weak(end, offset + 1)) {
  }
  std::lock_guard lock(marks_mutex_);
  if (marks_.empty() || (offset > marks_.back().offset &&
                         appended.arrival >= marks_.back().arrival + kBetweenMarks)) {
    marks_.push_back({offset, appended.arrival});
  }
}

// Everything before a mark arrived no later than what is there.
void Answers::TrimWhenDue() {
  int64_t floor = 0;
  {
    std::lock_guard lock(marks_mutex_);
    floor = floor_;
    const Timestamp since = clock_.Now() - kAgeMax;
    while (!marks_.empty() && marks_.front().arrival <= since) {
      floor = marks_.front().offset + 1;
      marks_.pop_front();
    }
    if (floor == floor_) return;
    floor_ = floor;
  }
  if (auto trimmed = streams_.Trim(ShardOfAnswers(), {floor}); !trimmed.ok()) {
    Log(LogLevel::kWarning, "ingest", "cannot free the room of old answers",
        {{"error", trimmed.error().message()}});
  }
}

Result<stream::Streams::Part> Answers::Claim::PartOf(Outcome& outcome, bool seal) {
  // The record points into what it owns.
  auto value = std::make_shared<const Bytes>(EncodeAnswer(key_, body_, outcome));
  auto route = TRY(answers_.streams_.RouteOf(StreamOfAnswers()));
  stream::Streams::Part part{.stream = StreamOfAnswers(),
                             .route = std::move(route),
                             .shard = 0,
                             .batch = {.id = outcome.id, .records = {}, .owner = value}};
  part.batch.records.push_back({{}, *value});
  part.batch.seal = seal;
  return part;
}

void Answers::Claim::Settle(const Result<Outcome>& outcome) {
  std::vector<Done> waiting;
  Stripe& stripe = answers_.StripeOf(key_);
  {
    std::lock_guard lock(stripe.mutex);
    auto mine = stripe.under_way.find(key_);
    waiting.swap(mine->second.waiting);
    if (stored_) answers_.Note(key_, *stored_);
    if (!outcome.ok() && outcome.error().code() == Code::kInternal) {
      mine->second.open = true;
    } else {
      stripe.under_way.erase(mine);
      --answers_.under_way_;
    }
  }
  for (const Done& done : waiting) done(outcome);
}

}  // namespace weft::ingest
