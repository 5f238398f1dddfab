// SPDX-License-Identifier: Apache-2.0
#include "objects/local_layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/hash.h"
#include "objects/local_store.h"

namespace weft::objects {
namespace {

constexpr size_t kPartOctetsMax = 100;  // 200 hex digits: names have 255 at most
constexpr size_t kNameOctetsMax = 255;

bool PlainCharacter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '=' || c == '+' || c == '(' || c == ')';
}

}  // namespace

bool PlainPart(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && part.size() <= kNameOctetsMax &&
         std::all_of(part.begin(), part.end(), PlainCharacter);
}

bool PlainKey(std::string_view key) {
  if (key.empty() || key.size() > 1024) return false;
  for (;;) {
    const size_t slash = key.find('/');
    if (!PlainPart(key.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

std::string LocalLayout::plain_folder(std::string_view bucket) const {
  return fmt::format("{}/{}", root_, bucket);
}
std::string LocalLayout::other_folder(std::string_view bucket) const {
  return fmt::format("{}/.other/{}", root_, bucket);
}
std::string LocalLayout::plain(const ObjectKey& key) const {
  return fmt::format("{}/{}/{}", root_, key.bucket, key.key);
}
std::string LocalLayout::other(const ObjectKey& key) const {
  return fmt::format("{}/{}", other_folder(key.bucket), EncodeKeyPath(key.key));
}
std::string LocalLayout::displaced(const ObjectKey& key) const {
  return fmt::format("{}/{}/{}", displaced_folder(), key.bucket, EncodeKeyPath(key.key));
}

std::string EncodeKeyPath(std::string_view key) {
  std::string path;
  while (key.size() > kPartOctetsMax) {
    path += codec::HexEncode(key.substr(0, kPartOctetsMax));
    path += "~/";
    key.remove_prefix(kPartOctetsMax);
  }
  return path + codec::HexEncode(key);
}

std::optional<std::string> DecodeKeyPart(std::string_view part, bool folder) {
  if (folder) {
    if (!part.ends_with('~')) return std::nullopt;
    part.remove_suffix(1);
  }
  auto octets = codec::HexDecode(part);
  if (!octets.ok() || octets->empty() || codec::HexEncode(*octets) != part) return std::nullopt;
  if (folder ? octets->size() != kPartOctetsMax : octets->size() > kPartOctetsMax)
    return std::nullopt;
  return std::move(*octets);
}

}  // namespace weft::objects
