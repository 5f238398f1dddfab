// SPDX-License-Identifier: Apache-2.0
#include "api/answer.h"

#include <nlohmann/json.hpp>

#include "base/logging.h"
#include "codec/compression.h"

namespace weft::api {

using nlohmann::json;

int StatusOf(Code code) {
  switch (code) {
    case Code::kInvalid:
      return 400;
    case Code::kNotFound:
      return 404;
    case Code::kExists:
    case Code::kConflict:
      return 409;
    case Code::kDenied:
    case Code::kUnauthenticated:
      return 403;
    case Code::kThrottled:
      return 429;
    case Code::kUnavailable:
      return 503;
    case Code::kNotOffered:
      return 501;
    case Code::kCorrupt:
    case Code::kInternal:
      return 500;
  }
  return 500;
}

http::Response ErrorAnswer(const Error& error, const std::string& request_id) {
  std::string message = error.message();
  const bool too_large = codec::UnpackedTooLarge(error);
  const int status = too_large ? 413 : StatusOf(error.code());
  if (too_large) message += kTooLongHint;
  if (status == 500) {
    Log(LogLevel::kError, "api", message, {{"request_id", request_id}});
    message = error.code() == Code::kCorrupt
                  ? "stored data is damaged; `weft status` and the server's log say where"
                  : "internal error; the server's log has the request id";
  }
  json body = {{"code", CodeName(error.code())}, {"message", message}, {"request_id", request_id}};
  http::Response response = JsonAnswer(body, status);
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

http::Response JsonAnswer(const json& body, int status) {
  // A value that is not UTF-8 is shown with replacement characters rather than failing the answer.
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

Result<json> ParseObject(std::string_view body) {
  json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return Fail(Code::kInvalid, "the body is not JSON");
  if (!parsed.is_object()) return Fail(Code::kInvalid, "the body is not a JSON object");
  return parsed;
}

Result<std::string> TextMember(const json& object, const char* name) {
  auto member = object.find(name);
  if (member == object.end() || member->is_null()) return std::string();
  if (!member->is_string()) return Fail(Code::kInvalid, fmt::format("'{}' is not text", name));
  return member->get<std::string>();
}

Result<bool> BoolMember(const json& object, const char* name) {
  auto member = object.find(name);
  if (member == object.end() || member->is_null()) return false;
  if (!member->is_boolean())
    return Fail(Code::kInvalid, fmt::format("'{}' is not true or false", name));
  return member->get<bool>();
}

}  // namespace weft::api
