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
    explicit Pass(std::shared_ptr<Gate> gate);
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    // Whether the record may be stored; else what is wrong is appended to `errors`.
    bool Check(std::string_view record, std::vector<contract::FieldError>& errors);
    // For a row of CSV, whose values are all texts: likewise, and `typed` is the record with values
    // of its types; it holds until the next call.
    bool CheckTexts(std::string_view record, std::string_view& typed,
                    std::vector<contract::FieldError>& errors);

   private:
    std::shared_ptr<Gate> gate_;
    Bytes typed_;
    std::unique_ptr<contract::Checker::Session> session_;
  };

  const std::string& object() const { return object_; }
  const Bytes& key() const { return key_; }  // what the log keeps beside each record
  int64_t record_bytes_max() const { return record_bytes_max_; }
  Counter& accepted;
  Counter& quarantined;
  Counter& refused;

 private:
  friend class Gates;
  Gate(const Intake& intake, int contract_version, const contract::SchemaObject& object,
       Metrics& metrics);

  std::string object_;
  Bytes key_;
  int64_t record_bytes_max_;
  std::shared_ptr<const contract::Checker> checker_;
  std::mutex mutex_;
  // Sessions that nobody uses at the moment; guarded by the mutex.
  std::vector<std::unique_ptr<contract::Checker::Session>> idle_;
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
