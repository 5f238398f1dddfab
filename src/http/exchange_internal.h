// SPDX-License-Identifier: Apache-2.0
// What connects a connection, which lives on one io thread, with handlers, which live on any: the
// answer's way back and the bodies that are streamed. Knows neither sockets nor a version of HTTP.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "http/message.h"

namespace weft::http {

class Loop;
class OutStream;

// A connection as its exchanges see it. Called on the connection's io thread only, but for loop().
class ReplyTarget {
 public:
  virtual ~ReplyTarget() = default;
  virtual std::shared_ptr<Loop> loop() const = 0;  // from any thread
  virtual void OnAnswer(uint64_t exchange, Response&& response) = 0;
  virtual void OnStream(uint64_t exchange, Response head, std::shared_ptr<OutStream> stream) = 0;
  virtual void OnStreamReady(
      uint64_t exchange) = 0;                       // it has more to send, or room for more to come
  virtual void OnBodyTaken(uint64_t exchange) = 0;  // a streamed request body has room again
};

// A message to a connection from another thread.
struct Delivery {
  enum class Kind { kAnswer, kStream, kStreamReady, kBodyTaken };
  Kind kind;
  std::shared_ptr<ReplyTarget> target;
  uint64_t exchange = 0;
  Response response;
  std::shared_ptr<OutStream> stream;
  void Run();
  void Drop();  // instead, when the loop has ended: whoever writes a stream must not wait for it
};

// An answer's body between the handler that writes it and the connection that sends it.
class OutStream {
 public:
  OutStream(std::shared_ptr<Loop> loop, std::shared_ptr<ReplyTarget> target, uint64_t exchange);

  // The handler's side.
  Status Write(BytesView bytes);
  bool HasRoom(std::function<void()> wake);
  Status Finish();
  void Abort();

  // The connection's side.
  enum class End { kNone, kFinished, kAborted };
  Bytes Take(End& end);
  void Close();  // nobody takes any more

 private:
  void Notify(std::unique_lock<std::mutex>& lock);
  void Wake(std::function<void()> wake);
  std::shared_ptr<Loop> loop_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<ReplyTarget> target_;
  uint64_t exchange_;
  std::condition_variable room_;
  Bytes buffer_;
  End end_ = End::kNone;
  bool closed_ = false;
  bool notified_ = false;
  bool promised_ = false;  // the next Write does not wait
  std::function<void()> wake_;
};

// A request's body between the connection that receives it and the handler that reads it.
class InStream final : public BodyReader {
 public:
  InStream(std::shared_ptr<Loop> loop, std::shared_ptr<ReplyTarget> target, uint64_t exchange);
  Result<Bytes> Read() override;

  // The connection's side. False when it holds enough for now: OnBodyTaken follows.
  bool Push(BytesView piece);
  void End(std::optional<Error> error);  // the first call counts
  bool ended() const;

 private:
  std::shared_ptr<Loop> loop_;
  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<ReplyTarget> target_;
  const uint64_t exchange_;
  std::condition_variable more_;
  Bytes buffer_;
  bool full_ = false;
  bool ended_ = false;
  std::optional<Error> error_;
};

// The one answer to a request; dropped unanswered, it answers 500.
class Exchange final : public Reply::Sink {
 public:
  Exchange(std::shared_ptr<ReplyTarget> target, uint64_t number);
  ~Exchange() override;
  void Send(Response&& response) override;
  std::unique_ptr<BodyWriter> Stream(Response head) override;

 private:
  std::shared_ptr<ReplyTarget> target_;
  uint64_t number_;
  std::atomic<bool> answered_ = false;
};

}  // namespace weft::http
