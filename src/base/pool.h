// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace weft {

// A fixed number of named threads over a bounded queue of work. Safe to call from any thread.
class Pool {
 public:
  struct Options {
    std::string name;  // shown by the operating system: 15 characters at most
    int threads = 1;
    int queue_max = 1024;
  };
  explicit Pool(Options options);
  ~Pool();  // Stop()s

  // Takes the work, or answers false at once when the queue is full or the pool stops: the caller
  // then refuses its request (503, ThrottlingException). Work must not throw.
  [[nodiscard]] bool Submit(std::function<void()> work);

  // Runs what was taken, then ends the threads. May be called more than once.
  void Stop();

  int queued() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft
