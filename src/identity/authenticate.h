// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "codec/sigv4.h"
#include "identity/directory.h"

namespace weft::identity {

// Why a request has no caller, for front ends that name it.
enum class Refusal {
  kMissing,     // no signature at all
  kIncomplete,  // one that lacks a part or cannot be read
  kUnknownKey,  // no such key, a disabled one, or a session's token that nobody gave
  kMismatch,    // anything else: another body, service, time or secret
};

// Says who sent a request, for every front end alike. `service` is what the credential scope must
// name
// ("execute-api", "weft"; "" takes any); any region is taken. `body` is the whole body as received.
// kUnauthenticated, with a text for clients: "Missing Authentication Token" without a signature; an
// unknown or disabled key; a wrong signature; a body that does not match its hash (UNSIGNED-PAYLOAD
// is refused but over TLS); more than 15 minutes of clock skew or a presigned request that expired;
// the wrong service.
class Authenticator {
 public:
  Authenticator(const Directory& directory, const Clock& clock);
  struct Input {
    codec::RequestView request;
    std::string_view body;
    bool secure = false;  // came over TLS
    std::string_view service;
    Refusal* refusal = nullptr;  // where to say why it is kUnauthenticated
  };
  Result<Principal> Authenticate(const Input& input) const;

 private:
  Result<Principal> Judge(const Input& input, Refusal& why) const;
  const Directory& directory_;
  const Clock& clock_;
};

}  // namespace weft::identity
