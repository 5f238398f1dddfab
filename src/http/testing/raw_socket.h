// SPDX-License-Identifier: Apache-2.0
// A client that sends what it is told, byte by byte, for tests of what a well-behaved one would
// never do.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace weft::http {

struct RawAnswer {
  int status = 0;                              // 0: the connection ended before a whole answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // chunks put together
};

class RawSocket {
 public:
  explicit RawSocket(int port, int receive_buffer_bytes = 0);
  ~RawSocket();
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  bool Send(std::string_view bytes);  // false when the server has closed
  void EndSending();
  // The next answer, without a body when it answers a HEAD.
  RawAnswer Receive(bool head_only = false);
  // Everything until the server closes or `wait` is over.
  std::string ReceiveAll(milliseconds wait = milliseconds(5000));
  // Whether the server closes within `wait`; what it sends meanwhile is dropped.
  bool ClosedWithin(milliseconds wait);
  const std::string& unread() const { return buffer_; }

 private:
  bool Fill();
  bool FillTo(size_t bytes);
  std::string TakeLine(bool& whole);
  int socket_ = -1;
  std::string buffer_;
};

}  // namespace weft::http
