// SPDX-License-Identifier: Apache-2.0
#include "http/testing/http2_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/check.h"

namespace weft::http {

// What nghttp2 tells.
struct Http2Client::Events {
  static Http2Client& Self(void* self) { return *static_cast<Http2Client*>(self); }

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    Http2Answer& answer = Self(self).answers_[frame->hd.stream_id];
    if (answer.status >= 100 && answer.status < 200) answer.interim.push_back(answer.status);
    answer.headers.clear();
    return 0;
  }
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_bytes, const uint8_t* value, size_t value_bytes, uint8_t,
                      void* self) {
    Http2Answer& answer = Self(self).answers_[frame->hd.stream_id];
    std::string key(reinterpret_cast<const char*>(name), name_bytes);
    std::string text(reinterpret_cast<const char*>(value), value_bytes);
    if (key == ":status") answer.status = std::stoi(text);
    answer.headers[key] = text;
    return 0;
  }
  static int OnData(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* data,
                    size_t bytes, void* self) {
    Self(self).answers_[stream].body.append(reinterpret_cast<const char*>(data), bytes);
    nghttp2_session_consume_connection(session, bytes);
    if (Self(self).options_.gives_window_back)
      nghttp2_session_consume_stream(session, stream, bytes);
    return 0;
  }
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY) Self(self).goaway_ = frame->goaway.error_code;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
      ++Self(self).pings_;
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
      Self(self).answers_[frame->hd.stream_id].whole = true;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
      Self(self).answers_[frame->hd.stream_id].reset = frame->rst_stream.error_code;
    return 0;
  }
  static int OnClose(nghttp2_session*, int32_t stream, uint32_t code, void* self) {
    Http2Answer& answer = Self(self).answers_[stream];
    answer.closed = true;
    if (code != NGHTTP2_NO_ERROR && !answer.reset) answer.reset = code;
    return 0;
  }
  static ssize_t GiveData(nghttp2_session* session, int32_t stream, uint8_t* to, size_t bytes_max,
                          uint32_t* flags, nghttp2_data_source*, void* self) {
    (void)session;
    Outgoing& out = Self(self).outgoing_[stream];
    size_t given = std::min(bytes_max, out.bytes.size() - out.at);
    std::memcpy(to, out.bytes.data() + out.at, given);
    out.at += given;
    if (out.at == out.bytes.size() && out.ended) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (out.trails) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    } else if (given == 0) {
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(given);
  }
};

Http2Client::Http2Client(Options options)
    : options_(options), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  CHECK(socket_ >= 0);
  int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (options_.receive_buffer_bytes > 0) {
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &options_.receive_buffer_bytes,
               sizeof options_.receive_buffer_bytes);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(options_.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);

  nghttp2_session_callbacks* callbacks = nullptr;
  CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Events::OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Events::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Events::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Events::OnFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Events::OnClose);
  nghttp2_option* option = nullptr;
  CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_auto_window_update(option, 1);
  if (!options_.checks) nghttp2_option_set_no_http_messaging(option, 1);
  CHECK(nghttp2_session_client_new2(&session_, callbacks, this, option) == 0);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  std::vector<nghttp2_settings_entry> settings;
  if (options_.window > 0) {
    settings.push_back(
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<uint32_t>(options_.window)});
  }
  CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) ==
        0);
}

Http2Client::~Http2Client() {
  nghttp2_session_del(session_);
  close(socket_);
}

int32_t Http2Client::Submit(const Headers& fields, bool has_body) {
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : fields) {
    list.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  nghttp2_data_provider body{};
  body.read_callback = Events::GiveData;
  int32_t stream = nghttp2_submit_request(session_, nullptr, list.data(), list.size(),
                                          has_body ? &body : nullptr, nullptr);
  CHECK(stream > 0);
  answers_[stream];
  return stream;
}

int32_t Http2Client::SendFields(const Headers& fields, bool ends) { return Submit(fields, !ends); }

int32_t Http2Client::Begin(const std::string& method, const std::string& path,
                           const Headers& more) {
  Headers fields = {{":method", method}, {":scheme", "http"}, {":authority", "h"}, {":path", path}};
  fields.insert(fields.end(), more.begin(), more.end());
  return Submit(fields, true);
}

int32_t Http2Client::Send(const std::string& method, const std::string& path, std::string body,
                          const Headers& more) {
  Headers fields = {{":method", method}, {":scheme", "http"}, {":authority", "h"}, {":path", path}};
  fields.insert(fields.end(), more.begin(), more.end());
  int32_t stream = Submit(fields, !body.empty());
  if (!body.empty()) outgoing_[stream] = {std::move(body), 0, true, false};
  return stream;
}

void Http2Client::Write(int32_t stream, std::string_view bytes) {
  outgoing_[stream].bytes.append(bytes);
  nghttp2_session_resume_data(session_, stream);
}

void Http2Client::End(int32_t stream) {
  outgoing_[stream].ended = true;
  nghttp2_session_resume_data(session_, stream);
}

void Http2Client::Trail(int32_t stream, const Headers& trailers) {
  outgoing_[stream].trails = true;
  End(stream);
  Until([&] { return unsent(stream) == 0; });
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : trailers) {
    list.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  CHECK(nghttp2_submit_trailer(session_, stream, list.data(), list.size()) == 0);
}

void Http2Client::Reset(int32_t stream, uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, code);
}

void Http2Client::GiveWindow(int32_t stream, int32_t bytes) {
  nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, stream, bytes);
}

void Http2Client::Ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }

void Http2Client::EndSending() { shutdown(socket_, SHUT_WR); }

int64_t Http2Client::unsent(int32_t stream) const {
  auto found = outgoing_.find(stream);
  if (found == outgoing_.end()) return 0;
  return static_cast<int64_t>(found->second.bytes.size() - found->second.at);
}

void Http2Client::Gather() {
  const uint8_t* bytes = nullptr;
  while (out_.size() < (1 << 20)) {
    ssize_t made = nghttp2_session_mem_send(session_, &bytes);
    if (made <= 0) return;
    out_.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(made));
  }
}

bool Http2Client::Step(int wait_ms) {
  Gather();
  while (!out_.empty()) {
    ssize_t sent = send(socket_, out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) break;
    out_.erase(0, static_cast<size_t>(sent));
    Gather();
  }
  pollfd ready{socket_, static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT), 0};
  if (poll(&ready, 1, wait_ms) <= 0) return true;
  if ((ready.revents & ~POLLOUT) == 0) return true;
  uint8_t bytes[65536];
  ssize_t got = recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return true;
  if (got <= 0) return false;
  return nghttp2_session_mem_recv(session_, bytes, static_cast<size_t>(got)) >= 0;
}

bool Http2Client::Until(const std::function<bool()>& so, milliseconds wait) {
  auto end = std::chrono::steady_clock::now() + wait;
  while (!so()) {
    auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    if (closed_ || left.count() <= 0) return false;
    if (!Step(static_cast<int>(std::min<int64_t>(left.count(), 20)))) closed_ = true;
  }
  return true;
}

const Http2Answer& Http2Client::Receive(int32_t stream) {
  Until([&] { return answers_[stream].closed; });
  return answers_[stream];
}

}  // namespace weft::http
