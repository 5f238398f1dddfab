// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

namespace weft::http {

class Http2Connection;

// nghttp2's state of a server's side, whose events go to the connection; nghttp2_session_del frees
// it.
nghttp2_session* NewHttp2Session(Http2Connection& connection);

}  // namespace weft::http
