// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weft::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

// One keep-alive connection that has at most one request under way. It never blocks; as bare as can
// be, so that what is measured is the server.
class LoadConnection {
 public:
  // With `tls`, in its sessions; the server's certificate is not looked at.
  LoadConnection(int port, SSL_CTX* tls) : port_(port), tls_(tls) {}
  ~LoadConnection();
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  // Connects, anew where it was connected. False when nobody listens.
  bool Open();
  int descriptor() const { return descriptor_; }

  // Begins to send; the bytes must stay until the answer is there. False when the server closed.
  bool Send(std::string_view request);
  bool WriteMore();
  bool wants_write() const { return !unsent_.empty(); }

  enum class Progress { kWaiting, kAnswered, kClosed };
  Progress ReadMore();
  // Of the last answer.
  int status() const { return status_; }
  const std::string& answer() const { return answer_; }

  SteadyTime sent_at{};
  // For who sends.
  size_t request_index = 0;
  bool busy = false;

 private:
  struct Free {
    void operator()(SSL* session) const { SSL_free(session); }
  };
  // As send and recv.
  ssize_t Write(std::string_view bytes);
  ssize_t Read(char* buffer, size_t bytes);

  const int port_;
  SSL_CTX* const tls_;
  int descriptor_ = -1;
  std::unique_ptr<SSL, Free> session_;
  std::string_view unsent_;
  std::string answer_;
  int status_ = 0;
};

}  // namespace weft::bench
