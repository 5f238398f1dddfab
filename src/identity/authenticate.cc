// SPDX-License-Identifier: Apache-2.0
#include "identity/authenticate.h"

#include <fmt/format.h>

#include <optional>

#include "codec/hash.h"
#include "codec/sha256.h"

namespace weft::identity {
namespace {

constexpr seconds kSkewMax{15 * 60};
constexpr std::string_view kUnsigned = "UNSIGNED-PAYLOAD";
constexpr std::string_view kMismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret "
    "Access Key and signing method. Consult the service documentation for details.";

tl::unexpected<Error> Refuse(std::string message) {
  return Fail(Code::kUnauthenticated, std::move(message));
}

Status CheckScope(const codec::Signature& signature, std::string_view service) {
  if (service.empty() || signature.service == service) return {};
  return Refuse(fmt::format("Credential should be scoped to correct service: '{}'.", service));
}

Status CheckTime(const codec::Signature& signature, Timestamp now) {
  const seconds held = signature.presigned ? signature.expires : kSkewMax;
  if (signature.time <= now + kSkewMax && signature.time + held >= now) return {};
  const std::string signed_at = FormatBasicTimestamp(signature.time),
                    at = FormatBasicTimestamp(now);
  if (signature.time > now + kSkewMax) {
    return Refuse(fmt::format("Signature not yet current: {} is still later than {} ({} + 15 min.)",
                              signed_at, FormatBasicTimestamp(now + kSkewMax), at));
  }
  return Refuse(fmt::format("Signature expired: {} is now earlier than {} ({} - {} s.)", signed_at,
                            FormatBasicTimestamp(now - held), at, held.count()));
}

// What stands for the body in the canonical request, once it is known to be true of the body. It is
// a literal, or lies in `computed`.
Result<std::string_view> PayloadHash(const codec::Signature& signature,
                                     const Authenticator::Input& input,
                                     std::optional<codec::HexDigest>& computed) {
  const std::string_view said = signature.payload_hash;
  if (said.starts_with("STREAMING-")) {
    return Fail(
        Code::kUnauthenticated,
        fmt::format(
            "x-amz-content-sha256 {} is not offered here: send the body whole, with its SHA-256",
            said));
  }
  // A presigned S3 request says nothing of its body, by S3's own rules.
  if (said == kUnsigned || (said.empty() && signature.presigned && signature.service == "s3")) {
    if (input.secure) return kUnsigned;
    return Refuse("UNSIGNED-PAYLOAD is taken over TLS only: sign the body's SHA-256");
  }
  computed.emplace(codec::Sha256Of(input.body));
  if (said.empty() || codec::EqualInConstantTime(said, computed->text())) return computed->text();
  return Refuse("The provided 'x-amz-content-sha256' header does not match what was computed.");
}

}  // namespace

Authenticator::Authenticator(const Directory& directory, const Clock& clock)
    : directory_(directory), clock_(clock) {}

Result<Principal> Authenticator::Authenticate(const Input& input) const {
  Refusal why = Refusal::kMismatch;
  auto principal = Judge(input, why);
  if (!principal.ok() && input.refusal != nullptr) *input.refusal = why;
  return principal;
}

Result<Principal> Authenticator::Judge(const Input& input, Refusal& why) const {
  why = Refusal::kIncomplete;
  const auto found = TRY(codec::FindSignature(input.request));
  why = Refusal::kMissing;
  if (!found.has_value()) return Refuse("Missing Authentication Token");
  const codec::Signature& signature = *found;
  why = Refusal::kMismatch;
  TRY(CheckScope(signature, input.service));
  TRY(CheckTime(signature, clock_.Now()));
  why = Refusal::kUnknownKey;
  const auto credential = TRY(directory_.FindCredential(signature.access_key_id));
  // Long-lived keys come without a token; one that nothing checks must not pass for checked.
  if (!signature.session_token.empty())
    return Refuse("The security token included in the request is invalid.");
  why = Refusal::kMismatch;
  std::optional<codec::HexDigest> computed;
  const auto hash = PayloadHash(signature, input, computed);
  if (!hash.ok()) return Fail(hash.error());
  if (!codec::VerifySignature(input.request, signature, credential->secret, *hash))
    return Refuse(std::string(kMismatch));
  return credential->principal;
}

}  // namespace weft::identity
