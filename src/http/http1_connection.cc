// SPDX-License-Identifier: Apache-2.0
// The receiving side and the life of a connection; the sending side is http1_answers.cc.
#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "http/http1_connection_internal.h"

namespace weft::http {
namespace {

constexpr size_t kInputBytes = 8 << 10, kInputBytesLarge = 256 << 10;
constexpr uint64_t kPipelinedMax = 64;
constexpr size_t kUnsentMax =
    256 << 10;  // a client that sends but does not receive waits from here on

}  // namespace

std::shared_ptr<Session> MakeHttp1(Connection connection, std::string input) {
  return std::make_shared<Http1Connection>(std::move(connection), input);
}

Http1Connection::Http1Connection(Connection connection, std::string_view input)
    : LiveConnection(std::move(connection)),
      in_size_(std::max(input.size(), kInputBytes)),
      slots_(1) {
  in_.reset(new char[in_size_]);
  in_end_ = input.copy(in_.get(), input.size());
}

Http1Connection::~Http1Connection() = default;

void Http1Connection::Start() { Pump(); }
void Http1Connection::Settle() { Pump(); }

void Http1Connection::OnRead(WireEvent event, size_t bytes) {
  read_pending_ = false;
  const bool in_place = std::exchange(read_in_place_, false);
  if (closed_) return;
  if (event == WireEvent::kFailed) return Close(false);
  if (event == WireEvent::kEnded) input_ended_ = true;
  if (reading_ == Reading::kLingering) {
    lingered_bytes_ += static_cast<int64_t>(bytes);
    if (input_ended_ || lingered_bytes_ > (int64_t{1} << 20)) return Close(false);
    return StartRead();
  }
  if (!in_place) in_end_ += bytes;
  if (reading_ == Reading::kBody && bytes > 0) wait_ = Wait::kNone;  // the time runs anew
  now_ = std::chrono::steady_clock::now();
  if (in_place && reading_ == Reading::kBody) TookInPlace(bytes);
  Pump();
}

void Http1Connection::Pump() {
  if (pumping_ || closed_) return;  // an answer came from within a handler: whoever pumps goes on
  pumping_ = true;
  for (bool more = true; more && !closed_;) {
    ReadInput();
    more = Flush();
  }
  pumping_ = false;
  if (closed_) return;
  if (input_ended_ && reading_ != Reading::kNothing) {
    // A client may stop sending and still wait for its answers; what it began and did not finish is
    // void.
    if (reading_ == Reading::kBody) FailBody({400, "the body was cut off"});
    reading_ = Reading::kNothing;
    if (in_flight() == 0)
      ending_ = true;
    else
      SlotOf(next_ - 1).keep_alive = false;
    Flush();
  }
  StartWrite();
  if (ending_ && out_.empty() && !write_pending_) return EndConnection();
  StartRead();
  SetDeadline();
}

bool Http1Connection::ReadInput() {
  bool any = false;
  while (!closed_) {
    bool progress =
        reading_ == Reading::kHead ? ReadHead() : reading_ == Reading::kBody && ReadBody();
    if (!progress) break;
    any = true;
  }
  return any;
}

bool Http1Connection::ReadHead() {
  if (in_flight() >= kPipelinedMax || out_.bytes() > kUnsentMax) return false;
  std::string_view text(in_.get() + in_begin_, in_end_ - in_begin_);
  // An empty line before a request is skipped: some clients end a body with one.
  while (text.starts_with("\r\n")) {
    text.remove_prefix(2);
    in_begin_ += 2;
    in_searched_ = 0;
  }
  if (draining_ && (text.empty() || in_flight() > 0)) {
    reading_ = Reading::kNothing;
    if (in_flight() == 0) ending_ = true;
    return false;
  }
  if (text.empty()) return false;
  size_t from = in_searched_ > 3 ? in_searched_ - 3 : 0;
  size_t end = text.find("\r\n\r\n", from);
  size_t bytes_max = static_cast<size_t>(service_.options.header_bytes_max);
  if (end == std::string_view::npos ? text.size() > bytes_max : end + 4 > bytes_max) {
    Refuse({431, fmt::format("the request's head is longer than {} bytes", bytes_max)});
    return false;
  }
  if (end == std::string_view::npos) {
    in_searched_ = text.size();
    // What is wrong with the first line shows before the head ends: a client of another protocol
    // would wait.
    if (text.find("\n\n") != std::string_view::npos)
      Refuse({400, "a line of the head does not end in CR LF"});
    return false;
  }
  in_searched_ = 0;
  in_begin_ += end + 4;
  return TakeHead(text.substr(0, end + 4));
}

bool Http1Connection::TakeHead(std::string_view text) {
  head_ = Head();
  auto refusal = ParseHead(text, head_);
  Slot& slot = AddSlot();
  Request& request = head_.request;
  slot.method = request.method;
  slot.http10 = head_.http10;
  slot.keep_alive = head_.keep_alive;
  request.id.assign(slot.id.data(), slot.id.size());
  request.remote_address = remote_address_;
  request.secure = wire_->secure();
  if (refusal) {
    FailBody(std::move(*refusal));
    return false;
  }
  PlanBody();
  return reading_ != Reading::kNothing;
}

void Http1Connection::PlanBody() {
  auto refusal = body_.Start(service_.PlanFor(head_.request), head_.content_length);
  if (refusal) return FailBody(std::move(*refusal));
  if (head_.chunked) {
    decoder_.StartChunked(service_.options.header_bytes_max);
  } else {
    decoder_.StartLength(head_.content_length);
  }
  bool has_body = head_.chunked || head_.content_length > 0;
  SlotOf(next_ - 1).owes_continue = head_.expects_continue && has_body && in_begin_ == in_end_;
  reading_ = Reading::kBody;
  if (body_.plan().stream) {
    auto stream = std::make_shared<InStream>(loop_, shared_from_this(), next_ - 1);
    body_.StreamTo(stream);
    head_.request.stream = std::move(stream);
    return Dispatch();
  }
  head_.request.body.reserve(static_cast<size_t>(head_.content_length) + kBodyPaddingBytes);
}

bool Http1Connection::ReadBody() {
  while (reading_ == Reading::kBody && !body_.full()) {
    std::string_view input(in_.get() + in_begin_, in_end_ - in_begin_);
    size_t before = input.size();
    std::string_view piece;
    BodyDecoder::State state = decoder_.Feed(input, piece);
    in_begin_ += before - input.size();
    if (state == BodyDecoder::State::kBad) {
      FailBody({400, "the chunked body is malformed"});
      return false;
    }
    if (!TakeBody(piece)) return false;
    if (state == BodyDecoder::State::kEnd) {
      EndBody();
      return reading_ == Reading::kHead;
    }
    if (input.size() == before) return false;
  }
  return false;
}

bool Http1Connection::TakeBody(BytesView piece) {
  if (piece.empty()) return true;
  SlotOf(next_ - 1).owes_continue = false;
  auto refusal = body_.Take(piece, head_.request.body);
  if (refusal) FailBody(std::move(*refusal));
  return !refusal;
}

// A large body of known length is received where it stays.
bool Http1Connection::ReadsInPlace() const {
  return reading_ == Reading::kBody && !decoder_.chunked() && !body_.streams() &&
         in_begin_ == in_end_ &&
         (body_.in_place() || decoder_.left() > static_cast<int64_t>(kInputBytes));
}

void Http1Connection::TookInPlace(size_t bytes) {
  SlotOf(next_ - 1).owes_continue = false;
  decoder_.Skip(static_cast<int64_t>(bytes));
  body_.Took(bytes);
  if (decoder_.left() == 0) EndBody();
}

void Http1Connection::EndBody() {
  reading_ = Reading::kHead;
  Slot& slot = SlotOf(next_ - 1);
  if (!slot.keep_alive) reading_ = Reading::kNothing;
  bool dispatched = body_.streams();
  body_.End(head_.request.body);
  if (!dispatched) Dispatch();
}

void Http1Connection::Dispatch() {
  auto exchange = std::make_shared<Exchange>(shared_from_this(), next_ - 1);
  service_.Run(body_.plan(), std::move(head_.request), std::move(exchange));
}

Http1Connection::Slot& Http1Connection::AddSlot() {
  if (in_flight() == slots_.size()) {
    std::vector<Slot> larger(slots_.size() * 2);
    for (uint64_t i = first_; i < next_; ++i) larger[i % larger.size()] = std::move(SlotOf(i));
    slots_.swap(larger);
  }
  Slot& slot = SlotOf(next_++);  // as FinishSlot left it
  slot.id = loop_->NextId();
  slot.begin = now_;
  return slot;
}

void Http1Connection::Refuse(Refusal refusal) {
  AddSlot();
  FailBody(std::move(refusal));
}

void Http1Connection::FailBody(Refusal refusal) {
  reading_ = Reading::kNothing;
  unread_ = true;
  Slot& slot = SlotOf(next_ - 1);
  slot.keep_alive = false;
  slot.owes_continue = false;
  if (body_.streams()) {  // a handler is at it, and answers
    Code code = refusal.status == 408 || input_ended_ ? Code::kUnavailable : Code::kInvalid;
    return body_.Fail(Error(code, std::move(refusal.message)));
  }
  slot.response = RefusalResponse(refusal, {slot.id.data(), slot.id.size()});
  slot.answered = true;
}

void Http1Connection::OnBodyTaken(uint64_t exchange) {
  if (closed_ || !body_.full() || exchange != next_ - 1) return;
  body_.MadeRoom();
  wait_ = Wait::kNone;
  now_ = std::chrono::steady_clock::now();
  Pump();
}

// Room for the next read: a large one while a large body comes, else a small one.
void Http1Connection::MakeRoom() {
  size_t held = in_end_ - in_begin_;
  bool large = reading_ == Reading::kBody && decoder_.left() > static_cast<int64_t>(kInputBytes);
  size_t wanted = large ? kInputBytesLarge : kInputBytes;
  wanted = std::max(wanted, held + kInputBytes / 2);
  bool fits = in_size_ - in_end_ >= kInputBytes / 2 && in_size_ >= wanted / 2;
  if (held == 0) in_begin_ = in_end_ = 0;
  if (held == 0 && in_size_ == wanted) return;
  if (held > 0 && fits && in_size_ <= kInputBytesLarge) return;
  if (held > 0 && in_size_ >= wanted && in_size_ - held >= kInputBytes / 2) {
    std::memmove(in_.get(), in_.get() + in_begin_, held);
  } else {
    std::unique_ptr<char[]> larger(new char[wanted]);
    if (held > 0) std::memcpy(larger.get(), in_.get() + in_begin_, held);
    in_ = std::move(larger);
    in_size_ = wanted;
  }
  in_begin_ = 0;
  in_end_ = held;
}

void Http1Connection::StartRead() {
  if (read_pending_ || input_ended_ || closed_) return;
  if (reading_ == Reading::kNothing) return;
  if (reading_ == Reading::kBody && body_.full()) return;
  if (reading_ == Reading::kHead && (in_flight() >= kPipelinedMax || out_.bytes() > kUnsentMax))
    return;
  if (reading_ == Reading::kLingering) in_begin_ = in_end_ = 0;
  read_pending_ = true;
  if (ReadsInPlace()) {
    read_in_place_ = true;
    const auto room = body_.Room(head_.request.body, decoder_.left());
    return wire_->Read(shared_from_this(), room.data(), room.size());
  }
  MakeRoom();
  wire_->Read(shared_from_this(), in_.get() + in_end_, in_size_ - in_end_);
}

void Http1Connection::SetDeadline() {
  if (closed_) return;
  Wait wait = Wait::kNone;
  if (reading_ == Reading::kBody) {
    if (!body_.full()) wait = Wait::kBody;
  } else if (reading_ == Reading::kHead) {
    if (in_begin_ < in_end_)
      wait = Wait::kHead;
    else if (in_flight() == 0 && out_.empty())
      wait = Wait::kIdle;
  }
  if (wait == wait_ && wait != Wait::kIdle) return;
  wait_ = wait;
  const auto& options = service_.options;
  read_deadline_ = wait == Wait::kNone   ? SteadyTime::max()
                   : wait == Wait::kIdle ? now_ + options.idle_time_max
                   : wait == Wait::kHead ? now_ + options.header_time_max
                                         : now_ + options.body_time_max;
}

void Http1Connection::Tick(SteadyTime now) {
  if (closed_) return;
  now_ = now;
  if (now >= write_deadline_) return Close(true);
  if (now >= read_deadline_) OnDeadline();
}

void Http1Connection::OnDeadline() {
  Wait wait = wait_;
  wait_ = Wait::kNone;
  read_deadline_ = SteadyTime::max();
  if (wait == Wait::kIdle || wait == Wait::kLinger) return Close(false);
  if (wait == Wait::kHead) {
    Refuse({408, fmt::format("the request's head took longer than {} s",
                             service_.options.header_time_max.count())});
  } else {
    FailBody({408, fmt::format("nothing more of the body came in {} s",
                               service_.options.body_time_max.count())});
  }
  Pump();
}

void Http1Connection::Drain() {
  if (closed_ || draining_) return;
  draining_ = true;
  now_ = std::chrono::steady_clock::now();
  Pump();
}

}  // namespace weft::http
