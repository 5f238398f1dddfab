// SPDX-License-Identifier: Apache-2.0
// Records that were refused, with the reason and their original bytes, until they are sent again or
// dropped. They lie in a stream of their own; meta knows which of them are done with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/ingest.h"
#include "ingest/intakes.h"
#include "meta/database.h"
#include "stream/streams.h"

namespace weft::ingest {

struct QuarantinedRecord {
  std::string id;  // rises; RecordId of the quarantine stream
  Timestamp arrival;
  std::string object;
  codec::RecordFormat format = codec::RecordFormat::kJson;
  std::vector<RecordError> errors;
  Bytes original;  // what was sent for it; of CSV its row, and `head` is the header row
  Bytes head;
};

class Quarantine {
 public:
  Quarantine(meta::Database& database, stream::Streams& streams, Ingest& ingest);
  ~Quarantine();
  static const std::vector<std::string>& Migrations();
  // Finishes redrives that a crash interrupted, so that none is done twice. At start, before
  // publishing.
  Status Recover(const Intakes& intakes);

  // Up to `count_max` records after `after` ("" = from the first), in order.
  Result<std::vector<QuarantinedRecord>> List(const Intake& intake, const std::string& after,
                                              int count_max);
  Result<QuarantinedRecord> Find(const Intake& intake, const std::string& id);
  Result<int64_t> Count(const Intake& intake);

  // Sends records again against the contract now in force, `ids` or all; each leaves quarantine
  // exactly when it is stored in the product's stream. Those that are still bad stay, under their
  // ids, with the new reasons. `replacement` (JSON), for one id only, is sent in place of the
  // original; when it is bad too, the record stays as it was, and `failures` says what is wrong
  // with the replacement.
  struct Redriven {
    int64_t accepted = 0;
    int64_t still_bad = 0;
    std::vector<QuarantinedRecord> failures;  // at most 100
  };
  Result<Redriven> Redrive(const Intake& intake, const std::vector<std::string>& ids,
                           const Bytes* replacement);
  // Forgets records for good; kNotFound names an id that is not there, and drops none.
  Result<int64_t> Drop(const Intake& intake, const std::vector<std::string>& ids);
  // Everything that is known of the product's quarantine; its stream is the caller's to delete.
  Status Forget(meta::Transaction& tx, const ProductName& product);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::ingest
