// SPDX-License-Identifier: Apache-2.0
#include "load_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace weft::bench {
namespace {

// The bytes that the answer has in all, or 0 while its head is not whole. Servers that are measured
// here give a content-length.
size_t AnswerLength(const std::string& answer) {
  const size_t head_end = answer.find("\r\n\r\n");
  if (head_end == std::string::npos) return 0;
  static constexpr std::string_view kName = "content-length:";
  size_t body = 0;
  for (size_t at = answer.find("\r\n"); at < head_end; at = answer.find("\r\n", at + 2)) {
    const char* line = answer.data() + at + 2;
    if (strncasecmp(line, kName.data(), kName.size()) != 0) continue;
    body = static_cast<size_t>(std::strtoull(line + kName.size(), nullptr, 10));
    break;
  }
  return head_end + 4 + body;
}

}  // namespace

LoadConnection::~LoadConnection() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool LoadConnection::Open() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return false;
  }
  const int on = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (tls_ != nullptr) {
    session_.reset(SSL_new(tls_));
    SSL_set_fd(session_.get(), descriptor_);
    if (SSL_connect(session_.get()) != 1) return false;
  }
  fcntl(descriptor_, F_SETFL, fcntl(descriptor_, F_GETFL) | O_NONBLOCK);
  unsent_ = {};
  return true;
}

bool LoadConnection::Send(std::string_view request) {
  unsent_ = request;
  answer_.clear();
  sent_at = std::chrono::steady_clock::now();
  return WriteMore();
}

ssize_t LoadConnection::Write(std::string_view bytes) {
  if (session_ == nullptr) return send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  size_t wrote = 0;
  if (SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &wrote) == 1) {
    return static_cast<ssize_t>(wrote);
  }
  errno = SSL_get_error(session_.get(), 0) == SSL_ERROR_WANT_WRITE ? EAGAIN : EPIPE;
  return -1;
}

ssize_t LoadConnection::Read(char* buffer, size_t bytes) {
  if (session_ == nullptr) return recv(descriptor_, buffer, bytes, 0);
  size_t got = 0;
  if (SSL_read_ex(session_.get(), buffer, bytes, &got) == 1) return static_cast<ssize_t>(got);
  const int error = SSL_get_error(session_.get(), 0);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  errno = error == SSL_ERROR_WANT_READ ? EAGAIN : EPIPE;
  return -1;
}

bool LoadConnection::WriteMore() {
  while (!unsent_.empty()) {
    const ssize_t wrote = Write(unsent_);
    if (wrote < 0) return errno == EAGAIN || errno == EINTR;
    unsent_.remove_prefix(static_cast<size_t>(wrote));
  }
  return true;
}

LoadConnection::Progress LoadConnection::ReadMore() {
  char buffer[16 << 10];
  const ssize_t got = Read(buffer, sizeof(buffer));
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Progress::kWaiting : Progress::kClosed;
  if (got == 0) return Progress::kClosed;
  answer_.append(buffer, static_cast<size_t>(got));
  const size_t length = AnswerLength(answer_);
  if (length == 0 || answer_.size() < length) {
    // What a session has taken from the socket already makes no event.
    const bool more = session_ != nullptr && SSL_pending(session_.get()) > 0;
    return more ? ReadMore() : Progress::kWaiting;
  }
  status_ = std::atoi(answer_.c_str() + sizeof("HTTP/1.1"));
  return Progress::kAnswered;
}

}  // namespace weft::bench
