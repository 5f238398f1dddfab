// SPDX-License-Identifier: Apache-2.0
// The way in of records with keys of their own: to the shard that the key names, alone or several
// in an aggregate.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/gates.h"
#include "ingest/ingest.h"
#include "ingest/intakes.h"
#include "ingest/limits.h"
#include "ingest/record_budget.h"
#include "stream/streams.h"

namespace weft::ingest {

// Safe from any thread.
class KeyedRecords {
 public:
  struct Dependencies {
    const Intakes& intakes;
    stream::Streams& streams;
    const Clock& clock;
    Gates& gates;
    ProductLimits& limits;
    RecordBudget& budget;
    Counter& bytes_total;
    Histogram& ack_seconds;
  };
  explicit KeyedRecords(const Dependencies& use) : use_(use) {}

  // As Ingest::AcceptRecords.
  void Accept(std::string batch_id, StreamSubmission submission, Ingest::RecordsDone done);

 private:
  struct Job;
  Status Prepare(Job& job);
  Status FindProduct(Job& job);
  void TakeApart(Job& job);
  Status Admit(Job& job);
  void AdmitToShards(Job& job);
  Status Judge(Job& job);
  Status Quarantine(Job& job, size_t index, int user_record, const KeyedRecord& record,
                    std::vector<contract::FieldError>& errors);
  Status Arrange(Job& job);
  void Store(const std::shared_ptr<Job>& job);
  void Answered(Job& job, Result<std::vector<log::Appended>> appended);

  const Dependencies use_;
};

}  // namespace weft::ingest
