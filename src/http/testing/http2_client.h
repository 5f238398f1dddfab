// SPDX-License-Identifier: Apache-2.0
// A client of HTTP/2 for tests: many streams over one connection, each step when the test says so.
#pragma once

#include <nghttp2/nghttp2.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace weft::http {

struct Http2Answer {
  int status = 0;                              // 0: none yet
  std::map<std::string, std::string> headers;  // of the last head
  std::string body;
  std::vector<int> interim;       // statuses that came before: 100
  bool whole = false;             // ended as it should
  bool closed = false;            // nothing more comes
  std::optional<uint32_t> reset;  // with this error code
};

// One thread; nothing happens outside its functions.
class Http2Client {
 public:
  struct Options {
    int port = 0;
    int32_t window = 0;             // of each stream, for what it receives; 0: the protocol's own
    bool gives_window_back = true;  // as it receives
    int receive_buffer_bytes = 0;
    bool checks = true;  // keeps to the protocol itself
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit Http2Client(Options options);
  ~Http2Client();
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  // A whole request, or the begin of one.
  int32_t Send(const std::string& method, const std::string& path, std::string body = "",
               const Headers& more = {});
  int32_t Begin(const std::string& method, const std::string& path, const Headers& more = {});
  // Fields as they are given, without a body.
  int32_t SendFields(const Headers& fields, bool ends = true);
  void Write(int32_t stream, std::string_view bytes);
  void End(int32_t stream);
  void Trail(int32_t stream, const Headers& trailers);  // ends it with trailers
  void Reset(int32_t stream, uint32_t code = NGHTTP2_CANCEL);
  void GiveWindow(int32_t stream, int32_t bytes);
  void Ping();
  void EndSending();

  // Sends and receives until it is so, or the server has closed, or patience is over.
  bool Until(const std::function<bool()>& so, milliseconds wait = milliseconds(15'000));
  void For(milliseconds wait) {
    Until([] { return false; }, wait);
  }
  // The stream's answer once nothing more of it comes.
  const Http2Answer& Receive(int32_t stream);
  const Http2Answer& answer(int32_t stream) { return answers_[stream]; }

  bool closed() const { return closed_; }
  std::optional<uint32_t> goaway() const { return goaway_; }
  int pings() const { return pings_; }  // answered
  uint32_t server_setting(nghttp2_settings_id id) const {
    return nghttp2_session_get_remote_settings(session_, id);
  }
  int64_t unsent(int32_t stream) const;  // bytes written and not yet let through

 private:
  struct Outgoing {
    std::string bytes;
    size_t at = 0;  // those before it are sent
    bool ended = false;
    bool trails = false;
  };
  struct Events;
  friend struct Events;
  int32_t Submit(const Headers& fields, bool has_body);
  bool Step(int wait_ms);
  void Gather();

  Options options_;
  int socket_ = -1;
  nghttp2_session* session_ = nullptr;
  std::string out_;
  std::map<int32_t, Outgoing> outgoing_;
  std::map<int32_t, Http2Answer> answers_;
  bool closed_ = false;
  std::optional<uint32_t> goaway_;
  int pings_ = 0;
};

}  // namespace weft::http
