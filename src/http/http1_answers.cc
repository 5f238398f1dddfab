// SPDX-License-Identifier: Apache-2.0
// The sending side of a connection, and its end.
#include <charconv>
#include <iterator>

#include "http/http1_connection_internal.h"

namespace weft::http {
namespace {

constexpr size_t kUnsentMax = 256 << 10;  // past it a stream's bytes stay with the stream
constexpr auto kLingerTime = std::chrono::seconds(2);

void AppendChunk(std::string& out, BytesView bytes) {
  char digits[20];
  auto end = std::to_chars(std::begin(digits), std::end(digits), bytes.size(), 16);
  out.append(digits, end.ptr).append("\r\n").append(bytes).append("\r\n");
}

}  // namespace

void Http1Connection::OnAnswer(uint64_t exchange, Response&& response) {
  if (closed_ || !Owed(exchange)) return;
  Slot& slot = SlotOf(exchange);
  if (response.status == 0) {
    response = UnansweredResponse({slot.id.data(), slot.id.size()});
  }
  slot.response = std::move(response);
  slot.answered = true;
  if (exchange == first_) Pump();
}

void Http1Connection::OnStream(uint64_t exchange, Response head,
                               std::shared_ptr<OutStream> stream) {
  if (closed_ || !Owed(exchange)) return stream->Close();
  Slot& slot = SlotOf(exchange);
  slot.response = std::move(head);
  slot.stream = std::move(stream);
  slot.answered = true;
  if (exchange == first_) Pump();
}

void Http1Connection::OnStreamReady(uint64_t exchange) {
  if (!closed_ && exchange == first_ && Owed(exchange)) Pump();
}

bool Http1Connection::Flush() {
  bool freed = false;
  while (in_flight() > 0 && !closed_ && !ending_) {
    if (!FlushSlot(SlotOf(first_))) break;
    freed = true;
  }
  return freed && (reading_ == Reading::kHead || reading_ == Reading::kBody);
}

// True when the slot was answered whole.
bool Http1Connection::FlushSlot(Slot& slot) {
  if (slot.owes_continue) {
    slot.owes_continue = false;
    if (!slot.answered) out_.Append("HTTP/1.1 100 Continue\r\n\r\n");
  }
  if (!slot.answered) return false;
  if (slot.stream && !SendStream(slot)) return false;
  if (!slot.stream) SendWhole(slot);
  FinishSlot(slot);
  return true;
}

// A connection goes on when both sides want it and the request's body has been read to its end.
bool Http1Connection::KeepsAlive(const Slot& slot) const {
  if (!slot.keep_alive || (draining_ && in_flight() == 1)) return false;
  if (reading_ == Reading::kBody && in_flight() == 1) return false;
  std::string_view wish = FindHeader(slot.response.headers, "connection");
  return wish != "close" && wish != "Close";
}

void Http1Connection::SendWhole(Slot& slot) {
  Response& response = slot.response;
  slot.keep_alive = KeepsAlive(slot);
  bool head_only = slot.method == "HEAD";
  auto length = static_cast<int64_t>(response.body.size());
  if (head_only && response.body.empty()) {
    // What a GET would say: the handler may know it without having made the body.
    length = LengthSaid(response.headers).value_or(0);
  }
  HeadOut how{.id = {slot.id.data(), slot.id.size()},
              .date = loop_->date(),
              .content_length = length,
              .keep_alive = slot.keep_alive,
              .http10 = slot.http10};
  std::string& tail = out_.Tail();
  size_t before = tail.size();
  AppendHead(tail, response, how);
  out_.Appended(tail.size() - before);
  if (!head_only && !NeverHasBody(response.status)) out_.Append(std::move(response.body));
}

void Http1Connection::StartStream(Slot& slot) {
  slot.head_sent = true;
  slot.keep_alive = KeepsAlive(slot);
  slot.length.Start(slot.response.headers);
  slot.framing = slot.length.left() ? BodyFraming::kLength
                 : slot.http10      ? BodyFraming::kUntilClose
                                    : BodyFraming::kChunked;
  if (slot.framing == BodyFraming::kUntilClose) slot.keep_alive = false;
  HeadOut how{.id = {slot.id.data(), slot.id.size()},
              .date = loop_->date(),
              .framing = slot.framing,
              .content_length = slot.length.left().value_or(0),
              .keep_alive = slot.keep_alive,
              .http10 = slot.http10};
  std::string& tail = out_.Tail();
  size_t before = tail.size();
  AppendHead(tail, slot.response, how);
  out_.Appended(tail.size() - before);
}

// True when the stream has ended and all of it is in the output.
bool Http1Connection::SendStream(Slot& slot) {
  if (!slot.head_sent) StartStream(slot);
  if (out_.bytes() > kUnsentMax) return false;
  OutStream::End end = OutStream::End::kNone;
  Bytes bytes = slot.stream->Take(end);
  bool silent = slot.method == "HEAD" || NeverHasBody(slot.response.status);
  if (!bytes.empty() && !silent) {
    if (!slot.length.Take(bytes.size())) {
      end = OutStream::End::kAborted;
    } else if (slot.framing == BodyFraming::kChunked) {
      std::string& tail = out_.Tail();
      size_t before = tail.size();
      AppendChunk(tail, bytes);
      out_.Appended(tail.size() - before);
    } else {
      out_.Append(std::move(bytes));
    }
  }
  bool short_of = end == OutStream::End::kFinished && !silent && !slot.length.complete();
  if (end == OutStream::End::kAborted || short_of) {
    aborting_ = true;
    slot.keep_alive = false;
    return true;
  }
  if (end == OutStream::End::kNone) return false;
  if (slot.framing == BodyFraming::kChunked && !silent) out_.Append("0\r\n\r\n");
  return true;
}

void Http1Connection::FinishSlot(Slot& slot) {
  service_.metrics.Observe(slot.method, slot.response.status, slot.begin,
                           std::chrono::steady_clock::now());
  if (slot.stream) slot.stream->Close();
  if (!slot.keep_alive) {
    ending_ = true;
    unread_ |= reading_ == Reading::kBody;
    if (body_.streams()) FailBody({400, "the request was answered before its body came"});
    reading_ = Reading::kNothing;
  }
  slot = Slot();
  ++first_;
  if (reading_ == Reading::kNothing && in_flight() == 0) ending_ = true;
}

// All is written. A client that is still sending would lose the answer to a reset if the connection
// were closed at once, so what it sends is read and dropped for a while. Over TLS a farewell is
// owed in any case.
void Http1Connection::EndConnection() {
  if (aborting_) return Close(true);
  bool may_send = unread_ || in_begin_ < in_end_ || wire_->secure();
  if (input_ended_ || !may_send) return Close(false);
  reading_ = Reading::kLingering;
  wait_ = Wait::kLinger;
  read_deadline_ = now_ + kLingerTime;
  wire_->EndWriting(shared_from_this());
  if (!wire_->secure()) StartRead();
}

void Http1Connection::DropRequests() {
  body_.Fail(Error(Code::kUnavailable, "the client went away"));
  for (uint64_t i = first_; i < next_; ++i) {
    if (SlotOf(i).stream) SlotOf(i).stream->Close();
  }
  first_ = next_;
  slots_.clear();
}

}  // namespace weft::http
