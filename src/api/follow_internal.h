// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "stream/streams.h"

namespace weft::api {

// Reads a product's stream from a place on, all shards together. One thread at a time.
class Following {
 public:
  // `from` is "" or "end", "start", an offset (of shard 0), a record's id, a time, or how long ago;
  // of the shards that it does not name, the records from that moment on. kInvalid, kNotFound.
  static Result<Following> Open(stream::Streams& streams, const stream::StreamName& name,
                                const std::string& from, bool follow, Timestamp now);
  Following(Following&&) noexcept;
  ~Following();

  bool follow() const;
  // Appends the next records as lines, about 1 MiB; false when there are none: then the end is
  // reached, unless it follows.
  Result<bool> Next(Bytes& lines);
  // Until there may be more, at most so long.
  Status Wait(milliseconds wait_max);

 private:
  struct State;
  explicit Following(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weft::api
