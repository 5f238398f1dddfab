// SPDX-License-Identifier: Apache-2.0
// What every connection of a server shares.
#pragma once

#include <array>
#include <atomic>

#include "base/pool.h"
#include "http/loop_internal.h"
#include "http/server.h"

namespace weft::http {

class RequestMetrics {
 public:
  explicit RequestMetrics(Metrics& metrics);
  void Observe(std::string_view method, int status, SteadyTime begin, SteadyTime end);
  void CountConnection(int change);
  void CountFlood() { floods_.Add(1); }
  int connections() const { return connections_; }

 private:
  static constexpr size_t kMethods = 8, kClasses = 5;
  Metrics& metrics_;
  std::array<std::array<std::atomic<Counter*>, kClasses>, kMethods> requests_{};
  Histogram& seconds_;
  Gauge& connections_gauge_;
  Counter& floods_;
  std::atomic<int> connections_ = 0;
};

struct Service {
  Service(Server::Options given, Handler handle, Metrics& registry);
  BodyPlan PlanFor(const Request& head) const {
    return options.plan ? options.plan(head) : BodyPlan();
  }
  // Has the request handled: here and now when that is quick, else on the pool, or, when its queue
  // is full, answers 503.
  void Run(const BodyPlan& plan, Request&& request, std::shared_ptr<Exchange> exchange);
  Server::Options options;
  Handler handler;
  RequestMetrics metrics;
  std::atomic<bool> cut = false;  // what still waits in the pool is not worth doing any more
  Pool pool;
};

}  // namespace weft::http
