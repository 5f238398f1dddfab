// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "http/answer_internal.h"
#include "http/control_internal.h"

namespace weft::http {
namespace {

void AppendJsonText(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  out += '"';
}

std::string_view CodeOf(int status) {
  if (status == 503 || status == 408) return CodeName(Code::kUnavailable);
  if (status == 501 || status == 505) return CodeName(Code::kNotOffered);
  return CodeName(status >= 500 ? Code::kInternal : Code::kInvalid);
}

}  // namespace

Response RefusalResponse(const Refusal& refusal, std::string_view request_id) {
  Response response;
  response.status = refusal.status;
  response.headers.emplace_back("content-type", "application/json");
  if (refusal.status == 503) response.headers.emplace_back("retry-after", "1");
  response.body = "{\"code\":";
  AppendJsonText(response.body, CodeOf(refusal.status));
  response.body += ",\"message\":";
  AppendJsonText(response.body, refusal.message);
  response.body += ",\"request_id\":";
  AppendJsonText(response.body, request_id);
  response.body += "}";
  return response;
}

Response UnansweredResponse(std::string_view request_id) {
  return RefusalResponse({500, "the request was not answered"}, request_id);
}

bool NeverHasBody(int status) { return status < 200 || status == 204 || status == 304; }

bool IsServersOwn(std::string_view name) {
  for (std::string_view own : {"connection", "keep-alive", "content-length", "transfer-encoding",
                               "date", "server", "x-request-id"}) {
    if (EqualIgnoringCase(name, own)) return true;
  }
  return false;
}

void AppendCleanly(std::string& out, std::string_view text) {
  size_t at = out.size();
  out.append(text);
  while ((at = FindControl(out, at)) < out.size()) out[at++] = ' ';
}

std::optional<int64_t> LengthSaid(const HeaderList& headers) {
  std::string_view said = FindHeader(headers, "content-length");
  int64_t length = 0;
  auto parsed = std::from_chars(said.data(), said.data() + said.size(), length);
  bool proper = !said.empty() && parsed.ec == std::errc() &&
                parsed.ptr == said.data() + said.size() && length >= 0;
  return proper ? std::optional(length) : std::nullopt;
}

bool LengthCheck::Take(size_t bytes) {
  if (!left_) return true;
  if (static_cast<int64_t>(bytes) > *left_) return false;
  *left_ -= static_cast<int64_t>(bytes);
  return true;
}

}  // namespace weft::http
