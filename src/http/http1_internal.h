// SPDX-License-Identifier: Apache-2.0
// HTTP/1.x as text: heads in, bodies in, heads out. No sockets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/answer_internal.h"
#include "http/message.h"

namespace weft::http {

struct Head {
  Request request;
  int64_t content_length = 0;
  bool chunked = false;
  bool http10 = false;
  bool keep_alive = true;
  bool expects_continue = false;
};

// Reads a head, from the request line to the empty line at its end. Strict: whatever two readers
// might take differently (bare line feeds, folded lines, blanks before a colon, more than one
// length) is refused.
std::optional<Refusal> ParseHead(std::string_view text, Head& head);

// Takes a body out of the bytes of a connection.
class BodyDecoder {
 public:
  void StartLength(int64_t bytes);
  void StartChunked(int64_t trailer_bytes_max);
  enum class State { kMore, kEnd, kBad };
  // Consumes from the front of `input`; `piece` is the part of the body found, a view into it,
  // maybe empty. Call again with the rest as long as it is kMore and something was consumed.
  State Feed(std::string_view& input, std::string_view& piece);
  // So many octets of a body of known length were taken without it.
  void Skip(int64_t bytes) { left_ -= bytes; }
  bool chunked() const { return chunked_; }
  int64_t left() const { return left_; }  // of the body, or of the present chunk

 private:
  enum class Part { kSize, kData, kDataEnd, kTrailer };
  State TakeLine(std::string_view& input, std::string_view& line);
  State TakeSize(std::string_view& input);
  bool chunked_ = false;
  Part part_ = Part::kData;
  int64_t left_ = 0, trailer_left_ = 0;
  std::string line_;  // one that came in parts
};

std::string_view ReasonOf(int status);

enum class BodyFraming { kLength, kChunked, kUntilClose };
struct HeadOut {
  std::string_view id, date;
  BodyFraming framing = BodyFraming::kLength;
  int64_t content_length = 0;
  bool keep_alive = true;
  bool http10 = false;
};
// Connection, framing, date, server and id are the server's own: those among the answer's headers
// are left out.
void AppendHead(std::string& out, const Response& response, const HeadOut& how);

}  // namespace weft::http
