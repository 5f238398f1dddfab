// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "log/record_log.h"

namespace weft::log {

// What a caller is to be told.
struct Answer {
  RecordLog::OnUnitDurable done;
  Result<std::vector<Appended>> result = Fail(Code::kInternal, "not answered");
  int64_t bytes = 0;  // of the frames
};

// Tells callers how their appends went, on a thread of its own, so that the disk does not wait for
// them; what is soon told, on the thread that hands over. Bounded by the latter: `making_room` gets
// the octets of those that are told next.
class Answerer {
 public:
  explicit Answerer(std::function<void(int64_t bytes)> making_room);
  ~Answerer() { Stop(); }
  // From one thread at a time; few octets are told on it when no others are on their way.
  void Hand(std::vector<Answer> answers);
  // Returns when all were told.
  void Stop();

 private:
  void TellAll();
  void Tell(std::vector<Answer>& answers);

  const std::function<void(int64_t bytes)> making_room_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::vector<Answer> waiting_;
  bool telling_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace weft::log
