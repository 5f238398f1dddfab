// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "http/http2_head_internal.h"

namespace weft::http {
namespace {

constexpr size_t kFieldOverhead = 32;  // as SETTINGS_MAX_HEADER_LIST_SIZE counts

}  // namespace

void Http2Head::Add(std::string_view name, std::string_view value, size_t bytes_max) {
  bytes_ += name.size() + value.size() + kFieldOverhead;
  if (bytes_ > bytes_max) {
    return Refuse({431, fmt::format("the request's head is longer than {} bytes", bytes_max)});
  }
  if (name == ":method") {
    if (auto refusal = TakeMethod(value, request)) Refuse(std::move(*refusal));
  } else if (name == ":path") {
    target_ = value;
  } else if (name == ":authority") {
    authority_ = value;
  } else if (name == "host") {
    host_ = value;
  } else if (!name.starts_with(':')) {
    AddField(name, value);
  }
}

void Http2Head::AddField(std::string_view name, std::string_view value) {
  if (name == "content-length") {
    if (auto refusal = ReadLength(value, content_length)) return Refuse(std::move(*refusal));
  } else if (name == "expect") {
    if (auto refusal = CheckExpect(value)) return Refuse(std::move(*refusal));
    expects_continue = true;
  } else if (name == "cookie") {
    // May come in crumbs, to be put together before anybody else sees them.
    if (cookies_) {
      cookies_->append("; ").append(value);
    } else {
      cookies_ = value;
    }
    return;
  }
  if (request.headers.size() >= kHeadersMax) return Refuse(TooManyHeaders());
  request.headers.emplace_back(name, value);
}

void Http2Head::Refuse(Refusal refusal) {
  if (!refusal_) refusal_ = std::move(refusal);
}

std::optional<Refusal> Http2Head::Finish() {
  if (refusal_) return std::move(refusal_);
  if (!authority_.empty() && !host_.empty() && authority_ != host_) {
    return Malformed("the Host header is not the :authority");
  }
  if (cookies_) {
    if (request.headers.size() >= kHeadersMax) return TooManyHeaders();
    request.headers.emplace_back("cookie", *cookies_);
  }
  request.headers.emplace_back("host", authority_.empty() ? host_ : authority_);
  return TakeTarget(target_, request);
}

}  // namespace weft::http
