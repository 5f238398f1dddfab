// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "codec/hash.h"

namespace weft::codec {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> kValues = [] {
  std::array<int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (int8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(kAlphabet[i])] = i;
  return values;
}();

uint32_t Octet(BytesView bytes, size_t at) { return static_cast<unsigned char>(bytes[at]); }

}  // namespace

std::string Base64Encode(BytesView bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3) {
    uint32_t group = Octet(bytes, at) << 16 | Octet(bytes, at + 1) << 8 | Octet(bytes, at + 2);
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += kAlphabet[group >> 6 & 63];
    out += kAlphabet[group & 63];
  }
  if (at < bytes.size()) {
    bool two = at + 2 == bytes.size();
    uint32_t group = Octet(bytes, at) << 16 | (two ? Octet(bytes, at + 1) << 8 : 0);
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += two ? kAlphabet[group >> 6 & 63] : '=';
    out += '=';
  }
  return out;
}

Result<Bytes> Base64Decode(std::string_view text) {
  if (text.size() % 4 != 0)
    return Fail(Code::kInvalid, "base64 text is not padded to a multiple of four");
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string_view digits = text.substr(0, text.size() - padding);
  Bytes out;
  out.reserve(text.size() / 4 * 3);
  uint32_t group = 0;
  int bits = 0;
  for (char c : digits) {
    int8_t value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return Fail(Code::kInvalid, "base64 text has a character outside its alphabet");
    group = group << 6 | static_cast<uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(group >> bits & 255);
    }
  }
  // Bits that no octet takes must be zero: one value has one text.
  if ((group & ((1u << bits) - 1)) != 0)
    return Fail(Code::kInvalid, "base64 text ends in stray bits");
  return out;
}

}  // namespace weft::codec
