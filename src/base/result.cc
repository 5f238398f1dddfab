// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace weft {

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kInvalid:
      return "invalid";
    case Code::kNotFound:
      return "not_found";
    case Code::kExists:
      return "exists";
    case Code::kConflict:
      return "conflict";
    case Code::kDenied:
      return "denied";
    case Code::kUnauthenticated:
      return "unauthenticated";
    case Code::kThrottled:
      return "throttled";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kNotOffered:
      return "not_offered";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kInternal:
      return "internal";
  }
  return "internal";
}

Error Error::In(std::string_view context) const {
  return Error(code_, fmt::format("{}: {}", context, message_));
}

Error SystemError(std::string_view what, int error_number) {
  Code code = Code::kInternal;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      code = Code::kUnavailable;
      break;
    case ENOENT:
      code = Code::kNotFound;
      break;
    case EEXIST:
      code = Code::kExists;
      break;
    case EACCES:
    case EPERM:
      code = Code::kDenied;
      break;
    default:
      break;
  }
  return Error(code, fmt::format("{}: {}", what, std::strerror(error_number)));
}

}  // namespace weft
