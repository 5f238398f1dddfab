// SPDX-License-Identifier: Apache-2.0
// One connection that speaks HTTP/2 (RFC 9113): nghttp2 keeps the protocol's state, this keeps the
// requests and their answers, and the limits.
//
// Flow control. The client's window for the whole connection is given back for every byte at once,
// so that no stream can stall another. A stream's own window (kStreamWindow) is given back as its
// body is taken: by its handler when that reads a stream, else as long as the bodies being gathered
// on this connection are below a budget; past it only the oldest goes on. So a connection holds at
// most that budget, one body, and a window for each of its streams.
#pragma once

#include <nghttp2/nghttp2.h>

#include <map>
#include <memory>
#include <vector>

#include "http/connection_internal.h"
#include "http/http2_stream_internal.h"

namespace weft::http {

// How many frames that cost a client nothing it may send: so many at once, and so many a second.
class FrameAllowance {
 public:
  bool Spend(SteadyTime now);

 private:
  double left_ = 1000;
  SteadyTime at_{};
};

class Http2Connection final : public LiveConnection {
 public:
  Http2Connection(Connection connection, std::string input);
  ~Http2Connection() override;

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
  friend struct Http2Callbacks;
  using Stream = Http2Stream;

  // What nghttp2 tells, from within nghttp2_session_mem_recv (the first six) and
  // nghttp2_session_send. The return value goes back to it.
  int OnFrameBegin(const nghttp2_frame_hd& head);
  int OnRequestBegin(int32_t id);
  void OnField(Stream& stream, std::string_view name, std::string_view value);
  void OnHead(Stream& stream);
  void OnData(Stream& stream, BytesView piece);
  void OnRequestEnd(Stream& stream);
  void OnClosed(Stream& stream);
  void OnEndSent(Stream& stream);
  ssize_t GiveData(Stream& stream, size_t bytes_max, uint32_t& flags);
  int SendData(Stream& stream, const uint8_t* frame_head, size_t bytes);
  ssize_t SendFrame(BytesView bytes);

  Stream* StreamOf(uint64_t exchange);
  void Feed(std::string_view input);
  void Dispatch();
  void Refuse(Stream& stream, Refusal refusal);
  void Release(Stream& stream);  // gives the client room for what its body was withheld
  void ReleaseWithheld();
  bool MayGather(const Stream& stream) const;
  void Uncount(Stream& stream);
  void DropRequests() override;

  void SendHead(Stream& stream, const Response& head, std::optional<int64_t> length, bool has_body);
  void SendWhole(Stream& stream, Response response);
  void Break(Stream& stream, uint32_t reason);

  void Pump() override;
  void SettleSoon();
  void StartRead();
  bool TickStreams();  // true when it did something
  bool idle() const { return streams_.empty() && out_.empty() && !write_pending_; }
  void Terminate(uint32_t reason);
  void EndConnection();

  nghttp2_session* session_ = nullptr;

  // The oldest first. One that is gone stays for as long as its handler owes the answer, so that
  // a client cannot have more handled at once by giving up what it asked.
  std::map<int32_t, std::unique_ptr<Stream>> streams_;
  std::vector<int32_t> ready_;  // to be dispatched
  int64_t gathered_ = 0;        // bytes of bodies held whole, or to be, and not yet answered
  bool withholding_ = false;
  FrameAllowance allowance_;
  bool flooded_ = false;

  std::string in_;
  bool read_pending_ = false;
  bool pumping_ = false;
  bool settling_ = false;
  bool ending_ = false;  // nothing that comes counts any more
  bool lingering_ = false;
  int64_t lingered_bytes_ = 0;

  SteadyTime greeting_deadline_;  // for the client's first frame
  SteadyTime idle_since_;
  SteadyTime linger_deadline_ = SteadyTime::max();
};

}  // namespace weft::http
