// SPDX-License-Identifier: Apache-2.0
// What is the same of an answer in every version of HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace weft::http {

// Why the server itself answers a request, and with what.
struct Refusal {
  int status = 400;
  std::string message;
};

// {"code", "message", "request_id"}.
Response RefusalResponse(const Refusal& refusal, std::string_view request_id);
// For a request that its handler dropped.
Response UnansweredResponse(std::string_view request_id);

// Whether an answer of this status has no body whatever it says.
bool NeverHasBody(int status);
// Whether a header is the server's to say: one of a handler's is left out. Any case.
bool IsServersOwn(std::string_view name);
// Appends a header's name or value. A line break in it would let whoever chose it write headers of
// his own: control characters become blanks.
void AppendCleanly(std::string& out, std::string_view text);

// The Content-Length among an answer's headers, where there is a proper one.
std::optional<int64_t> LengthSaid(const HeaderList& headers);

// Holds a streamed answer to the length that its head said. More or fewer bytes than promised: the
// client must not take them for the whole.
class LengthCheck {
 public:
  void Start(const HeaderList& headers) { left_ = LengthSaid(headers); }
  std::optional<int64_t> left() const { return left_; }
  // Whether so many more may come.
  bool Take(size_t bytes);
  bool complete() const { return left_.value_or(0) == 0; }

 private:
  std::optional<int64_t> left_;
};

}  // namespace weft::http
