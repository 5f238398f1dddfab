// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "http/message.h"

namespace weft::api {

// The same reply, whose answer also leaves a line in the log, with the request's id: errors of the
// server as warnings, refusals and changes at info, the rest at debug. Never a body, a query or a
// key.
http::Reply Logged(const http::Request& request, http::Reply reply, const Clock& clock);

}  // namespace weft::api
