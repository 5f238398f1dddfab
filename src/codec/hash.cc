// SPDX-License-Identifier: Apache-2.0
#include "codec/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "codec/sha256.h"

namespace weft::codec {
namespace {

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// The digits of every octet.
constexpr std::array<char, 512> kHexPairs = [] {
  std::array<char, 512> pairs{};
  for (size_t octet = 0; octet < 256; ++octet) {
    pairs[2 * octet] = "0123456789abcdef"[octet >> 4];
    pairs[2 * octet + 1] = "0123456789abcdef"[octet & 15];
  }
  return pairs;
}();

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string Sha256(BytesView bytes) {
  const Sha256Digest digest = Sha256Of(bytes);
  return {digest.data(), digest.size()};
}

std::string Sha256Hex(BytesView bytes) { return std::string(HexDigest(Sha256Of(bytes)).text()); }

std::array<uint8_t, 16> Md5(BytesView bytes) {
  // Looking an algorithm up costs more than hashing a small message.
  static const EVP_MD* algorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);
  thread_local std::unique_ptr<EVP_MD_CTX, ContextDeleter> context(EVP_MD_CTX_new());
  std::array<uint8_t, 16> out{};
  CHECK(algorithm != nullptr && context != nullptr);
  CHECK(EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1);
  CHECK(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  CHECK(EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1);
  return out;
}

std::string HmacSha256(BytesView key, BytesView bytes) {
  const Sha256Digest digest = HmacKey(key).Sign(bytes);
  return {digest.data(), digest.size()};
}

void HexEncodeTo(BytesView bytes, char* out) {
  for (char c : bytes) {
    std::memcpy(out, &kHexPairs[size_t{2} * static_cast<unsigned char>(c)], 2);
    out += 2;
  }
}

std::string HexEncode(BytesView bytes) {
  std::string out(bytes.size() * 2, '\0');
  HexEncodeTo(bytes, out.data());
  return out;
}

Result<Bytes> HexDecode(std::string_view text) {
  if (text.size() % 2 != 0) return Fail(Code::kInvalid, "hex text has an odd number of digits");
  Bytes out(text.size() / 2, '\0');
  for (size_t i = 0; i < out.size(); ++i) {
    int high = HexValue(text[2 * i]), low = HexValue(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return Fail(Code::kInvalid, "hex text has a character that is no digit");
    out[i] = static_cast<char>(high * 16 + low);
  }
  return out;
}

bool EqualInConstantTime(BytesView a, BytesView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace weft::codec
