// SPDX-License-Identifier: Apache-2.0
// Where records are judged: for each schema object of each product a gate, which holds the checker
// by the contract in force and its sessions.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/metrics.h"
#include "base/result.h"
#include "codec/records.h"
#include "contract/contracts.h"
#include "ingest/intakes.h"

namespace weft::ingest {

// Judges the records of one object by one version of the contract. Safe from any thread.
class Gate {
 public:
  // One thread's use of it; given back when it goes.
  class Pass {
   public:
    using Taking = contract::Checker::Session::Taking;
    // With the schema of a table: rows can be made for it, if the contract's columns are there.
    explicit Pass(std::shared_ptr<Gate> gate,
                  std::shared_ptr<const iceberg::Schema> table = nullptr);
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    bool makes_rows() const { return makes_rows_; }
    // As those of contract::Checker::Session.
    bool Check(std::string_view record, std::vector<contract::FieldError>& errors,
               const Taking& taking = {});
    bool CheckArray(std::string_view text, std::vector<contract::Checker::Session::Judged>& judged,
                    std::vector<contract::FieldError>& errors, const Taking& taking);
    // For a row of CSV, whose values are all texts: likewise, and `typed` is the record with values
    // of its types; it holds until the next call.
    bool CheckTexts(std::string_view record, std::string_view& typed,
                    std::vector<contract::FieldError>& errors, const Taking& taking);

   private:
    std::shared_ptr<Gate> gate_;
    Bytes typed_;
    std::shared_ptr<const contract::Checker> checker_;
    std::unique_ptr<contract::Checker::Session> session_;
    bool makes_rows_ = false;
  };

  const std::string& object() const { return object_.name; }
  const Bytes& key() const { return key_; }  // what the log keeps beside each record
  int64_t record_bytes_max() const { return record_bytes_max_; }
  Counter& accepted;
  Counter& quarantined;
  Counter& refused;

 private:
  friend class Gates;
  Gate(const Intake& intake, int contract_version, const contract::SchemaObject& object,
       Metrics& metrics);

  // A checker, and those of its sessions that nobody uses at the moment.
  struct Desk {
    std::shared_ptr<const iceberg::Schema> schema;
    std::shared_ptr<const contract::Checker> checker;  // nullptr: the schema is not for it
    std::vector<std::unique_ptr<contract::Checker::Session>> idle;
  };
  Status Furnish(Desk& desk, std::shared_ptr<const iceberg::Schema> schema) const;

  const contract::SchemaObject object_;
  const Bytes key_;
  const int64_t record_bytes_max_;
  const contract::Checker::Options options_;
  std::mutex mutex_;
  // Both guarded by the mutex.
  Desk plain_;      // for a schema of its own: it only checks
  Desk for_table_;  // for the table's as it was last
};

class Gates {
 public:
  Gates(const contract::Contracts& contracts, Metrics& metrics);
  ~Gates();

  // The gate for the object ("" where one makes a table; `a-b` and `a_b` alike) of the product's
  // contract in force. kInvalid for a product that makes no table, an object that is unknown or
  // makes none, and none named of several.
  Result<std::shared_ptr<Gate>> Find(const Intake& intake, std::string_view object);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::ingest
