// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "aws/tokens.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "govern/govern.h"
#include "ingest/ingest.h"
#include "meta/database.h"
#include "stream/consumers.h"
#include "stream/streams.h"

namespace weft::aws {

namespace kinesis {
class Subscriptions;
}

// What operations call.
struct Services {
  const std::string region;                     // of the ARNs that the server makes
  const int shards_max, on_demand_streams_max;  // of an account, as Streams has them
  meta::Database& database;
  govern::Govern& govern;
  stream::Streams& streams;
  stream::Consumers& consumers;
  ingest::Ingest& ingest;
  const Clock& clock;
  Metrics& metrics;
  Tokens tokens;
  kinesis::Subscriptions& subscriptions;
};

}  // namespace weft::aws
