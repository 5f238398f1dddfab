// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "http/answer_internal.h"
#include "http/exchange_internal.h"
#include "http/server.h"

namespace weft::http {

// Takes a request's body in by the server's plan for it: whole, or handed on as it comes.
class BodyIntake {
 public:
  // A refusal when the body is said to be longer than the plan allows. `bytes_said` is 0 when
  // nothing was said.
  std::optional<Refusal> Start(BodyPlan plan, int64_t bytes_said);
  const BodyPlan& plan() const { return plan_; }

  // With plan().stream: where pieces go.
  void StreamTo(std::shared_ptr<InStream> stream) { stream_ = std::move(stream); }
  bool streams() const { return stream_ != nullptr; }
  // Its handler has enough for now: nothing more should come until OnBodyTaken.
  bool full() const { return full_; }
  void MadeRoom() { full_ = false; }

  // The next piece; `whole` gets it unless it is streamed. A refusal when that is too much.
  std::optional<Refusal> Take(BytesView piece, Bytes& whole);
  // The same without a copy: where the next of the `left` octets may be put, then how many were.
  // All that follows of a body comes so. Memory is taken as octets come, whatever was said of them.
  std::span<char> Room(Bytes& whole, int64_t left);
  void Took(size_t bytes) { bytes_ += static_cast<int64_t>(bytes); }
  bool in_place() const { return in_place_; }
  void End(Bytes& whole);
  // The handler, which is at it already, learns why nothing more comes.
  void Fail(Error error);

 private:
  Refusal TooLong() const;
  BodyPlan plan_;
  int64_t bytes_ = 0;
  std::shared_ptr<InStream> stream_;
  bool full_ = false;
  bool in_place_ = false;
};

// Request::body's promise of room behind the end.
inline constexpr size_t kBodyPaddingBytes = 64;

}  // namespace weft::http
