// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "meta/database.h"
#include "stream/shard.h"

namespace weft::stream {

// A registered reader with throughput of its own (enhanced fan-out).
struct Consumer {
  StreamName stream;
  std::string name;   // unique within the stream
  Timestamp created;  // whole seconds: part of its ARN
  std::map<std::string, std::string> tags;
};

// Over meta; reads cost no disk, and are not for within a transaction. Consumers belong to one
// making of a stream: whoever deletes it calls Forget. Safe to call from any thread.
class Consumers {
 public:
  Consumers(meta::Database& database, const Clock& clock);
  ~Consumers();
  static const std::vector<std::string>& Migrations();  // behind those of Streams

  // kExists; kNotFound for no such stream; kThrottled past 20 of a stream.
  Result<Consumer> Register(const StreamName& stream, const std::string& name,
                            const std::map<std::string, std::string>& tags);
  Status Deregister(const StreamName& stream, const std::string& name);  // kNotFound
  Status SetTags(const StreamName& stream, const std::string& name,
                 const std::map<std::string, std::string>& tags);  // kNotFound
  Status Forget(meta::Transaction& tx, const StreamName& stream);
  Result<Consumer> Find(const StreamName& stream, const std::string& name) const;  // kNotFound
  Result<std::vector<Consumer>> Of(const StreamName& stream) const;  // in order of name

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::stream
