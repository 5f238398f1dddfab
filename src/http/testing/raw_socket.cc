// SPDX-License-Identifier: Apache-2.0
#include "http/testing/raw_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "base/check.h"

namespace weft::http {
namespace {

constexpr int kPatienceMs = 15'000;

}  // namespace

RawSocket::RawSocket(int port, int receive_buffer_bytes)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  CHECK(socket_ >= 0);
  int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_buffer_bytes > 0) {
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    close(socket_);
    socket_ = -1;
  }
}

RawSocket::~RawSocket() {
  if (socket_ >= 0) close(socket_);
}

bool RawSocket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void RawSocket::EndSending() { shutdown(socket_, SHUT_WR); }

bool RawSocket::Fill() {
  pollfd ready{socket_, POLLIN, 0};
  if (poll(&ready, 1, kPatienceMs) <= 0) return false;
  char bytes[65536];
  ssize_t got = recv(socket_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(got));
  return true;
}

bool RawSocket::FillTo(size_t bytes) {
  while (buffer_.size() < bytes) {
    if (!Fill()) return false;
  }
  return true;
}

std::string RawSocket::TakeLine(bool& whole) {
  size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    whole = Fill();
    if (!whole) return "";
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

RawAnswer RawSocket::Receive(bool head_only) {
  RawAnswer answer;
  bool whole = true;
  std::string line = TakeLine(whole);
  if (!whole || line.size() < 12) return answer;
  int status = std::stoi(line.substr(9, 3));
  while (!(line = TakeLine(whole)).empty()) {
    size_t colon = line.find(':');
    answer.headers[line.substr(0, colon)] = line.substr(std::min(colon + 2, line.size()));
  }
  if (!whole) return answer;
  if (head_only || status < 200 || status == 204 || status == 304) {
    answer.status = status;
    return answer;
  }
  if (answer.headers.count("transfer-encoding") > 0) {
    for (;;) {
      line = TakeLine(whole);
      if (!whole || line.empty()) return answer;
      size_t size = std::stoul(line, nullptr, 16);
      if (!FillTo(size + 2)) return answer;
      answer.body += buffer_.substr(0, size);
      buffer_.erase(0, size + 2);
      if (size == 0) break;
    }
  } else if (answer.headers.count("content-length") > 0) {
    size_t size = std::stoul(answer.headers["content-length"]);
    bool complete = FillTo(size);
    answer.body = buffer_.substr(0, size);
    buffer_.erase(0, std::min(size, buffer_.size()));
    if (!complete) return answer;
  } else {
    while (Fill()) continue;
    answer.body.swap(buffer_);
  }
  answer.status = status;
  return answer;
}

std::string RawSocket::ReceiveAll(milliseconds wait) {
  auto end = std::chrono::steady_clock::now() + wait;
  for (;;) {
    auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    pollfd ready{socket_, POLLIN, 0};
    if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) break;
    if (!Fill()) break;
  }
  std::string all;
  all.swap(buffer_);
  return all;
}

bool RawSocket::ClosedWithin(milliseconds wait) {
  auto end = std::chrono::steady_clock::now() + wait;
  for (;;) {
    auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    pollfd ready{socket_, POLLIN, 0};
    if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
    if (!Fill()) return true;
  }
}

}  // namespace weft::http
