// SPDX-License-Identifier: Apache-2.0
// The doors that speak AWS's protocols. Translates between HTTP and the domain modules; holds no
// rule of its own. docs/kinesis.md is the reference.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "govern/govern.h"
#include "http/server.h"
#include "identity/authenticate.h"
#include "ingest/ingest.h"
#include "meta/database.h"
#include "stream/consumers.h"
#include "stream/streams.h"

namespace weft::aws {

struct Options {
  std::string region = "us-east-1";  // of the ARNs it makes; signatures of any region are taken
  Bytes master_key;                  // 32 octets
  int shards_max = 1'000;            // as Streams has them: DescribeLimits tells
  int on_demand_streams_max = 50;
  bool call_rates = false;  // calls are bounded as AWS bounds them: call_rates.h
  // SubscribeToShard: how long one lasts, and how often an event comes at least.
  seconds subscription_time_max{300};
  seconds heartbeat_interval{5};
};

struct Dependencies {
  const identity::Authenticator& authenticator;
  govern::Govern& govern;
  meta::Database& database;
  stream::Streams& streams;
  stream::Consumers& consumers;
  ingest::Ingest& ingest;
  const Clock& clock;
  Random& random;
  Metrics& metrics;
};

// Whether a request is for these doors, by its head alone: a POST to / with an X-Amz-Target or one
// of AWS's content types, or a signature whose scope names a service that is offered here.
bool IsAwsRequest(const http::Request& head);

// Safe to call from any thread.
class Aws {
 public:
  Aws(const Options& options, const Dependencies& dependencies);
  ~Aws();  // Stop()s

  http::BodyPlan Plan(const http::Request& head) const;
  // Answers every request that IsAwsRequest.
  void Handle(http::Request&& request, http::Reply&& reply);
  // Ends the subscriptions.
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::aws
