// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "http/http2_callbacks_internal.h"
#include "http/http2_connection_internal.h"

namespace weft::http {

struct Http2Callbacks {
  using Session = nghttp2_session;
  using Frame = nghttp2_frame;

  static Http2Connection& Self(void* self) { return *static_cast<Http2Connection*>(self); }
  static Http2Stream* StreamOf(Session* session, int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }
  static std::string_view Text(const uint8_t* at, size_t bytes) {
    return {reinterpret_cast<const char*>(at), bytes};
  }
  static bool EndsStream(const Frame& frame) {
    bool ends = frame.hd.type == NGHTTP2_DATA || frame.hd.type == NGHTTP2_HEADERS;
    return ends && (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  }

  static int OnBeginFrame(Session*, const nghttp2_frame_hd* head, void* self) {
    return Self(self).OnFrameBegin(*head);
  }
  static int OnBeginHeaders(Session*, const Frame* frame, void* self) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    return Self(self).OnRequestBegin(frame->hd.stream_id);
  }
  static int OnHeader(Session* session, const Frame* frame, const uint8_t* name, size_t name_bytes,
                      const uint8_t* value, size_t value_bytes, uint8_t, void* self) {
    Http2Stream* stream = StreamOf(session, frame->hd.stream_id);
    if (stream != nullptr)
      Self(self).OnField(*stream, Text(name, name_bytes), Text(value, value_bytes));
    return 0;
  }
  static int OnInvalidHeader(Session* session, const Frame* frame, const uint8_t*, size_t,
                             const uint8_t*, size_t, uint8_t, void*) {
    Http2Stream* stream = StreamOf(session, frame->hd.stream_id);
    if (stream != nullptr)
      stream->head.Refuse(Malformed("a header has a character that may not be in it"));
    return 0;
  }
  static int OnFrameReceived(Session* session, const Frame* frame, void* self) {
    Http2Stream* stream = StreamOf(session, frame->hd.stream_id);
    if (stream == nullptr) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && !stream->head_taken) Self(self).OnHead(*stream);
    if (EndsStream(*frame)) {
      Self(self).OnRequestEnd(*stream);
    } else if (frame->hd.type == NGHTTP2_HEADERS && stream->head.expects_continue &&
               stream->status == 0) {
      nghttp2_nv status{};
      char name[] = ":status", value[] = "100";
      status.name = reinterpret_cast<uint8_t*>(name);
      status.value = reinterpret_cast<uint8_t*>(value);
      status.namelen = sizeof name - 1;
      status.valuelen = sizeof value - 1;
      nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, stream->id, nullptr, &status, 1, nullptr);
    }
    return 0;
  }
  static int OnDataChunk(Session* session, uint8_t, int32_t id, const uint8_t* data, size_t bytes,
                         void* self) {
    nghttp2_session_consume_connection(session, bytes);
    Http2Stream* stream = StreamOf(session, id);
    if (stream != nullptr) Self(self).OnData(*stream, Text(data, bytes));
    return 0;
  }
  static int OnStreamClose(Session* session, int32_t id, uint32_t, void* self) {
    Http2Stream* stream = StreamOf(session, id);
    if (stream != nullptr) Self(self).OnClosed(*stream);
    return 0;
  }

  static ssize_t Send(Session*, const uint8_t* data, size_t bytes, int, void* self) {
    return Self(self).SendFrame(Text(data, bytes));
  }
  static int SendData(Session*, Frame*, const uint8_t* head, size_t bytes,
                      nghttp2_data_source* source, void* self) {
    return Self(self).SendData(*static_cast<Http2Stream*>(source->ptr), head, bytes);
  }
  static int OnFrameSent(Session* session, const Frame* frame, void* self) {
    if (!EndsStream(*frame)) return 0;
    Http2Stream* stream = StreamOf(session, frame->hd.stream_id);
    if (stream != nullptr) Self(self).OnEndSent(*stream);
    return 0;
  }
  static int OnFrameNotSent(Session* session, const Frame* frame, int, void* self) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    Http2Stream* stream = StreamOf(session, frame->hd.stream_id);
    if (stream != nullptr) Self(self).Break(*stream, NGHTTP2_INTERNAL_ERROR);
    return 0;
  }

  static nghttp2_session_callbacks* Make() {
    nghttp2_session_callbacks* made = nullptr;
    CHECK(nghttp2_session_callbacks_new(&made) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, OnBeginFrame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(made, OnHeader);
    nghttp2_session_callbacks_set_on_invalid_header_callback(made, OnInvalidHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, OnFrameReceived);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, OnDataChunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, OnStreamClose);
    nghttp2_session_callbacks_set_send_callback(made, Send);
    nghttp2_session_callbacks_set_send_data_callback(made, SendData);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, OnFrameSent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(made, OnFrameNotSent);
    return made;
  }
};

namespace {

constexpr size_t kHeadSentMax = 1 << 20;
constexpr uint64_t kResetsMax = 2000, kResetsEachSecond = 200;

nghttp2_option* MakeOptions() {
  nghttp2_option* made = nullptr;
  CHECK(nghttp2_option_new(&made) == 0);
  nghttp2_option_set_no_auto_window_update(made, 1);
  nghttp2_option_set_no_closed_streams(made, 1);
  nghttp2_option_set_max_send_header_block_length(made, kHeadSentMax);
  // Its own limits on floods (resets, acknowledgements that are not read, continuations, settings)
  // stand behind ours, which count.
  nghttp2_option_set_stream_reset_rate_limit(made, kResetsMax, kResetsEachSecond);
  return made;
}

}  // namespace

nghttp2_session* NewHttp2Session(Http2Connection& connection) {
  static nghttp2_session_callbacks* const callbacks = Http2Callbacks::Make();
  static nghttp2_option* const options = MakeOptions();
  nghttp2_session* session = nullptr;
  CHECK(nghttp2_session_server_new2(&session, callbacks, &connection, options) == 0);
  return session;
}

}  // namespace weft::http
