// SPDX-License-Identifier: Apache-2.0
// Messages between this process and a worker: a kind, bytes, and at times an open file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace weft::engine {

enum class MessageKind : uint8_t {
  // To the worker.
  kSetup = 1,
  kStatement,
  kChunk,  // with its memory
  kFiles,
  kForget,
  kRelation,
  kNames,
  kFailure,  // of a look-up
  // From the worker.
  kFind = 64,
  kList,
  kBegin,
  kRows,
  kDone,
};

struct Message {
  MessageKind kind = MessageKind::kDone;
  Bytes bytes;
  int descriptor = -1;  // the receiver's to close
};

// One end of the connection. One thread sends and receives at a time.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // kUnavailable when the other end is gone.
  Status Send(MessageKind kind, BytesView bytes, int descriptor = -1);
  // kUnavailable when the other end is gone; kThrottled at the deadline (of Clock::Elapsed).
  Result<Message> Receive(const Clock& clock, std::optional<microseconds> deadline);
  int descriptor() const { return descriptor_; }

 private:
  Status Fill(char* to, size_t bytes, int* descriptor, const Clock& clock,
              std::optional<microseconds> deadline);
  int descriptor_;
};

// Values one after another.
class Packer {
 public:
  Packer& Add(int64_t value);
  Packer& Add(std::string_view text);
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

// Reads what a Packer wrote. Past the end it gives zeros and empty text, and ok() is false.
class Unpacker {
 public:
  explicit Unpacker(BytesView bytes) : rest_(bytes) {}
  int64_t Number();
  std::string Text();
  // A count of things of at least one octet each: never more than there are octets.
  size_t Count();
  bool ok() const { return ok_; }

 private:
  BytesView rest_;
  bool ok_ = true;
};

}  // namespace weft::engine
