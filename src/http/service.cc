// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "http/answer_internal.h"
#include "http/service_internal.h"

namespace weft::http {
namespace {

constexpr std::array<const char*, 8> kMethodNames = {"GET",   "HEAD",   "POST",    "PUT",
                                                     "PATCH", "DELETE", "OPTIONS", "other"};

}  // namespace

RequestMetrics::RequestMetrics(Metrics& metrics)
    : metrics_(metrics),
      seconds_(metrics.AddHistogram("weft_http_request_seconds",
                                    "From a request's head to its answer",
                                    {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                     0.5, 1, 2.5, 5, 10, 30, 60})),
      connections_gauge_(metrics.AddGauge("weft_http_connections", "Open connections")),
      floods_(metrics.AddCounter("weft_http_floods_total",
                                 "Connections closed for a flood of frames that cost nothing")) {}

// A method is whatever the client says, so that only those known get a series of their own.
void RequestMetrics::Observe(std::string_view method, int status, SteadyTime begin,
                             SteadyTime end) {
  size_t row = 0;
  while (row + 1 < kMethods && method != kMethodNames[row]) ++row;
  size_t column = static_cast<size_t>(std::clamp(status / 100, 1, 5) - 1);
  std::atomic<Counter*>& slot = requests_[row][column];
  Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &metrics_.AddCounter(
        "weft_http_requests_total", "Requests answered",
        {{"method", kMethodNames[row]}, {"status", fmt::format("{}xx", column + 1)}});
    slot.store(counter, std::memory_order_release);
  }
  counter->Add(1);
  seconds_.Observe(std::chrono::duration<double>(end - begin).count());
}

void RequestMetrics::CountConnection(int change) {
  connections_gauge_.Set(connections_.fetch_add(change) + change);
}

Service::Service(Server::Options given, Handler handle, Metrics& registry)
    : options(std::move(given)),
      handler(std::move(handle)),
      metrics(registry),
      pool({.name = "requests",
            .threads = options.request_threads,
            .queue_max = options.request_queue_max}) {}

void Service::Run(const BodyPlan& plan, Request&& request, std::shared_ptr<Exchange> exchange) {
  const Handler& handle = plan.handler == nullptr ? handler : *plan.handler;
  if (plan.quick && !plan.stream) return handle(std::move(request), Reply(std::move(exchange)));
  std::string id = request.id;
  bool taken =
      pool.Submit([this, &handle, request = std::move(request), reply = Reply(exchange)]() mutable {
        if (!cut) handle(std::move(request), std::move(reply));
      });
  if (taken) return;
  exchange->Send(RefusalResponse({503, "too many requests are waiting: try again soon"}, id));
}

}  // namespace weft::http
