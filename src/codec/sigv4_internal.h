// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "codec/sha256.h"
#include "codec/sigv4.h"

namespace weft::codec {

// How the path of a request becomes the canonical one.
enum class PathRule {
  kNormalised,  // dot segments and empty ones resolved, then encoded, '%' included
  kEncoded,     // only encoded, '%' included
  kS3,          // decoded, then encoded once: the key's own text
};

PathRule PathRuleOf(std::string_view service);
std::string CanonicalPath(std::string_view path, PathRule rule);
// The query's pairs in order, encoded anew; without X-Amz-Signature, and without
// X-Amz-Security-Token when a service has it added after signing.
std::string CanonicalQuery(std::string_view query, bool token_unsigned = false);
std::string CanonicalRequest(const RequestView& request, const Signature& signature,
                             std::string_view payload_hash, PathRule rule,
                             bool token_unsigned = false);
std::string StringToSign(const Signature& signature, std::string_view canonical_request);
HexDigest SignatureOf(const Signature& signature, std::string_view secret,
                      std::string_view string_to_sign);

}  // namespace weft::codec
