// SPDX-License-Identifier: Apache-2.0
// A connection's bytes, in the clear or over TLS.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft::http {

enum class WireEvent { kDone, kEnded, kFailed };

// Who uses a wire; kept alive by each operation until it is over. On the wire's io thread.
class WireUser {
 public:
  virtual ~WireUser() = default;
  virtual void OnHandshake(WireEvent event) = 0;
  virtual void OnRead(WireEvent event, size_t bytes) = 0;
  virtual void OnWritten(WireEvent event, size_t bytes) = 0;
};

// At most one read and one write at a time. On its io thread only.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual bool secure() const = 0;
  virtual std::string remote_address() const = 0;
  // What the handshake agreed on: "h2", "http/1.1", or "" for nothing.
  virtual std::string_view protocol() const = 0;
  virtual void Handshake(std::shared_ptr<WireUser> user) = 0;
  virtual void Read(std::shared_ptr<WireUser> user, char* to, size_t bytes_max) = 0;
  // Some of `pieces`, from the front; they stay where they are until OnWritten.
  virtual void Write(std::shared_ptr<WireUser> user,
                     const std::vector<std::string_view>& pieces) = 0;
  // Tells the peer that nothing more comes. In the clear reading goes on; over TLS it ends with
  // OnRead once the peer has said the same.
  virtual void EndWriting(std::shared_ptr<WireUser> user) = 0;
  virtual void Close() = 0;
  virtual void Reset() = 0;  // closes so that the peer sees an error, not an end
};

}  // namespace weft::http
