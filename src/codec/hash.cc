// SPDX-License-Identifier: Apache-2.0
#include "codec/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/check.h"

namespace weft::codec {
namespace {

constexpr size_t kDigestBytes = 32, kBlockBytes = 64;

// Looking an algorithm up costs more than hashing a small message, so each is looked up once.
const EVP_MD* Fetch(const char* name) {
  const EVP_MD* algorithm = EVP_MD_fetch(nullptr, name, nullptr);
  CHECK(algorithm != nullptr);
  return algorithm;
}
const EVP_MD* Sha256Algorithm() {
  static const EVP_MD* algorithm = Fetch("SHA256");
  return algorithm;
}
const EVP_MD* Md5Algorithm() {
  static const EVP_MD* algorithm = Fetch("MD5");
  return algorithm;
}

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

void Digest(const EVP_MD* algorithm, BytesView first, BytesView second, unsigned char* out) {
  thread_local std::unique_ptr<EVP_MD_CTX, ContextDeleter> context(EVP_MD_CTX_new());
  CHECK(context != nullptr);
  CHECK(EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1);
  CHECK(EVP_DigestUpdate(context.get(), first.data(), first.size()) == 1);
  if (!second.empty()) {
    CHECK(EVP_DigestUpdate(context.get(), second.data(), second.size()) == 1);
  }
  CHECK(EVP_DigestFinal_ex(context.get(), out, nullptr) == 1);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string Sha256(BytesView bytes) {
  std::string out(kDigestBytes, '\0');
  Digest(Sha256Algorithm(), bytes, {}, reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string Sha256Hex(BytesView bytes) {
  std::array<char, kDigestBytes> digest{};
  Digest(Sha256Algorithm(), bytes, {}, reinterpret_cast<unsigned char*>(digest.data()));
  return HexEncode({digest.data(), digest.size()});
}

std::array<uint8_t, 16> Md5(BytesView bytes) {
  std::array<uint8_t, 16> out{};
  Digest(Md5Algorithm(), bytes, {}, out.data());
  return out;
}

// RFC 2104, over Digest: OpenSSL's own HMAC looks its algorithm up on every call.
std::string HmacSha256(BytesView key, BytesView bytes) {
  std::array<char, kBlockBytes> block{};
  if (key.size() > kBlockBytes) {
    Digest(Sha256Algorithm(), key, {}, reinterpret_cast<unsigned char*>(block.data()));
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  std::array<char, kBlockBytes> inner_pad{}, outer_pad{};
  for (size_t i = 0; i < kBlockBytes; ++i) {
    inner_pad[i] = static_cast<char>(block[i] ^ 0x36);
    outer_pad[i] = static_cast<char>(block[i] ^ 0x5c);
  }
  std::array<char, kDigestBytes> inner{};
  Digest(Sha256Algorithm(), {inner_pad.data(), kBlockBytes}, bytes,
         reinterpret_cast<unsigned char*>(inner.data()));
  std::string out(kDigestBytes, '\0');
  Digest(Sha256Algorithm(), {outer_pad.data(), kBlockBytes}, {inner.data(), kDigestBytes},
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string HexEncode(BytesView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(bytes.size() * 2, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto octet = static_cast<unsigned char>(bytes[i]);
    out[2 * i] = kDigits[octet >> 4];
    out[2 * i + 1] = kDigits[octet & 15];
  }
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
