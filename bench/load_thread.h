// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "load_connection.h"

namespace weft::bench {

// What all threads of one run share.
struct LoadPlan {
  int port = 0;
  SSL_CTX* tls = nullptr;             // of the connections; nullptr: none
  std::vector<std::string> requests;  // whole, signed; sent in turn
  bool once = false;                  // each request until it is taken, then no more; else by time
  SteadyTime measure_from{}, measure_to{};
  double requests_per_second = 0;  // for each thread; 0: as fast as answers come
  std::atomic<size_t> next{0};
  std::atomic<int64_t> failed{0};
  std::atomic<bool> given_up{false};  // too many failures: it is not this load that is measured
};

// A thread's share of the connections, served by one epoll loop.
class LoadThread {
 public:
  LoadThread(LoadPlan& plan, int connections);
  ~LoadThread();
  // Until the plan's end. False when the server cannot be reached.
  bool Run();

  int64_t requests = 0;  // answered 200 while measured
  std::vector<uint32_t> latencies_ns;
  std::string first_failure;

 private:
  bool Open(LoadConnection& connection);
  bool Reopen(LoadConnection& connection);
  bool Next(LoadConnection& connection);
  bool SendRequest(LoadConnection& connection, size_t index);
  bool Serve(LoadConnection& connection, uint32_t events);
  bool TakeAnswer(LoadConnection& connection);
  void Watch(LoadConnection& connection, bool add);
  void Count(const LoadConnection& connection, SteadyTime now);
  void Fail(const std::string& what);
  bool SendDue();

  LoadPlan& plan_;
  const int epoll_;
  std::vector<std::unique_ptr<LoadConnection>> connections_;
  std::vector<LoadConnection*> idle_;  // with a rate: those that wait for their turn
  SteadyTime began_{};
  int64_t sent_ = 0;
  size_t under_way_ = 0;
};

}  // namespace weft::bench
