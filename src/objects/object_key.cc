// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "objects/object_store.h"

namespace weft::objects {
namespace {

constexpr size_t kKeyOctetsMax = 1024;

bool BucketLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// How many octets the code point at the front has, or 0 where it is not well-formed (RFC 3629).
size_t CodePoint(std::string_view text) {
  auto at = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  auto follows = [&](size_t i) { return (at(i) & 0xc0U) == 0x80U; };
  const unsigned first = at(0), second = at(1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0,
               surrogate = first == 0xed && second > 0x9f;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && second < 0x90,
               too_large = first == 0xf4 && second > 0x8f;
    return follows(1) && follows(2) && follows(3) && !overlong && !too_large ? 4 : 0;
  }
  return 0;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t octets = CodePoint(text);
    if (octets == 0) return false;
    text.remove_prefix(octets);
  }
  return true;
}

}  // namespace

Status CheckBucket(std::string_view bucket) {
  const bool good = bucket.size() >= 3 && bucket.size() <= 63 && BucketLetter(bucket.front()) &&
                    BucketLetter(bucket.back()) && bucket.find("..") == std::string_view::npos &&
                    std::all_of(bucket.begin(), bucket.end(),
                                [](char c) { return BucketLetter(c) || c == '-' || c == '.'; });
  if (!good) {
    return Fail(Code::kInvalid,
                fmt::format("not a bucket's name (3 to 63 of a-z 0-9 - .): '{}'", bucket));
  }
  return {};
}

Status CheckKey(const ObjectKey& key) {
  TRY(CheckBucket(key.bucket));
  if (key.key.empty() || key.key.size() > kKeyOctetsMax) {
    return Fail(Code::kInvalid, fmt::format("a key has 1 to {} octets, this one {}", kKeyOctetsMax,
                                            key.key.size()));
  }
  if (!IsUtf8(key.key)) return Fail(Code::kInvalid, "a key is UTF-8");
  return {};
}

Result<ObjectKey> ParseLocation(std::string_view location) {
  constexpr std::string_view kScheme = "s3://";
  auto wrong = [&] {
    return Fail(Code::kInvalid, fmt::format("not a location (s3://BUCKET/KEY): '{}'", location));
  };
  if (!location.starts_with(kScheme)) return wrong();
  std::string_view rest = location.substr(kScheme.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return wrong();
  ObjectKey key{.bucket = std::string(rest.substr(0, slash)),
                .key = std::string(rest.substr(slash + 1))};
  if (!CheckKey(key).ok()) return wrong();
  return key;
}

std::string Location(const ObjectKey& key) {
  return fmt::format("s3://{}/{}", key.bucket, key.key);
}

}  // namespace weft::objects
