// SPDX-License-Identifier: Apache-2.0
// One io thread with the connections that live on it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "base/random.h"
#include "codec/uuid.h"
#include "http/exchange_internal.h"

namespace boost::asio {
class io_context;
}

namespace weft::http {

using SteadyTime = std::chrono::steady_clock::time_point;
using RequestId = codec::UuidText;

// A connection as its io thread sees it. All on that thread.
class Session {
 public:
  virtual ~Session() = default;
  virtual void Start() = 0;
  virtual void Tick(SteadyTime now) = 0;  // several times a second: looks at its deadlines
  virtual void Drain() = 0;               // ends once its requests are answered
  virtual void Cut() = 0;                 // ends now
  virtual void Settle() = 0;              // see SettleLater
};

class Loop {
 public:
  // One of `loops`, by its number from 0.
  Loop(int number, int loops, Random& random);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void Start();
  void Finish();  // runs until no connection is left, then ends the thread
  boost::asio::io_context& io();
  bool OnThisThread() const;

  // Runs it on the loop's thread: at once when that is the caller's, else soon, together with all
  // that others deliver meanwhile. Dropped once the loop has ended. From any thread.
  void Deliver(Delivery&& delivery);

  // On the loop's thread.
  // True while deliveries are being run: the session's Settle comes after the last of them, so that
  // what several of them made ready is sent in one go.
  bool SettleLater(std::shared_ptr<Session> session);
  void Post(std::function<void()> work);  // runs it soon, and at once when the loop has ended
  void Add(std::shared_ptr<Session> session);
  void Remove(Session* session);
  void DrainAll();
  void CutAll();
  RequestId NextId();
  std::string_view date();  // of now, as the Date header has it

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::http
