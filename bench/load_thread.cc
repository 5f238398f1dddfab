// SPDX-License-Identifier: Apache-2.0
#include "load_thread.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

namespace weft::bench {
namespace {

constexpr int64_t kFailuresMax = 20'000;

}  // namespace

LoadThread::LoadThread(LoadPlan& plan, int connections)
    : plan_(plan), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  for (int i = 0; i < connections; ++i) {
    connections_.push_back(std::make_unique<LoadConnection>(plan.port, plan.tls));
  }
}

LoadThread::~LoadThread() { close(epoll_); }

void LoadThread::Watch(LoadConnection& connection, bool add) {
  epoll_event event{};
  event.events = EPOLLIN | (connection.wants_write() ? EPOLLOUT : 0u);
  event.data.ptr = &connection;
  epoll_ctl(epoll_, add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, connection.descriptor(), &event);
}

bool LoadThread::Open(LoadConnection& connection) {
  if (!connection.Open()) return false;
  Watch(connection, true);
  return true;
}

bool LoadThread::SendRequest(LoadConnection& connection, size_t index) {
  connection.request_index = index;
  connection.busy = true;
  ++under_way_;
  if (!connection.Send(plan_.requests[index % plan_.requests.size()])) return false;
  if (connection.wants_write()) Watch(connection, false);
  return true;
}

// Sends the next request, if there is one for this connection now.
bool LoadThread::Next(LoadConnection& connection) {
  if (plan_.given_up) return true;
  if (plan_.requests_per_second > 0) {
    idle_.push_back(&connection);
    return true;
  }
  if (!plan_.once && std::chrono::steady_clock::now() >= plan_.measure_to) return true;
  const size_t index = plan_.next.fetch_add(1, std::memory_order_relaxed);
  if (plan_.once && index >= plan_.requests.size()) return true;
  return SendRequest(connection, index);
}

bool LoadThread::SendDue() {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
  const auto due = static_cast<int64_t>(passed.count() * plan_.requests_per_second);
  while (sent_ < due && !idle_.empty()) {
    LoadConnection* connection = idle_.back();
    idle_.pop_back();
    ++sent_;
    if (!SendRequest(*connection, plan_.next.fetch_add(1, std::memory_order_relaxed))) return false;
  }
  // What could not be sent in its time is not made up for.
  if (idle_.empty()) sent_ = std::max(sent_, due);
  return true;
}

void LoadThread::Fail(const std::string& what) {
  if (first_failure.empty()) first_failure = what.substr(0, 600);
  if (++plan_.failed > kFailuresMax) plan_.given_up = true;
}

void LoadThread::Count(const LoadConnection& connection, SteadyTime now) {
  if (!plan_.once && (now < plan_.measure_from || now > plan_.measure_to)) return;
  const int64_t ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now - connection.sent_at).count();
  latencies_ns.push_back(
      static_cast<uint32_t>(std::min<int64_t>(ns, std::numeric_limits<uint32_t>::max())));
  ++requests;
}

bool LoadThread::TakeAnswer(LoadConnection& connection) {
  connection.busy = false;
  --under_way_;
  if (connection.status() == 200) {
    Count(connection, std::chrono::steady_clock::now());
    return Next(connection);
  }
  Fail(connection.answer());
  if (plan_.once && !plan_.given_up) return SendRequest(connection, connection.request_index);
  return Next(connection);
}

bool LoadThread::Serve(LoadConnection& connection, uint32_t events) {
  if ((events & EPOLLOUT) != 0 && connection.wants_write()) {
    if (!connection.WriteMore()) return false;
    if (!connection.wants_write()) Watch(connection, false);
  }
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) == 0) return true;
  switch (connection.ReadMore()) {
    case LoadConnection::Progress::kWaiting:
      return true;
    case LoadConnection::Progress::kAnswered:
      return TakeAnswer(connection);
    case LoadConnection::Progress::kClosed:
      break;
  }
  return false;
}

// After the server closed it. What was under way is sent again where it must not be lost.
bool LoadThread::Reopen(LoadConnection& connection) {
  Fail("the server closed a connection");
  if (!Open(connection)) return false;
  if (!connection.busy) return true;
  connection.busy = false;
  --under_way_;
  return plan_.once ? SendRequest(connection, connection.request_index) : Next(connection);
}

bool LoadThread::Run() {
  for (auto& connection : connections_) {
    if (!Open(*connection)) return false;
  }
  began_ = std::chrono::steady_clock::now();
  for (auto& connection : connections_) {
    if (!Next(*connection)) return false;
  }
  const bool paced = plan_.requests_per_second > 0;
  std::vector<epoll_event> events(256);
  while (under_way_ > 0 || (paced && std::chrono::steady_clock::now() < plan_.measure_to)) {
    if (paced && std::chrono::steady_clock::now() < plan_.measure_to && !SendDue()) return false;
    const int count =
        epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), paced ? 1 : 2000);
    // A server that stops answering must not stop this program.
    if (count == 0 && !plan_.once &&
        std::chrono::steady_clock::now() > plan_.measure_to + std::chrono::seconds(10)) {
      Fail("no answer for ten seconds");
      return true;
    }
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<LoadConnection*>(events[static_cast<size_t>(i)].data.ptr);
      if (Serve(connection, events[static_cast<size_t>(i)].events)) continue;
      if (!Reopen(connection)) return false;
    }
  }
  return true;
}

}  // namespace weft::bench
