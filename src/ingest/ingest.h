// SPDX-License-Identifier: Apache-2.0
// The one way in: takes a body apart, checks each record against the product's contract, appends
// the good ones to the product's stream and the bad ones to its quarantine, and answers when both
// are on disk. Decides what is valid; nothing else does. Who may publish is judged before.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "codec/records.h"
#include "contract/contracts.h"
#include "ingest/intakes.h"
#include "meta/database.h"
#include "stream/streams.h"
#include "tail/tail.h"

namespace weft::ingest {

struct RecordError {
  int64_t index = 0;  // of the record in the body, from 0
  std::string field;
  std::string reason;
  bool operator==(const RecordError&) const = default;
};

struct Outcome {
  std::string id;  // of the batch
  int64_t accepted = 0;
  int64_t quarantined = 0;
  std::vector<RecordError> errors;  // at most 1,000 are listed
  int64_t errors_total = 0;
  bool refused =
      false;  // mode atomic with a bad record: nothing was stored, not in quarantine either
};

struct Submission {
  std::shared_ptr<const Intake> intake;
  std::string object;  // the schema object; "" where the contract has one that makes a table
  codec::RecordFormat format = codec::RecordFormat::kJson;
  std::shared_ptr<const Bytes> body;  // decoded; kept until the answer
  std::string_view records;           // the part of it that holds the records
  // From the client: a repeat within 24 h answers as the first did and stores nothing. "": none.
  std::string idempotency_key = {};
};

// A record for a stream, with the key that chooses its shard.
struct KeyedRecord {
  std::string_view data;
  std::string_view partition_key;
  std::optional<stream::HashKey> explicit_hash;
};

struct StreamSubmission {
  stream::StreamName stream;
  std::vector<KeyedRecord> records;
  std::shared_ptr<const void> owner;  // of the records' bytes; kept until the answer
};

// Where a record of a StreamSubmission went. Its failures are kThrottled (the shard's throughput,
// the product's limit, the disk behind) and kUnavailable.
struct Placed {
  int shard = 0;
  std::string sequence_number;
  bool quarantined = false;  // mode partial: the record was bad
};

class Ingest {
 public:
  using Done = std::function<void(Result<Outcome>)>;
  // With a tail, rows of its tables are made in the pass that checks their records; it outlives
  // this. Without one they are made from the log.
  Ingest(const contract::Contracts& contracts, const Intakes& intakes, stream::Streams& streams,
         const Clock& clock, Random& random, Metrics& metrics, tail::Tail* tail = nullptr);
  ~Ingest();
  // Finds what requests with idempotency keys were answered in the last 24 hours. At start, before
  // publishing: until then such requests fail with kUnavailable. Each key that is kept takes about
  // 40 octets of memory.
  Status Recover(meta::Database& database, int64_t idempotency_keys_max = 2'000'000);

  // Checks on the calling thread, then answers once, from any thread, when the outcome is durable.
  // kInvalid for a body that cannot be taken apart, a product without a table, an unknown `object`
  // or one left out where there are several; else as RecordLog::Append. An empty body or list is
  // accepted as 0 records.
  // With an idempotency key: kConflict when it was used for another body; a repeat of a request
  // that is still under way waits for that one's outcome; kThrottled when more keys are kept than
  // there is room for; kUnavailable when the log could not tell whether the first one is stored.
  // A failed or refused request does not use up its key.
  void Accept(Submission submission, Done done);

  // The same for records with keys of their own: Kinesis. A stream without a product takes any
  // bytes; a product's stream takes what its contract allows, one JSON record each, or an aggregate
  // of the Kinesis Producer Library that holds them. Answers for each record in its order; fails
  // as a whole where nothing was stored: kInvalid names the first bad record and the reason (mode
  // atomic), kNotFound.
  using RecordsDone = std::function<void(Result<std::vector<Result<Placed>>>)>;
  void AcceptRecords(StreamSubmission submission, RecordsDone done);

  // Judges one record by the contract now in force, and stores nothing: the record as it would be
  // stored, or what is wrong with it in `errors`. `head` is the header row of CSV. For records that
  // are sent again.
  struct Judged {
    bool good = false;
    Bytes key, value;  // as the log would have them
    std::vector<RecordError> errors;
  };
  Result<Judged> Judge(const Intake& intake, const std::string& object, codec::RecordFormat format,
                       BytesView head, BytesView record);
  // An id for a batch: ids rise with time, and no two are the same.
  std::string NewBatchId();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::ingest
