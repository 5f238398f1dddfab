// SPDX-License-Identifier: Apache-2.0
#include "codec/sigv4.h"

#include <algorithm>

#include "base/check.h"
#include "codec/hash.h"
#include "codec/sigv4_internal.h"
#include "codec/url.h"

namespace weft::codec {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A '%' that no two digits follow stays one: whoever signed saw the same text.
std::string DecodeLeniently(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    int high = text[i] == '%' && i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    int low = high >= 0 ? HexValue(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
    } else {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

// Dot segments as in RFC 3986, and empty segments dropped, as AWS's services and clients have it.
std::string Normalise(std::string_view path) {
  std::vector<std::string_view> kept;
  for (size_t at = 0; at <= path.size();) {
    size_t end = std::min(path.find('/', at), path.size());
    std::string_view segment = path.substr(at, end - at);
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
    at = end + 1;
  }
  std::string out;
  for (std::string_view segment : kept) out.append("/").append(segment);
  if (out.empty() || path.back() == '/') out += '/';
  return out;
}

bool Blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void AppendTrimmed(std::string& out, std::string_view value) {
  // Nearly all values have no octet that could be a blank.
  if (std::none_of(value.begin(), value.end(), [](char c) { return c >= 0 && c <= ' '; })) {
    out.append(value);
    return;
  }
  bool wanted = false, any = false;
  for (char c : value) {
    if (Blank(c)) {
      wanted = any;
    } else {
      if (wanted) out += ' ';
      wanted = false;
      any = true;
      out += c;
    }
  }
}

std::string Scope(const Signature& signature) {
  return fmt::format("{}/{}/{}/aws4_request", signature.date, signature.region, signature.service);
}

// Whether normalising and encoding leave the path as it is.
bool Canonical(std::string_view path) {
  char before = '\0';
  for (char c : path) {
    if (!Unreserved(c) && c != '/') return false;
    if (before == '/' && (c == '/' || c == '.')) return false;
    before = c;
  }
  return path.starts_with('/');
}

std::string JoinNames(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ';';
    out += name;
  }
  return out;
}

// What proxies and client libraries add or change on the way is not signed.
bool WorthSigning(std::string_view name) {
  return name == "host" || name == "content-type" || name == "content-md5" ||
         name.starts_with("x-amz-");
}

}  // namespace

PathRule PathRuleOf(std::string_view service) {
  bool s3 = service == "s3" || service == "s3express" || service == "s3-object-lambda";
  return s3 ? PathRule::kS3 : PathRule::kNormalised;
}

std::string CanonicalPath(std::string_view path, PathRule rule) {
  if (path.empty()) return "/";
  if (rule == PathRule::kS3) return PercentEncode(DecodeLeniently(path), true);
  if (rule == PathRule::kEncoded) return PercentEncode(path, true);
  return PercentEncode(Normalise(path), true);
}

std::string CanonicalQuery(std::string_view query, bool token_unsigned) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (size_t at = 0; at < query.size();) {
    size_t end = std::min(query.find('&', at), query.size());
    std::string_view pair = query.substr(at, end - at);
    at = end + 1;
    if (pair.empty()) continue;
    size_t equals = std::min(pair.find('='), pair.size());
    std::string name = PercentEncode(DecodeLeniently(pair.substr(0, equals)));
    if (name == "X-Amz-Signature") continue;
    if (name == "X-Amz-Security-Token" && token_unsigned) continue;
    std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    pairs.emplace_back(std::move(name), PercentEncode(DecodeLeniently(value)));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string CanonicalRequest(const RequestView& request, const Signature& signature,
                             std::string_view payload_hash, PathRule rule, bool token_unsigned) {
  std::string out;
  out.reserve(512);
  out.append(request.method).append("\n");
  if (Canonical(request.path)) {
    out.append(request.path);
  } else {
    out.append(CanonicalPath(request.path, rule));
  }
  out += '\n';
  if (!request.query.empty()) out.append(CanonicalQuery(request.query, token_unsigned));
  out += '\n';
  for (std::string_view rest = signature.signed_headers; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    out.append(name).append(":");
    bool first = true;
    for (const auto& [key, value] : *request.headers) {
      if (!EqualIgnoringCase(key, name)) continue;
      if (!first) out += ',';
      first = false;
      AppendTrimmed(out, value);
    }
    out += '\n';
  }
  out.append("\n").append(signature.signed_headers).append("\n").append(payload_hash);
  return out;
}

std::string StringToSign(const Signature& signature, std::string_view canonical_request) {
  std::string out;
  out.reserve(256);
  out.append("AWS4-HMAC-SHA256\n");
  out.append(signature.time_text.data(), signature.time_text.size()).append("\n");
  for (std::string_view part : {signature.date, signature.region, signature.service}) {
    out.append(part).append("/");
  }
  out.append("aws4_request\n").append(HexDigest(Sha256Of(canonical_request)).text());
  return out;
}

HexDigest SignatureOf(const Signature& signature, std::string_view secret,
                      std::string_view string_to_sign) {
  // Four of the five hashes are the same for all that one key signs in a day: each thread keeps
  // what came of those of the last.
  struct Derived {
    std::string secret, date, region, service;
    HmacKey key;
  };
  thread_local std::optional<Derived> last;
  if (!last || last->secret != secret || last->date != signature.date ||
      last->region != signature.region || last->service != signature.service) {
    std::string key = HmacSha256("AWS4" + std::string(secret), signature.date);
    key = HmacSha256(key, signature.region);
    key = HmacSha256(key, signature.service);
    key = HmacSha256(key, "aws4_request");
    last = {.secret = std::string(secret),
            .date = std::string(signature.date),
            .region = std::string(signature.region),
            .service = std::string(signature.service),
            .key = HmacKey(key)};
  }
  return HexDigest(last->key.Sign(string_to_sign));
}

namespace {

HexDigest Compute(const RequestView& request, const Signature& signature, std::string_view secret,
                  std::string_view payload_hash) {
  const std::string canonical =
      CanonicalRequest(request, signature, payload_hash, PathRuleOf(signature.service));
  return SignatureOf(signature, secret, StringToSign(signature, canonical));
}

}  // namespace

std::string ComputeSignature(const RequestView& request, const Signature& signature,
                             std::string_view secret, std::string_view payload_hash) {
  return std::string(Compute(request, signature, secret, payload_hash).text());
}

bool VerifySignature(const RequestView& request, const Signature& signature,
                     std::string_view secret, std::string_view payload_hash) {
  const HexDigest expected = Compute(request, signature, secret, payload_hash);
  return EqualInConstantTime(expected.text(), signature.signature);
}

void SignRequest(std::string_view method, std::string_view path, std::string_view query,
                 HeaderList& headers, std::string_view payload_hash, const SigningKey& key,
                 std::string_view region, std::string_view service, Timestamp now) {
  CHECK(!FindHeader(headers, "host").empty());
  HeaderList kept;
  for (const auto& [name, value] : headers) {
    const bool replaced = EqualIgnoringCase(name, "authorization") ||
                          EqualIgnoringCase(name, "x-amz-date") ||
                          EqualIgnoringCase(name, "x-amz-content-sha256") ||
                          EqualIgnoringCase(name, "x-amz-security-token");
    if (!replaced) kept.emplace_back(name, value);
  }
  headers = std::move(kept);
  std::vector<std::string> names;
  Signature signature;
  signature.access_key_id = key.access_key_id;
  signature.time = now;
  const std::string time = FormatBasicTimestamp(now);
  std::copy_n(time.data(), signature.time_text.size(), signature.time_text.data());
  signature.date = std::string_view(time).substr(0, 8);
  signature.region = region;
  signature.service = service;
  headers.emplace_back("x-amz-date", time);
  headers.emplace_back("x-amz-content-sha256", payload_hash);
  if (!key.session_token.empty()) headers.emplace_back("x-amz-security-token", key.session_token);
  for (const auto& header : headers) {
    std::string name(header.first);
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    if (WorthSigning(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const std::string joined = JoinNames(names);
  signature.signed_headers = joined;
  std::string made =
      ComputeSignature({method, path, query, &headers}, signature, key.secret, payload_hash);
  headers.emplace_back(
      "authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                  key.access_key_id, Scope(signature), joined, made));
}

}  // namespace weft::codec
