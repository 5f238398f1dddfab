// SPDX-License-Identifier: Apache-2.0
#include "aws/sign_in.h"

namespace weft::aws {

using identity::Refusal;

Outcome<identity::Principal> SignIn(const identity::Authenticator& authenticator,
                                    const http::Request& request, std::string_view service) {
  Refusal why = Refusal::kMismatch;
  auto principal = authenticator.Authenticate({.request = request.view(),
                                               .body = request.body,
                                               .secure = request.secure,
                                               .service = service,
                                               .refusal = &why});
  if (principal.ok()) return std::move(*principal);
  if (principal.error().code() != Code::kUnauthenticated) return Fail(principal.error());
  const std::string& text = principal.error().message();
  switch (why) {
    case Refusal::kMissing:
      return Refuse("MissingAuthenticationTokenException", text);
    case Refusal::kIncomplete:
      return Refuse("IncompleteSignatureException", text);
    case Refusal::kUnknownKey:
      // AWS's words for it: people search for them.
      return Refuse("UnrecognizedClientException",
                    "The security token included in the request is invalid.");
    case Refusal::kMismatch:
      break;
  }
  return Refuse("InvalidSignatureException", text);
}

}  // namespace weft::aws
