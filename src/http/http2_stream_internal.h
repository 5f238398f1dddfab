// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "http/answer_internal.h"
#include "http/body_intake_internal.h"
#include "http/http2_head_internal.h"
#include "http/loop_internal.h"

namespace weft::http {

// One request of an HTTP/2 connection, with its answer.
struct Http2Stream {
  Http2Stream(int32_t number, RequestId name, SteadyTime now)
      : id(number), request_id(name), begin(now) {}
  std::string_view name() const { return {request_id.data(), request_id.size()}; }

  const int32_t id;
  const RequestId request_id;
  const SteadyTime begin;
  std::string method;

  // The request.
  Http2Head head;
  BodyIntake intake;
  bool head_taken = false;
  bool whole = false;       // it has come to its end
  bool dispatched = false;  // it is, or will be at once, with a handler
  bool owed = false;        // that handler has not answered yet
  bool gone = false;        // the client hears no more of it
  int64_t withheld = 0;     // bytes of the body that the client has not been given room for again
  int64_t gathered = 0;     // bytes of the body that count against the connection's budget
  SteadyTime read_deadline = SteadyTime::max();

  // Whether what comes of the body goes nowhere any more.
  bool deaf() const { return (dispatched || status != 0) && !intake.streams(); }
  bool gathers() const { return head_taken && !whole && !intake.streams() && !deaf() && !gone; }

  // The answer's body: what is left of `piece`, then what comes from `stream`.
  int status = 0;  // 0: not answered
  Bytes piece;
  size_t piece_at = 0;
  std::shared_ptr<OutStream> stream;
  LengthCheck length;
  bool last_piece = false;  // nothing comes behind `piece`
  SteadyTime write_deadline = SteadyTime::max();

  enum class Supply { kBytes, kNoneYet, kEnd, kBroken };
  // Sees to it that there are bytes in `piece`, where there are any.
  Supply Fill();
};

}  // namespace weft::http
