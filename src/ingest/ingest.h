// SPDX-License-Identifier: Apache-2.0
// The one way in: takes a body apart, checks each record against the product's contract, appends
// the good ones to the product's stream and the bad ones to its quarantine, and answers when both
// are on disk. Decides what is valid; nothing else does. Who may publish is judged before.
#pragma once

#include <functional>
#include <memory>
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
#include "stream/streams.h"

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
  Intake intake;
  std::string object;  // the schema object; "" where the contract has one that makes a table
  codec::RecordFormat format = codec::RecordFormat::kJson;
  std::shared_ptr<const Bytes> body;  // decoded; kept until the answer
  std::string_view records;           // the part of it that holds the records
};

class Ingest {
 public:
  using Done = std::function<void(Result<Outcome>)>;
  Ingest(const contract::Contracts& contracts, stream::Streams& streams, const Clock& clock,
         Random& random, Metrics& metrics);
  ~Ingest();

  // Checks on the calling thread, then answers once, from any thread, when the outcome is durable.
  // kInvalid for a body that cannot be taken apart, a product without a table, an unknown `object`
  // or one left out where there are several; else as RecordLog::Append. An empty body or list is
  // accepted as 0 records.
  void Accept(Submission submission, Done done);

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
