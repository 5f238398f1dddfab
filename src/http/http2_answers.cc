// SPDX-License-Identifier: Apache-2.0
// What a connection sends.
#include <algorithm>
#include <charconv>
#include <iterator>
#include <list>

#include "http/http2_connection_internal.h"

namespace weft::http {
namespace {

constexpr size_t kUnsentMax = 256 << 10;  // past it nghttp2 keeps what it has
constexpr size_t kFrameHeadBytes = 9;

// The fields of a head, as nghttp2 takes them; the values stay where they are.
class Fields {
 public:
  void Add(std::string_view name, std::string_view value, uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
    fields_.push_back({Pointer(name), Pointer(value), name.size(), value.size(), flags});
  }
  void AddNumber(std::string_view name, int64_t number) {
    Add(name, kept_.emplace_back(std::to_string(number)));
  }
  // A handler's: what HTTP/2 would not carry is mended or left out. nghttp2 makes names lower case.
  void AddForeign(std::string_view name, std::string_view value) {
    if (IsServersOwn(name) || !IsToken(name)) return;
    std::string& clean = kept_.emplace_back();
    AppendCleanly(clean, value);
    size_t begin = std::min(clean.find_first_not_of(" \t"), clean.size());
    size_t end = clean.find_last_not_of(" \t") + 1;
    Add(name, begin < end ? std::string_view(clean).substr(begin, end - begin) : "");
  }
  const std::vector<nghttp2_nv>& list() const { return fields_; }

 private:
  static uint8_t* Pointer(std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  }
  std::vector<nghttp2_nv> fields_;
  std::list<std::string> kept_;
};

}  // namespace

Http2Stream::Supply Http2Stream::Fill() {
  if (piece_at < piece.size()) return Supply::kBytes;
  if (last_piece) return Supply::kEnd;
  OutStream::End end = OutStream::End::kNone;
  piece = stream->Take(end);
  piece_at = 0;
  if (end == OutStream::End::kAborted || !length.Take(piece.size())) return Supply::kBroken;
  last_piece = end == OutStream::End::kFinished;
  if (last_piece && !length.complete()) return Supply::kBroken;
  if (!piece.empty()) return Supply::kBytes;
  return last_piece ? Supply::kEnd : Supply::kNoneYet;
}

void Http2Connection::OnAnswer(uint64_t exchange, Response&& response) {
  Stream* stream = closed_ ? nullptr : StreamOf(exchange);
  if (stream == nullptr || !stream->owed) return;
  stream->owed = false;
  Uncount(*stream);
  if (stream->gone) {
    streams_.erase(stream->id);
  } else {
    if (response.status == 0) response = UnansweredResponse(stream->name());
    SendWhole(*stream, std::move(response));
  }
  SettleSoon();
}

void Http2Connection::OnStream(uint64_t exchange, Response head, std::shared_ptr<OutStream> out) {
  Stream* stream = closed_ ? nullptr : StreamOf(exchange);
  if (stream == nullptr || !stream->owed) return out->Close();
  stream->owed = false;
  Uncount(*stream);
  if (stream->gone) {
    streams_.erase(stream->id);
    out->Close();
  } else {
    stream->stream = std::move(out);
    stream->length.Start(head.headers);
    bool silent = stream->method == "HEAD" || NeverHasBody(head.status);
    SendHead(*stream, head, stream->length.left(), !silent);
  }
  SettleSoon();
}

void Http2Connection::OnStreamReady(uint64_t exchange) {
  Stream* stream = closed_ ? nullptr : StreamOf(exchange);
  if (stream == nullptr || stream->gone) return;
  if (nghttp2_session_resume_data(session_, stream->id) != 0) return;  // it is not waiting
  stream->write_deadline = now_ + service_.options.body_time_max;
  SettleSoon();
}

void Http2Connection::Refuse(Stream& stream, Refusal refusal) {
  Uncount(stream);
  stream.head.request.body = {};
  stream.read_deadline = SteadyTime::max();
  SendWhole(stream, RefusalResponse(refusal, stream.name()));
}

void Http2Connection::SendWhole(Stream& stream, Response response) {
  bool head_only = stream.method == "HEAD";
  std::optional<int64_t> length = static_cast<int64_t>(response.body.size());
  // What a GET would say: the handler may know it without having made the body.
  if (head_only && response.body.empty()) length = LengthSaid(response.headers).value_or(0);
  bool silent = head_only || NeverHasBody(response.status);
  stream.last_piece = true;
  if (!silent) stream.piece = std::move(response.body);
  SendHead(stream, response, length, !stream.piece.empty());
}

void Http2Connection::SendHead(Stream& stream, const Response& head, std::optional<int64_t> length,
                               bool has_body) {
  stream.status = head.status;
  Fields fields;
  fields.AddNumber(":status", head.status);
  for (const auto& [name, value] : head.headers) fields.AddForeign(name, value);
  if (length && !NeverHasBody(head.status)) fields.AddNumber("content-length", *length);
  fields.Add("date", loop_->date());
  fields.Add("server", "weft");
  // Never the same again: it would only push out what is.
  fields.Add("x-request-id", stream.name(), NGHTTP2_NV_FLAG_NO_INDEX);
  nghttp2_data_provider body{};
  body.source.ptr = &stream;
  body.read_callback = [](nghttp2_session*, int32_t, uint8_t*, size_t bytes_max, uint32_t* flags,
                          nghttp2_data_source* source, void* self) {
    return static_cast<Http2Connection*>(self)->GiveData(*static_cast<Stream*>(source->ptr),
                                                         bytes_max, *flags);
  };
  int outcome = nghttp2_submit_response(session_, stream.id, fields.list().data(),
                                        fields.list().size(), has_body ? &body : nullptr);
  if (outcome != 0) return Break(stream, NGHTTP2_INTERNAL_ERROR);
  stream.write_deadline = now_ + service_.options.body_time_max;
}

void Http2Connection::Break(Stream& stream, uint32_t reason) {
  stream.read_deadline = stream.write_deadline = SteadyTime::max();
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, reason);
}

ssize_t Http2Connection::GiveData(Stream& stream, size_t bytes_max, uint32_t& flags) {
  switch (stream.Fill()) {
    case Stream::Supply::kBroken:
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // resets the stream
    case Stream::Supply::kNoneYet:
      stream.write_deadline = SteadyTime::max();
      return NGHTTP2_ERR_DEFERRED;
    case Stream::Supply::kEnd:
      flags |= NGHTTP2_DATA_FLAG_EOF;
      return 0;
    case Stream::Supply::kBytes:
      break;
  }
  size_t left = stream.piece.size() - stream.piece_at;
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (left <= bytes_max && stream.last_piece) flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(std::min(left, bytes_max));
}

// What GiveData promised.
int Http2Connection::SendData(Stream& stream, const uint8_t* frame_head, size_t bytes) {
  if (out_.bytes() > kUnsentMax) return NGHTTP2_ERR_WOULDBLOCK;
  std::string& tail = out_.Tail();
  tail.append(reinterpret_cast<const char*>(frame_head), kFrameHeadBytes);
  tail.append(stream.piece, stream.piece_at, bytes);
  out_.Appended(kFrameHeadBytes + bytes);
  stream.piece_at += bytes;
  if (stream.piece_at == stream.piece.size()) {
    stream.piece = {};
    stream.piece_at = 0;
  }
  stream.write_deadline = now_ + service_.options.body_time_max;
  return 0;
}

ssize_t Http2Connection::SendFrame(BytesView bytes) {
  if (out_.bytes() > kUnsentMax) return NGHTTP2_ERR_WOULDBLOCK;
  out_.Tail().append(bytes);
  out_.Appended(bytes.size());
  return static_cast<ssize_t>(bytes.size());
}

// An answer that comes before its request's end: the client need not go on.
void Http2Connection::OnEndSent(Stream& stream) {
  stream.write_deadline = SteadyTime::max();
  if (!stream.whole) Break(stream, NGHTTP2_NO_ERROR);
}

}  // namespace weft::http
