// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "stream/shard.h"

namespace weft::stream {

enum class Mode { kProvisioned, kOnDemand };

// Whose a stream is.
enum class Use {
  kFree,      // made by a call; takes any bytes
  kProduct,   // a product's: records are checked, and the log keeps them until they are delivered
  kInternal,  // Weft's own, such as a quarantine: not shown to Kinesis clients
};

// What may change in the life of a stream.
struct StreamSettings {
  Mode mode = Mode::kOnDemand;
  std::chrono::hours retention{24};  // 24 to 8,760
  int64_t retention_bytes = 0;       // also keep at most so many octets of each shard; 0: no bound
  int record_kib_max = 1'024;        // 1,024 to 10,240
  std::string key_id = {};           // encrypted at rest by this key; "": as the log as a whole
  std::map<std::string, std::string> tags = {};
  std::vector<std::string> shard_metrics = {};  // those asked for shard by shard
};

struct StreamInfo {
  StreamName name;
  int64_t number = 0;  // of this making of the name; rises over all streams
  AccountId account;
  std::string short_name;  // within the account
  Use use = Use::kFree;
  Timestamp created;
  StreamSettings settings;
  // In order of number; closed ones as long as they hold records or their retention lasts.
  std::vector<Shard> shards;

  int OpenShards() const;
  const Shard* FindShard(int shard) const;
};

}  // namespace weft::stream
