// SPDX-License-Identifier: Apache-2.0
#include "codec/gcm.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"

namespace weft::codec {
namespace {

// OpenSSL counts in int; more is taken in pieces.
constexpr size_t kPieceBytes = size_t{1} << 30;

const unsigned char* Octets(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// Either way round: encrypting and decrypting differ in what is done with the tag.
bool Run(EVP_CIPHER_CTX* cipher, BytesView nonce, BytesView context, char* bytes, size_t count) {
  CHECK(nonce.size() == Gcm::kNonceBytes);
  int written = 0;
  if (EVP_CipherInit_ex(cipher, nullptr, nullptr, nullptr, Octets(nonce), -1) != 1) return false;
  if (!context.empty() && EVP_CipherUpdate(cipher, nullptr, &written, Octets(context),
                                           static_cast<int>(context.size())) != 1) {
    return false;
  }
  while (count > 0) {
    const size_t piece = std::min(count, kPieceBytes);
    auto* at = reinterpret_cast<unsigned char*>(bytes);
    if (EVP_CipherUpdate(cipher, at, &written, at, static_cast<int>(piece)) != 1) return false;
    bytes += piece;
    count -= piece;
  }
  return true;
}

}  // namespace

// The key's schedule is made once for each direction.
struct Gcm::Cipher {
  std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter> encrypt{EVP_CIPHER_CTX_new()};
  std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter> decrypt{EVP_CIPHER_CTX_new()};
};

Gcm::Gcm(BytesView key) : cipher_(std::make_unique<Cipher>()) {
  CHECK(key.size() == kKeyBytes);
  auto start = [&](EVP_CIPHER_CTX* context, int encrypt) {
    CHECK(context != nullptr);
    CHECK(EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nullptr, Octets(key), nullptr, encrypt) ==
          1);
  };
  start(cipher_->encrypt.get(), 1);
  start(cipher_->decrypt.get(), 0);
}

Gcm::~Gcm() = default;
Gcm::Gcm(Gcm&&) noexcept = default;
Gcm& Gcm::operator=(Gcm&&) noexcept = default;

void Gcm::Encrypt(BytesView nonce, BytesView context, char* bytes, size_t count, char* tag) {
  EVP_CIPHER_CTX* cipher = cipher_->encrypt.get();
  CHECK(Run(cipher, nonce, context, bytes, count));
  unsigned char none = 0;
  int written = 0;
  CHECK(EVP_CipherFinal_ex(cipher, &none, &written) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, kTagBytes, tag) == 1);
}

bool Gcm::Decrypt(BytesView nonce, BytesView context, char* bytes, size_t count, BytesView tag) {
  EVP_CIPHER_CTX* cipher = cipher_->decrypt.get();
  CHECK(tag.size() == kTagBytes);
  Bytes expected(tag);
  if (!Run(cipher, nonce, context, bytes, count)) return false;
  if (EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, kTagBytes, expected.data()) != 1) {
    return false;
  }
  unsigned char none = 0;
  int written = 0;
  return EVP_CipherFinal_ex(cipher, &none, &written) == 1;
}

}  // namespace weft::codec
