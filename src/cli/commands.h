// SPDX-License-Identifier: Apache-2.0
// What each command does, apart from how its words are read. Each returns a failure to be printed,
// or ok; what a command prints it prints itself, when it has succeeded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/connection.h"
#include "cli/output.h"

namespace weft::cli {

struct Context {
  Output output;
  std::string data_folder;  // as given; "" = from the environment
  Result<Connection> Connect() const;
};

// declare.cc
Status Init(const Context& context, const std::string& folder);
Status Plan(const Context& context, const std::string& folder);
Status Apply(const Context& context, const std::string& folder, bool yes);
Status Destroy(const Context& context, const std::string& folder, bool yes, bool delete_data);

// put.cc
struct PutOptions {
  std::string product, format, schema;
  std::vector<std::string> files;
  bool restart = false;  // do not go on with an upload that was broken off
};
Status Put(const Context& context, const PutOptions& options);

// query.cc
struct QueryOptions {
  std::string sql;
  bool csv = false, ndjson = false;
  int64_t rows_max = 0;
  std::string time_max;  // "5 m"
};
Status Query(const Context& context, const QueryOptions& options);

// see.cc
Status ShowEnvironment(const Context& context);
Status ShowStatus(const Context& context);
struct TailOptions {
  std::string product, from = "end";
  bool no_follow = false;
};
Status Tail(const Context& context, const TailOptions& options);
Status Flush(const Context& context, const std::string& product);
Status ShowContract(const Context& context, const std::string& product);
Status ShowTable(const Context& context, const std::string& table);

// quarantine.cc
Status ListQuarantine(const Context& context, const std::string& product);
Status ShowQuarantined(const Context& context, const std::string& product, const std::string& id);
Status RedriveQuarantine(const Context& context, const std::string& product,
                         const std::vector<std::string>& ids, const std::string& replacement_file);
Status DropQuarantined(const Context& context, const std::string& product,
                       const std::vector<std::string>& ids);

// keys.cc
Status CreateKey(const Context& context, const std::string& user);
Status ListKeys(const Context& context, const std::string& user);
Status DisableKey(const Context& context, const std::string& key);
Status DeleteKey(const Context& context, const std::string& key);
Status ExplainAccess(const Context& context, const std::string& who, const std::string& table);

// log.cc
struct InspectOptions {
  std::string partition;  // "": all, a line each
  int64_t from = 0;
};
struct LossOptions {
  std::string partition;
  int64_t first = 0, last = 0;
};
Status VerifyLog(const Context& context);
Status InspectLog(const Context& context, const InspectOptions& options);
Status AcceptLogLoss(const Context& context, const LossOptions& options);

// doctor.cc
Status Doctor(const Context& context);

}  // namespace weft::cli
