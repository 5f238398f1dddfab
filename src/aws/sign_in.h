// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "aws/fault.h"
#include "http/message.h"
#include "identity/authenticate.h"
#include "identity/principal.h"

namespace weft::aws {

// Who signed the request for that service, or the exception that AWS's JSON services answer.
Outcome<identity::Principal> SignIn(const identity::Authenticator& authenticator,
                                    const http::Request& request, std::string_view service);

}  // namespace weft::aws
