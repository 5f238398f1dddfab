// SPDX-License-Identifier: Apache-2.0
// What requests with an idempotency key were answered in the last 24 hours. An answer lies in a
// stream of Weft's own and becomes durable together with the request's records, so that a crash
// leaves both or neither. Memory has only where each answer lies.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ingest/answer_record.h"
#include "ingest/ingest.h"
#include "ingest/key_table.h"
#include "meta/database.h"
#include "stream/streams.h"

namespace weft::ingest {

// Safe from any thread.
class Answers {
 public:
  using Done = Ingest::Done;
  Answers(stream::Streams& streams, const Clock& clock) : streams_(streams), clock_(clock) {}

  // Makes the stream and finds the answers that a process before this one gave.
  Status Recover(meta::Database& database, int64_t keys_max);

  // The right to be the first with a key. Whoever has it Settles it once.
  class Claim {
   public:
    // The answer, for the unit of the request's records. Shortens the list of errors to what is
    // kept.
    Result<stream::Streams::Part> PartOf(Outcome& outcome, bool seal);
    // Where the log put it.
    void Stored(const log::Appended& appended) { stored_ = appended; }
    // Tells those who wait. Without Stored the key is free again.
    void Settle(const Result<Outcome>& outcome);

   private:
    friend class Answers;
    Claim(Answers& answers, const KeyHash& key, const BodyHash& body)
        : answers_(answers), key_(key), body_(body) {}
    Answers& answers_;
    const KeyHash key_;
    const BodyHash body_;
    std::optional<log::Appended> stored_;
  };
  // nullptr: `done` was called, or will be when the request that came first is answered.
  std::shared_ptr<Claim> Take(const Submission& submission, Done done);

 private:
  // A first request that is not answered yet.
  struct UnderWay {
    BodyHash body;
    std::vector<Done> waiting;
    bool open = false;  // the log cannot tell whether it is stored
  };
  struct HashOf {
    size_t operator()(const KeyHash& key) const { return key.low; }
  };
  // A part of the keys, so that no one waits long where a table grows.
  struct Stripe {
    std::mutex mutex;
    // Guarded by the mutex.
    KeyTable answered;
    std::unordered_map<KeyHash, UnderWay, HashOf> under_way;
  };
  struct Kept {
    BodyHash body;
    Outcome outcome;
  };

  Stripe& StripeOf(const KeyHash& key) { return stripes_[key.high % stripes_.size()]; }
  Result<std::shared_ptr<Claim>> TryTake(const Submission& submission, Done& done);
  Result<std::optional<Kept>> ReadBack(const KeyHash& key, int64_t offset);
  Status Load(Timestamp since);
  void Note(const KeyHash& key, const log::Appended& appended);
  void TrimWhenDue();

  stream::Streams& streams_;
  const Clock& clock_;
  std::atomic<bool> recovered_ = false;
  int64_t keys_max_ = 0;  // set before recovered_
  // Answers lie in [floor_, end_); those before the floor are too old.
  std::atomic<int64_t> floor_ = 0, end_ = 0, under_way_ = 0;
  std::array<Stripe, 64> stripes_;

  struct Mark {
    int64_t offset = 0;
    Timestamp arrival;  // of the answer there
  };
  std::mutex marks_mutex_;
  // Guarded by that mutex: a mark for about each minute, in order.
  std::deque<Mark> marks_;
};

}  // namespace weft::ingest
