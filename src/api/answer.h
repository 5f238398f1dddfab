// SPDX-License-Identifier: Apache-2.0
// How an outcome becomes an HTTP answer: the one place where our own doors turn codes into
// statuses.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"
#include "http/message.h"

namespace weft::api {

int StatusOf(Code code);
// What the message of every 413 ends with.
inline constexpr const char* kTooLongHint = "; `weft put` sends files of any size in parts";
// {"code", "message", "request_id"}; the text of an internal failure is logged and not shown.
// Throttled and unavailable answers carry Retry-After.
http::Response ErrorAnswer(const Error& error, const std::string& request_id);
http::Response JsonAnswer(const nlohmann::json& body, int status = 200);

// Parses a control document; kInvalid when it is not a JSON object.
Result<nlohmann::json> ParseObject(std::string_view body);
// The text of a member, "" when it is absent; kInvalid when it is something else.
Result<std::string> TextMember(const nlohmann::json& object, const char* name);
Result<bool> BoolMember(const nlohmann::json& object, const char* name);

}  // namespace weft::api
