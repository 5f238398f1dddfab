// SPDX-License-Identifier: Apache-2.0
// The life of a connection, and what it receives; what it sends is http2_answers.cc.
#include <algorithm>

#include "base/check.h"
#include "base/logging.h"
#include "http/http2_callbacks_internal.h"
#include "http/http2_connection_internal.h"

namespace weft::http {
namespace {

constexpr size_t kInputBytes = 8 << 10, kInputBytesLarge = 128 << 10;
constexpr uint32_t kStreamsMax = 256;
constexpr int32_t kStreamWindow = 256 << 10, kConnectionWindow = 16 << 20;
constexpr int64_t kGatheredMax = int64_t{32} << 20;
constexpr size_t kReserveMax = 256 << 10;  // what a client merely says it will send gets no more
constexpr size_t kUnsentMax = 256 << 10;
constexpr auto kLingerTime = std::chrono::seconds(2);
constexpr int64_t kLingerBytes = int64_t{1} << 20;
constexpr double kAllowanceMax = 1000, kAllowanceEachSecond = 100;

}  // namespace

bool FrameAllowance::Spend(SteadyTime now) {
  double since = std::chrono::duration<double>(now - at_).count();
  left_ = std::min(kAllowanceMax, left_ + since * kAllowanceEachSecond);
  at_ = now;
  left_ -= 1;
  return left_ >= 0;
}

std::shared_ptr<Session> MakeHttp2(Connection connection, std::string input) {
  return std::make_shared<Http2Connection>(std::move(connection), std::move(input));
}

Http2Connection::Http2Connection(Connection connection, std::string input)
    : LiveConnection(std::move(connection)),
      in_(std::move(input)),
      greeting_deadline_(now_ + service_.options.header_time_max),
      idle_since_(now_) {
  session_ = NewHttp2Session(*this);
}

Http2Connection::~Http2Connection() { nghttp2_session_del(session_); }

void Http2Connection::Start() {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kStreamsMax},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       static_cast<uint32_t>(service_.options.header_bytes_max)}};
  CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings)) == 0);
  CHECK(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow) ==
        0);
  Feed(in_);
  Pump();
}

void Http2Connection::OnRead(WireEvent event, size_t bytes) {
  read_pending_ = false;
  if (closed_) return;
  // A client that has closed its side could not be given room to send, nor give any: it is gone.
  if (event != WireEvent::kDone) return Close(false);
  now_ = std::chrono::steady_clock::now();
  if (lingering_) {
    lingered_bytes_ += static_cast<int64_t>(bytes);
    if (lingered_bytes_ > kLingerBytes) return Close(false);
    return StartRead();
  }
  Feed(std::string_view(in_).substr(0, bytes));
  if (bytes == in_.size()) in_.resize(kInputBytesLarge);
  Pump();
}

void Http2Connection::Feed(std::string_view input) {
  if (ending_ || input.empty()) return;
  ssize_t taken = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(input.data()),
                                           input.size());
  if (taken >= 0) return;
  if (flooded_ || taken == NGHTTP2_ERR_FLOODED) {
    service_.metrics.CountFlood();
    Log(LogLevel::kInfo, "http", "closed a connection that floods", {{"remote", remote_address_}});
    return Terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  }
  Terminate(NGHTTP2_PROTOCOL_ERROR);
}

int Http2Connection::OnFrameBegin(const nghttp2_frame_hd& head) {
  greeting_deadline_ = SteadyTime::max();
  switch (head.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_WINDOW_UPDATE:
      return 0;
    case NGHTTP2_DATA:
      if (head.length > 0 || (head.flags & NGHTTP2_FLAG_END_STREAM) != 0) return 0;
      break;
    default:
      break;
  }
  if (allowance_.Spend(now_)) return 0;
  flooded_ = true;
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int Http2Connection::OnRequestBegin(int32_t id) {
  if (streams_.size() >= 2 * kStreamsMax) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  auto stream = std::make_unique<Stream>(id, loop_->NextId(), now_);
  stream->read_deadline = now_ + service_.options.header_time_max;
  nghttp2_session_set_stream_user_data(session_, id, stream.get());
  streams_.emplace(id, std::move(stream));
  return 0;
}

void Http2Connection::OnField(Stream& stream, std::string_view name, std::string_view value) {
  if (stream.head_taken) return;  // trailers say nothing to us
  stream.head.Add(name, value, static_cast<size_t>(service_.options.header_bytes_max));
}

void Http2Connection::OnHead(Stream& stream) {
  stream.head_taken = true;
  stream.read_deadline = now_ + service_.options.body_time_max;
  Request& request = stream.head.request;
  auto refusal = stream.head.Finish();
  stream.method = request.method;
  request.id = stream.name();
  request.remote_address = remote_address_;
  request.secure = wire_->secure();
  if (!refusal) {
    refusal = stream.intake.Start(service_.PlanFor(request), stream.head.content_length);
  }
  if (refusal) return Refuse(stream, std::move(*refusal));
  if (stream.intake.plan().stream) {
    auto body =
        std::make_shared<InStream>(loop_, shared_from_this(), static_cast<uint64_t>(stream.id));
    stream.intake.StreamTo(body);
    request.stream = std::move(body);
    stream.dispatched = true;
    ready_.push_back(stream.id);
    return;
  }
  auto said = static_cast<size_t>(stream.head.content_length);
  request.body.reserve(std::min(said, kReserveMax) + kBodyPaddingBytes);
}

void Http2Connection::OnData(Stream& stream, BytesView piece) {
  auto bytes = static_cast<int64_t>(piece.size());
  if (stream.deaf()) return;
  stream.read_deadline = now_ + service_.options.body_time_max;
  if (auto refusal = stream.intake.Take(piece, stream.head.request.body)) {
    if (!stream.intake.streams()) return Refuse(stream, std::move(*refusal));
    return stream.intake.Fail(Error(Code::kInvalid, std::move(refusal->message)));
  }
  stream.withheld += bytes;
  bool more = !stream.intake.full();
  if (!stream.intake.streams()) {
    stream.gathered += bytes;
    gathered_ += bytes;
    more = MayGather(stream);
    withholding_ |= !more;
  }
  if (more) return Release(stream);
  stream.read_deadline = SteadyTime::max();
}

void Http2Connection::OnRequestEnd(Stream& stream) {
  if (stream.whole) return;
  stream.whole = true;
  stream.read_deadline = SteadyTime::max();
  if (!stream.deaf()) {
    stream.intake.End(stream.head.request.body);
    if (!stream.dispatched) ready_.push_back(stream.id);
    stream.dispatched = true;
  }
  ReleaseWithheld();
}

void Http2Connection::OnClosed(Stream& stream) {
  if (stream.status != 0) {
    service_.metrics.Observe(stream.method, stream.status, stream.begin,
                             std::chrono::steady_clock::now());
  }
  stream.gone = true;
  stream.read_deadline = stream.write_deadline = SteadyTime::max();
  stream.intake.Fail(Error(Code::kUnavailable, "the client gave the request up"));
  if (stream.stream) stream.stream->Close();
  if (stream.owed) return;
  Uncount(stream);
  streams_.erase(stream.id);
}

void Http2Connection::Dispatch() {
  for (size_t i = 0; i < ready_.size(); ++i) {
    Stream* stream = StreamOf(static_cast<uint64_t>(ready_[i]));
    if (stream == nullptr || stream->gone) continue;  // given up meanwhile
    stream->owed = true;
    service_.Run(stream->intake.plan(), std::move(stream->head.request),
                 std::make_shared<Exchange>(shared_from_this(), static_cast<uint64_t>(stream->id)));
  }
  ready_.clear();
}

Http2Stream* Http2Connection::StreamOf(uint64_t exchange) {
  auto found = streams_.find(static_cast<int32_t>(exchange));
  return found == streams_.end() ? nullptr : found->second.get();
}

void Http2Connection::OnBodyTaken(uint64_t exchange) {
  Stream* stream = closed_ ? nullptr : StreamOf(exchange);
  if (stream == nullptr || !stream->intake.full()) return;
  stream->intake.MadeRoom();
  now_ = std::chrono::steady_clock::now();
  Release(*stream);
  SettleSoon();
}

void Http2Connection::Release(Stream& stream) {
  if (stream.withheld == 0) return;
  nghttp2_session_consume_stream(session_, stream.id, static_cast<size_t>(stream.withheld));
  stream.withheld = 0;
  if (!stream.whole) stream.read_deadline = now_ + service_.options.body_time_max;
}

bool Http2Connection::MayGather(const Stream& stream) const {
  if (gathered_ < kGatheredMax) return true;
  for (const auto& [id, other] : streams_) {
    if (other->gathers()) return other.get() == &stream;
  }
  return true;
}

void Http2Connection::ReleaseWithheld() {
  if (!withholding_) return;
  withholding_ = false;
  for (const auto& [id, stream] : streams_) {
    if (stream->withheld == 0 || !stream->gathers()) continue;
    if (MayGather(*stream)) {
      Release(*stream);
    } else {
      withholding_ = true;
    }
  }
}

void Http2Connection::Uncount(Stream& stream) {
  gathered_ -= std::exchange(stream.gathered, 0);
  ReleaseWithheld();
}

void Http2Connection::Pump() {
  if (pumping_ || closed_ || lingering_) return;
  pumping_ = true;
  Dispatch();
  int sent = nghttp2_session_send(session_);
  pumping_ = false;
  if (sent != 0) return Close(false);
  StartWrite();
  bool over = nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
  if (over && out_.empty() && !write_pending_) return EndConnection();
  StartRead();
  if (!idle()) {
    idle_since_ = now_;
  } else if (in_.size() > kInputBytes && !read_pending_) {
    in_ = {};
  }
}

// From an answer or the like: at once, or after the deliveries of which it is one.
void Http2Connection::SettleSoon() {
  if (settling_ || pumping_ || closed_) return;
  settling_ = loop_->SettleLater(shared_from_this());
  if (!settling_) Pump();
}

void Http2Connection::Settle() {
  settling_ = false;
  now_ = std::chrono::steady_clock::now();
  Pump();
}

void Http2Connection::StartRead() {
  if (read_pending_ || closed_ || (ending_ && !lingering_)) return;
  if (out_.bytes() > kUnsentMax) return;  // a client that only sends waits
  if (in_.size() < kInputBytes) in_.resize(kInputBytes);
  read_pending_ = true;
  wire_->Read(shared_from_this(), in_.data(), in_.size());
}

void Http2Connection::Tick(SteadyTime now) {
  if (closed_) return;
  now_ = now;
  if (now >= write_deadline_) return Close(true);
  if (now >= linger_deadline_) return Close(false);
  if (lingering_ || ending_) return;
  bool slow = now >= greeting_deadline_;
  bool idle_long = idle() && now >= idle_since_ + service_.options.idle_time_max;
  if (slow || idle_long) {
    Terminate(NGHTTP2_NO_ERROR);
  } else if (!TickStreams()) {
    return;
  }
  Pump();
}

bool Http2Connection::TickStreams() {
  bool any = false;
  for (const auto& [id, stream] : streams_) {
    if (now_ >= stream->write_deadline) {
      Break(*stream, NGHTTP2_CANCEL);
      any = true;
    }
    if (now_ < stream->read_deadline) continue;
    any = true;
    if (!stream->head_taken) {  // and so nothing else can come meanwhile
      Terminate(NGHTTP2_NO_ERROR);
      return true;
    }
    stream->read_deadline = SteadyTime::max();
    Refusal late{408, fmt::format("nothing more of the body came in {} s",
                                  service_.options.body_time_max.count())};
    if (stream->intake.streams()) {
      stream->intake.Fail(Error(Code::kUnavailable, std::move(late.message)));
    } else if (stream->status == 0) {
      Refuse(*stream, std::move(late));
    }
  }
  return any;
}

void Http2Connection::Drain() {
  if (closed_ || ending_) return;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  Pump();
}

void Http2Connection::Terminate(uint32_t reason) {
  if (ending_) return;
  ending_ = true;
  nghttp2_session_terminate_session(session_, reason);
}

// All is written. A client that is still sending would lose it to a reset if the connection were
// closed at once, so what it sends is read and dropped for a while.
void Http2Connection::EndConnection() {
  ending_ = lingering_ = true;
  DropRequests();
  linger_deadline_ = now_ + kLingerTime;
  wire_->EndWriting(shared_from_this());
  if (!wire_->secure()) StartRead();
}

void Http2Connection::DropRequests() {
  for (const auto& [id, stream] : streams_) {
    stream->intake.Fail(Error(Code::kUnavailable, "the client went away"));
    if (stream->stream) stream->stream->Close();
  }
  streams_.clear();
}

}  // namespace weft::http
