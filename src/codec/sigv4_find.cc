// SPDX-License-Identifier: Apache-2.0
// Takes a signature out of a request. The texts of its failures are AWS's: people search for them.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "codec/hash.h"
#include "codec/sigv4.h"
#include "codec/url.h"

namespace weft::codec {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr size_t kPartsMax = 16;  // of an Authorization header; three are of use

bool Upper(char c) { return c >= 'A' && c <= 'Z'; }

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (Upper(c)) c = static_cast<char>(c + 32);
  }
  return out;
}

tl::unexpected<Error> Refuse(std::string message) {
  return Fail(Code::kUnauthenticated, std::move(message));
}

struct Found {
  std::string_view value;
  int count = 0;
};

// The headers that say something of a signature.
struct Told {
  Found authorization, amz_date, date, token, payload_hash;
};

Told FindTold(const HeaderList& headers) {
  Told told;
  const std::array<std::pair<std::string_view, Found*>, 5> wanted = {{
      {"authorization", &told.authorization},
      {"x-amz-date", &told.amz_date},
      {"date", &told.date},
      {"x-amz-security-token", &told.token},
      {"x-amz-content-sha256", &told.payload_hash},
  }};
  for (const auto& [key, value] : headers) {
    for (const auto& [name, found] : wanted) {
      if (!EqualIgnoringCase(key, name)) continue;
      if (found->count++ == 0) found->value = value;
      break;
    }
  }
  return told;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Status ReadCredential(std::string_view text, Signature& out) {
  constexpr size_t kParts = 5;
  std::array<std::string_view, kParts> parts;
  size_t count = 0;
  for (size_t at = 0; at <= text.size(); ++count) {
    const size_t end = std::min(text.find('/', at), text.size());
    if (count < kParts) parts[count] = text.substr(at, end - at);
    at = end + 1;
  }
  if (count != kParts) {
    return Refuse(
        fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                    "keyid/date/region/service/term, got '{}'",
                    text));
  }
  if (parts[4] != "aws4_request") {
    return Refuse(
        fmt::format("Credential should be scoped with a valid terminator: 'aws4_request', "
                    "not '{}'.",
                    parts[4]));
  }
  for (std::string_view part : parts) {
    if (part.empty()) return Refuse(fmt::format("Credential has an empty element: '{}'", text));
  }
  out.access_key_id = parts[0];
  out.date = parts[1];
  out.region = parts[2];
  out.service = parts[3];
  return {};
}

// A table, for no processor can guess which kind of digit is next.
constexpr std::array<bool, 256> kLowerHexDigits = [] {
  std::array<bool, 256> set{};
  for (char c = '0'; c <= '9'; ++c) set[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'f'; ++c) set[static_cast<unsigned char>(c)] = true;
  return set;
}();

bool HexSignature(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return kLowerHexDigits[static_cast<unsigned char>(c)];
         });
}

bool BeginsAsOneOfAws(std::string_view name) {
  static constexpr std::string_view kPrefix = "x-amz-";
  return name.size() > kPrefix.size() && EqualIgnoringCase(name.substr(0, kPrefix.size()), kPrefix);
}

Status ReadSignedHeaders(std::string_view text, const HeaderList& headers, Signature& out) {
  out.signed_headers = text;
  // As a whole element of the list.
  auto has = [text](std::string_view name) {
    for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
      const size_t end = at + name.size();
      if ((at == 0 || text[at - 1] == ';') && (end == text.size() || text[end] == ';')) return true;
    }
    return false;
  };
  bool host = false, ordered = std::none_of(text.begin(), text.end(), Upper);
  std::string_view before;
  for (size_t at = 0; at <= text.size();) {
    const std::string_view name = text.substr(at, text.find(';', at) - at);
    host = host || name == "host" || name == ":authority";
    ordered = ordered && (at == 0 || before < name);
    before = name;
    at += name.size() + 1;
  }
  if (!host) {
    return Refuse("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  if (!ordered) {
    return Refuse("SignedHeaders must be in lower case, in order and without repetition.");
  }
  // A header of AWS's that no signature covers could be changed on the way: the operation is named
  // by one. The token alone proves itself.
  std::string missing;
  for (const auto& [key, value] : headers) {
    if (!BeginsAsOneOfAws(key) || has(key)) continue;
    const std::string name = Lower(key);
    if (name == "x-amz-security-token" || has(name)) continue;
    missing.append(missing.empty() ? "" : ", ").append(name);
  }
  if (missing.empty()) return {};
  return Refuse("There were headers present in the request which were not signed: " + missing);
}

Status ReadTime(std::string_view text, Signature& out) {
  auto time = ParseBasicTimestamp(text);
  if (!time.ok()) {
    return Refuse(
        fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                    "http://en.wikipedia.org/wiki/ISO_8601",
                    text));
  }
  out.time = *time;
  std::copy_n(text.data(), out.time_text.size(), out.time_text.data());
  std::string_view day = text.substr(0, 8);
  if (out.date == day) return {};
  return Refuse(
      fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                  "date from HTTP: '{}' != '{}', from '{}'.",
                  out.date, day, text));
}

// "Sun, 30 Aug 2015 12:36:00 GMT" as "20150830T123600Z"; as it is when it is something else.
std::string BasicFromHttpDate(std::string_view text) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::string(text);
  size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::string(text);
  return fmt::format("{}{:02}{}T{}{}{}Z", text.substr(12, 4), month / 3 + 1, text.substr(5, 2),
                     text.substr(17, 2), text.substr(20, 2), text.substr(23, 2));
}

Result<Signature> FromHeader(const RequestView& request, const Told& told) {
  const std::string_view authorization = told.authorization.value;
  std::array<std::pair<std::string_view, std::string_view>, kPartsMax> parts;
  size_t count = 0;
  const auto find = [&](std::string_view name) {
    return std::find_if(parts.begin(), parts.begin() + count,
                        [name](const auto& part) { return part.first == name; });
  };
  const auto get = [&](std::string_view name) {
    const auto found = find(name);
    return found == parts.begin() + count ? std::string_view() : found->second;
  };
  std::string_view rest = authorization.substr(kAlgorithm.size());
  while (!rest.empty()) {
    size_t end = std::min(rest.find(','), rest.size());
    std::string_view part = Trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = part.substr(0, equals);
    if (find(name) != parts.begin() + count) {
      return Refuse(fmt::format("Authorization header has '{}' twice.", name));
    }
    if (count == kPartsMax) return Refuse("Authorization header has too many parts.");
    parts[count++] = {name, part.substr(equals + 1)};
  }
  const std::string_view date = told.amz_date.value, http_date = told.date.value;
  const std::string_view credential = get("Credential"), signature = get("Signature"),
                         signed_headers = get("SignedHeaders");
  std::string missing;
  const auto require = [&missing](std::string_view name, std::string_view value) {
    if (!value.empty()) return;
    missing += fmt::format("Authorization header requires '{}' parameter. ", name);
  };
  require("Credential", credential);
  require("Signature", signature);
  require("SignedHeaders", signed_headers);
  if (date.empty() && http_date.empty()) {
    missing +=
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (!missing.empty()) {
    return Refuse(missing + "(Hashed with SHA-256 and encoded with Base64) Authorization=" +
                  Base64Encode(Sha256(authorization)));
  }
  Signature out;
  TRY(ReadCredential(credential, out));
  TRY(ReadSignedHeaders(signed_headers, *request.headers, out));
  if (date.empty()) {
    TRY(ReadTime(BasicFromHttpDate(http_date), out));
  } else {
    TRY(ReadTime(date, out));
  }
  out.signature = signature;
  out.session_token = told.token.value;
  return out;
}

Result<Signature> FromQuery(const RequestView& request, const Told& told,
                            std::map<std::string, std::string> given) {
  const auto kept = std::make_shared<std::map<std::string, std::string>>(std::move(given));
  std::map<std::string, std::string>& query = *kept;
  if (query["X-Amz-Algorithm"] != kAlgorithm) {
    return Refuse(
        fmt::format("AWS query-string parameter 'X-Amz-Algorithm' must be '{}', not '{}'.",
                    kAlgorithm, query["X-Amz-Algorithm"]));
  }
  std::string missing;
  for (const char* name :
       {"X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"}) {
    if (query[name].empty()) {
      missing += fmt::format("AWS query-string parameters must include '{}'. ", name);
    }
  }
  if (!missing.empty()) return Refuse(missing + "Re-examine the query-string parameters.");
  Signature out;
  out.presigned = true;
  out.query = kept;
  TRY(ReadCredential(query["X-Amz-Credential"], out));
  TRY(ReadSignedHeaders(query["X-Amz-SignedHeaders"], *request.headers, out));
  TRY(ReadTime(query["X-Amz-Date"], out));
  // Only S3's presigned addresses must say how long they hold; others hold as long as any
  // signature.
  std::string expires = query.contains("X-Amz-Expires") ? query["X-Amz-Expires"] : "900";
  int64_t held = 0;
  auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), held);
  if (error != std::errc() || end != expires.data() + expires.size()) {
    return Refuse("X-Amz-Expires should be a number");
  }
  if (held < 1) return Refuse("X-Amz-Expires must be non-negative");
  if (held > 604800)
    return Refuse("X-Amz-Expires must be less than a week (in seconds); that is 604800");
  out.expires = seconds(held);
  out.signature = query["X-Amz-Signature"];
  out.session_token = query["X-Amz-Security-Token"];
  if (out.session_token.empty()) {
    out.session_token = told.token.value;
  }
  return out;
}

}  // namespace

Result<std::optional<Signature>> FindSignature(const RequestView& request) {
  const Told told = FindTold(*request.headers);
  const Found& authorization = told.authorization;
  bool in_query = request.query.find("X-Amz-Signature") != std::string_view::npos ||
                  request.query.find("X-Amz-Credential") != std::string_view::npos;
  // "AWS4-…" of any algorithm, and "AWS …" of version 2; other schemes are others' business.
  bool in_header =
      authorization.value.starts_with("AWS4-") || authorization.value.starts_with("AWS ");
  if (!in_header && !in_query) return std::optional<Signature>();
  if (in_header && (in_query || authorization.count > 1)) {
    return Refuse(
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the "
        "Authorization header should be specified.");
  }
  Signature out;
  if (in_header) {
    size_t end = std::min(authorization.value.find(' '), authorization.value.size());
    if (authorization.value.substr(0, end) != kAlgorithm) {
      return Refuse(
          fmt::format("The authorization mechanism you have provided is not supported. Please "
                      "use {}.",
                      kAlgorithm));
    }
    out = TRY(FromHeader(request, told));
  } else {
    auto query = ParseQuery(request.query);
    if (!query.ok()) return Refuse("The query string cannot be read: " + query.error().message());
    out = TRY(FromQuery(request, told, std::move(*query)));
  }
  if (!HexSignature(out.signature))
    return Refuse("Signature must be 64 hexadecimal digits in lower case.");
  if (told.payload_hash.count > 1)
    return Refuse("The header x-amz-content-sha256 was given twice.");
  out.payload_hash = told.payload_hash.value;
  return out;
}

}  // namespace weft::codec
