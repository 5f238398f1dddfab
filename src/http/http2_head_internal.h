// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/request_head_internal.h"

namespace weft::http {

// A request's head, from header fields that nghttp2 has held against the rules of HTTP/2: names in
// lower case, pseudo fields first and once each, nothing of a connection's own.
class Http2Head {
 public:
  // A field too many is dropped: the refusal says so at the end.
  void Add(std::string_view name, std::string_view value, size_t bytes_max);
  void Refuse(Refusal refusal);  // the first counts
  // After the last field.
  std::optional<Refusal> Finish();

  Request request;
  int64_t content_length = 0;
  bool expects_continue = false;

 private:
  void AddField(std::string_view name, std::string_view value);
  std::string authority_, host_, target_;
  std::optional<std::string> cookies_;
  size_t bytes_ = 0;
  std::optional<Refusal> refusal_;
};

}  // namespace weft::http
