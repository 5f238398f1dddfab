// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
// Computes and takes apart signatures; who owns a key, and whether time allows it, is identity's.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "codec/header_list.h"

namespace weft::codec {

// A request as it came over the wire: nothing decoded, nothing normalised.
struct RequestView {
  std::string_view method;
  std::string_view path;   // "/a%20b", without the query
  std::string_view query;  // what follows '?', without it
  const HeaderList* headers = nullptr;
};

// Its texts are parts of the request's headers, as long as those stay as they are.
struct Signature {
  std::string_view access_key_id;
  Timestamp time;
  std::array<char, 16> time_text{};        // the same as it was signed: "20261101T100000Z"
  std::string_view date, region, service;  // of the credential scope
  std::string_view signed_headers;         // lower case, in order: "host;x-amz-date"
  std::string_view signature;              // hex
  std::string_view session_token;          // "" where there is none
  bool presigned = false;                  // in the query
  seconds expires{0};                      // presigned: how long from `time`
  // What x-amz-content-sha256 said: 64 hex digits, UNSIGNED-PAYLOAD, STREAMING-…; "" when absent.
  std::string_view payload_hash;
  // Presigned: the decoded query, of which the texts are parts.
  std::shared_ptr<const std::map<std::string, std::string>> query;
};

// Nothing when the request has no signature at all; kUnauthenticated when it has one that cannot be
// read, with AWS's text for what is missing, or that does not cover host and every x-amz- header
// (but the token's).
Result<std::optional<Signature>> FindSignature(const RequestView& request);

// The signature that the owner of `secret` would have made. `payload_hash` is what goes into the
// canonical request: hex of the body's SHA-256, or the literal of the payload_hash above. S3 paths
// are not normalised. Paths of other services are normalised and encoded once more than they came,
// as AWS's own clients do.
std::string ComputeSignature(const RequestView& request, const Signature& signature,
                             std::string_view secret, std::string_view payload_hash);

// Whether the signature is the one that the owner of `secret` would have made. Takes as long for a
// difference in its first digit as in its last.
bool VerifySignature(const RequestView& request, const Signature& signature,
                     std::string_view secret, std::string_view payload_hash);

struct SigningKey {
  std::string access_key_id, secret, session_token;
};

// Adds x-amz-date, x-amz-content-sha256, the token and Authorization to `headers`, which must hold
// `host` (as it will be sent). Signs host, content-type, content-md5 and every x-amz- header.
void SignRequest(std::string_view method, std::string_view path, std::string_view query,
                 HeaderList& headers, std::string_view payload_hash, const SigningKey& key,
                 std::string_view region, std::string_view service, Timestamp now);

}  // namespace weft::codec
