// SPDX-License-Identifier: Apache-2.0
#include "aws/fault.h"

#include "base/logging.h"

namespace weft::aws {
namespace {

std::pair<const char*, int> TypeOf(Code code) {
  switch (code) {
    case Code::kInvalid:
      return {"InvalidArgumentException", 400};
    case Code::kNotFound:
      return {"ResourceNotFoundException", 400};
    case Code::kExists:
    case Code::kConflict:
      return {"ResourceInUseException", 400};
    case Code::kDenied:
      return {"AccessDeniedException", 400};
    case Code::kUnauthenticated:
      return {"UnrecognizedClientException", 400};
    case Code::kThrottled:
      return {"LimitExceededException", 400};
    case Code::kUnavailable:
      return {"ServiceUnavailable", 503};
    case Code::kNotOffered:
      return {"UnsupportedOperationException", 400};
    case Code::kCorrupt:
    case Code::kInternal:
      break;
  }
  return {"InternalFailure", 500};
}

}  // namespace

Fault::Fault(const Error& error) : Fault(TypeOf(error.code()).first, error.message()) {
  status = TypeOf(error.code()).second;
  if (status != 500) return;
  Log(LogLevel::kError, "aws", error.message());
  message = "Internal Service Failure";
}

}  // namespace weft::aws
