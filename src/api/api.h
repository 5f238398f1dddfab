// SPDX-License-Identifier: Apache-2.0
// Weft's own doors: POST /sink_data/, /api/v1, /healthz and /metrics. Translates between HTTP and
// the flow and domain modules; holds no state, no rule and no SQL. docs/http.md is the reference.
#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/pool.h"
#include "contract/contracts.h"
#include "deliver/delivery.h"
#include "govern/govern.h"
#include "http/server.h"
#include "identity/authenticate.h"
#include "identity/directory.h"
#include "ingest/ingest.h"
#include "ingest/intakes.h"
#include "ingest/quarantine.h"
#include "mesh/mesh.h"
#include "query/query.h"
#include "stream/streams.h"

namespace weft::api {

struct Dependencies {
  const identity::Authenticator& authenticator;
  identity::Directory& directory;
  govern::Govern& govern;
  contract::Contracts& contracts;
  stream::Streams& streams;
  ingest::Intakes& intakes;
  ingest::Ingest& ingest;
  ingest::Quarantine& quarantine;
  deliver::Delivery& delivery;
  query::Query& query;
  mesh::Meshes& meshes;
  tail::Feeds& feeds;
  catalog::Catalog& catalog;
  const Clock& clock;
  Metrics& metrics;
};

struct Options {
  std::string region = "us-east-1";
  int64_t body_bytes_max = int64_t{64} << 20;  // also after unpacking
  bool metrics_open = true;                    // without a token, to whoever reaches the port
  std::string metrics_token;                   // a bearer token that /metrics takes instead
  milliseconds query_time_max{60'000};
  int64_t query_memory_bytes_max = int64_t{2} << 30;
  int query_threads = 4;  // statements being served at once
  int query_queue_max = 64;
  int follower_threads = 16;  // readers that follow a stream
};

class Api {
 public:
  Api(const Options& options, const Dependencies& dependencies);
  ~Api();  // Stop()s

  http::BodyPlan Plan(const http::Request& head) const;
  // From now on requests are served; before, each is answered 503.
  void Open();
  // Answers every request there is, unknown paths included.
  void Handle(http::Request&& request, http::Reply&& reply);
  // Ends the pools; what they have is answered first.
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::api
