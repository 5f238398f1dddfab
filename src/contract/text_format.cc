// SPDX-License-Identifier: Apache-2.0
#include "contract/text_format.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

namespace weft::contract {
namespace {

constexpr std::array<std::pair<std::string_view, TextFormat>, 9> kFormats = {{
    {"email", TextFormat::kEmail},
    {"uuid", TextFormat::kUuid},
    {"uri", TextFormat::kUri},
    {"ipv4", TextFormat::kIpv4},
    {"ipv6", TextFormat::kIpv6},
    {"hostname", TextFormat::kHostname},
    {"byte", TextFormat::kBase64},
    {"binary", TextFormat::kAny},
    {"password", TextFormat::kAny},
}};

bool Alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool Digit(char c) { return c >= '0' && c <= '9'; }

int HexValue(char c) {
  if (Digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 1123: labels of letters, digits and hyphens.
bool IsHostname(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    size_t dot = text.find('.');
    auto label = text.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
      return false;
    if (!std::all_of(label.begin(), label.end(),
                     [](char c) { return Alpha(c) || Digit(c) || c == '-'; })) {
      return false;
    }
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// local@host: the form that people and mail programs use, not RFC 5321's quoted ones.
bool IsEmail(std::string_view text) {
  size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64) return false;
  auto local = text.substr(0, at);
  if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos)
    return false;
  for (char c : local) {
    bool plain = Alpha(c) || Digit(c) || (static_cast<unsigned char>(c) & 0x80) != 0 ||
                 std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
    if (!plain) return false;
  }
  return IsHostname(text.substr(at + 1));
}

// RFC 3986: a scheme, then characters that a URI may have.
bool IsUri(std::string_view text) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !Alpha(text[0])) return false;
  for (char c : text.substr(0, colon)) {
    if (!Alpha(c) && !Digit(c) && c != '+' && c != '-' && c != '.') return false;
  }
  auto rest = text.substr(colon + 1);
  for (size_t i = 0; i < rest.size(); ++i) {
    char c = rest[i];
    if (c == '%') {
      if (i + 2 >= rest.size() || HexValue(rest[i + 1]) < 0 || HexValue(rest[i + 2]) < 0)
        return false;
    } else if (!Alpha(c) && !Digit(c) &&
               std::string_view("-._~:/?#[]@!$&'()*+,;=").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool IsAddress(int family, std::string_view text) {
  std::array<char, 64> copy{};
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) return false;
  std::copy(text.begin(), text.end(), copy.begin());
  std::array<unsigned char, 16> octets{};
  return inet_pton(family, copy.data(), octets.data()) == 1;
}

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (Digit(c)) return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

}  // namespace

std::optional<TextFormat> FindTextFormat(std::string_view name) {
  for (const auto& [known, format] : kFormats) {
    if (known == name) return format;
  }
  return std::nullopt;
}

bool HasTextFormat(TextFormat format, std::string_view text) {
  std::array<char, 16> octets{};
  switch (format) {
    case TextFormat::kAny:
      return true;
    case TextFormat::kEmail:
      return IsEmail(text);
    case TextFormat::kUuid:
      return DecodeUuid(text, octets.data());
    case TextFormat::kUri:
      return IsUri(text);
    case TextFormat::kIpv4:
      return IsAddress(AF_INET, text);
    case TextFormat::kIpv6:
      return IsAddress(AF_INET6, text);
    case TextFormat::kHostname:
      return IsHostname(text);
    case TextFormat::kBase64: {
      std::string out;
      return DecodeBase64(text, out);
    }
  }
  return false;
}

bool DecodeBase64(std::string_view text, std::string& out) {
  out.clear();
  if (text.size() % 4 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 4) {
    bool last = i + 4 == text.size();
    int padding = !last ? 0 : text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
    uint32_t bits = 0;
    for (size_t j = 0; j < 4; ++j) {
      int value = j >= static_cast<size_t>(4 - padding) ? 0 : Base64Value(text[i + j]);
      if (value < 0) return false;
      bits = bits << 6 | static_cast<uint32_t>(value);
    }
    // Bits that padding leaves over must be zero: one value has one text.
    if ((padding == 1 && (bits & 0xff) != 0) || (padding == 2 && (bits & 0xffff) != 0))
      return false;
    for (int j = 0; j < 3 - padding; ++j) out += static_cast<char>(bits >> (16 - 8 * j) & 0xff);
  }
  return true;
}

bool DecodeUuid(std::string_view text, char* out) {
  if (text.size() != 36) return false;
  size_t n = 0;
  for (size_t i = 0; i < text.size();) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return false;
      continue;
    }
    int high = HexValue(text[i]), low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out[n++] = static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

}  // namespace weft::contract
