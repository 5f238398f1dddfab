// SPDX-License-Identifier: Apache-2.0
// One connection that speaks HTTP/1.x: takes requests apart, hands them to handlers, and sends the
// answers in the order of the requests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/body_intake_internal.h"
#include "http/connection_internal.h"
#include "http/http1_internal.h"

namespace weft::http {

class Http1Connection final : public LiveConnection {
 public:
  Http1Connection(Connection connection, std::string_view input);
  ~Http1Connection() override;

  void Start() override;
  void Tick(SteadyTime now) override;
  void Drain() override;
  void Settle() override;

  void OnRead(WireEvent event, size_t bytes) override;

  void OnAnswer(uint64_t exchange, Response&& response) override;
  void OnStream(uint64_t exchange, Response head, std::shared_ptr<OutStream> stream) override;
  void OnStreamReady(uint64_t exchange) override;
  void OnBodyTaken(uint64_t exchange) override;

 private:
  // What is read next. kNothing: the connection ends after the answers that are owed.
  enum class Reading { kHead, kBody, kNothing, kLingering };
  enum class Wait { kNone, kIdle, kHead, kBody, kLinger };

  // A request that is not yet answered whole.
  struct Slot {
    RequestId id;
    std::string method;
    SteadyTime begin;
    bool http10 = false;
    bool keep_alive = true;
    bool owes_continue = false;
    bool answered = false;  // `response` is the answer, or the head of the stream's
    bool head_sent = false;
    Response response;
    std::shared_ptr<OutStream> stream;
    BodyFraming framing = BodyFraming::kLength;
    LengthCheck length;  // of the stream
  };

  Slot& SlotOf(uint64_t exchange) { return slots_[exchange % slots_.size()]; }
  uint64_t in_flight() const { return next_ - first_; }
  bool Owed(uint64_t exchange) const { return exchange >= first_ && exchange < next_; }
  Slot& AddSlot();

  void Pump() override;
  bool ReadInput();
  bool ReadHead();
  bool TakeHead(std::string_view text);
  void PlanBody();
  bool ReadBody();
  bool TakeBody(BytesView piece);
  bool ReadsInPlace() const;
  void TookInPlace(size_t bytes);
  void EndBody();
  void Dispatch();
  void Refuse(Refusal refusal);    // answers instead of a handler; nothing more is read
  void FailBody(Refusal refusal);  // the same for the request whose body is being read
  void StartRead();
  void MakeRoom();

  bool Flush();  // moves answers into the output; true when a slot became free
  bool FlushSlot(Slot& slot);
  void SendWhole(Slot& slot);
  bool SendStream(Slot& slot);
  void StartStream(Slot& slot);
  void FinishSlot(Slot& slot);
  bool KeepsAlive(const Slot& slot) const;
  void EndConnection();
  void DropRequests() override;
  void SetDeadline();
  void OnDeadline();

  // Input: what was read and not yet consumed is [in_begin_, in_end_) of in_.
  std::unique_ptr<char[]> in_;
  size_t in_size_ = 0, in_begin_ = 0, in_end_ = 0, in_searched_ = 0;
  Reading reading_ = Reading::kHead;
  bool read_pending_ = false;
  bool read_in_place_ = false;  // the pending one: into the body itself
  bool input_ended_ = false;
  Head head_;
  BodyDecoder decoder_;
  BodyIntake body_;

  // The requests numbered [first_, next_), in a ring.
  std::vector<Slot> slots_;
  uint64_t first_ = 0, next_ = 0;

  bool pumping_ = false;
  bool ending_ = false;    // once the output is written
  bool unread_ = false;    // a request was given up before its end
  bool aborting_ = false;  // so that the peer sees the answer broken off
  bool draining_ = false;

  Wait wait_ = Wait::kNone;
  SteadyTime read_deadline_ = SteadyTime::max();
  int64_t lingered_bytes_ = 0;
};

}  // namespace weft::http
