// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/worker_socket_internal.h"

namespace weft::engine {
namespace {

constexpr size_t kHeaderBytes = 5;
// Statements are bounded at the doors, and pieces of results by a row; this is against a broken
// other end.
constexpr uint32_t kMessageBytesMax = 0xffff'fff0;

Error Gone() { return Error(Code::kUnavailable, "the worker is gone"); }

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status Socket::Send(MessageKind kind, BytesView bytes, int descriptor) {
  if (bytes.size() > kMessageBytesMax)
    return Fail(Code::kInvalid, "a row or a statement is too large");
  char header[kHeaderBytes];
  auto length = static_cast<uint32_t>(bytes.size());
  std::memcpy(header, &length, sizeof(length));
  header[4] = static_cast<char>(kind);
  iovec parts[2] = {{header, kHeaderBytes}, {const_cast<char*>(bytes.data()), bytes.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* item = CMSG_FIRSTHDR(&message);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(item), &descriptor, sizeof(int));
  }
  size_t left = kHeaderBytes + bytes.size();
  while (left > 0) {
    ssize_t sent = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return Fail(Gone());
    left -= static_cast<size_t>(sent);
    message.msg_control = nullptr;
    message.msg_controllen = 0;
    for (auto& part : parts) {
      size_t done = std::min(static_cast<size_t>(sent), part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + done;
      part.iov_len -= done;
      sent -= static_cast<ssize_t>(done);
    }
  }
  return {};
}

Status Socket::Fill(char* to, size_t bytes, int* descriptor, const Clock& clock,
                    std::optional<microseconds> deadline) {
  while (bytes > 0) {
    if (deadline) {
      auto left = std::chrono::duration_cast<milliseconds>(*deadline - clock.Elapsed()).count();
      if (left <= 0) return Fail(Code::kThrottled, "the time is up");
      pollfd ready{.fd = descriptor_, .events = POLLIN, .revents = 0};
      int found = ::poll(&ready, 1, static_cast<int>(std::min<int64_t>(left + 1, 1000)));
      if (found <= 0) continue;
    }
    iovec part{to, bytes};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    ssize_t got = ::recvmsg(descriptor_, &message, MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Fail(Gone());
    for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr;
         item = CMSG_NXTHDR(&message, item)) {
      if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) continue;
      int sent = -1;
      std::memcpy(&sent, CMSG_DATA(item), sizeof(int));
      if (*descriptor >= 0) ::close(*descriptor);
      *descriptor = sent;
    }
    to += got;
    bytes -= static_cast<size_t>(got);
  }
  return {};
}

Result<Message> Socket::Receive(const Clock& clock, std::optional<microseconds> deadline) {
  char header[kHeaderBytes];
  Message message;
  TRY(Fill(header, kHeaderBytes, &message.descriptor, clock, deadline));
  uint32_t length = 0;
  std::memcpy(&length, header, sizeof(length));
  message.kind = static_cast<MessageKind>(static_cast<uint8_t>(header[4]));
  message.bytes.resize(length);
  TRY(Fill(message.bytes.data(), length, &message.descriptor, clock, deadline));
  return message;
}

Packer& Packer::Add(int64_t value) {
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  return *this;
}

Packer& Packer::Add(std::string_view text) {
  Add(static_cast<int64_t>(text.size()));
  bytes_ += text;
  return *this;
}

int64_t Unpacker::Number() {
  int64_t value = 0;
  if (rest_.size() < sizeof(value)) {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::memcpy(&value, rest_.data(), sizeof(value));
  rest_.remove_prefix(sizeof(value));
  return value;
}

std::string Unpacker::Text() {
  size_t length = Count();
  std::string text(rest_.substr(0, length));
  rest_.remove_prefix(length);
  return text;
}

size_t Unpacker::Count() {
  int64_t count = Number();
  if (count >= 0 && static_cast<size_t>(count) <= rest_.size()) return static_cast<size_t>(count);
  ok_ = false;
  rest_ = {};
  return 0;
}

}  // namespace weft::engine
