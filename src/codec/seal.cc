// SPDX-License-Identifier: Apache-2.0
#include "codec/seal.h"

#include <openssl/evp.h>

#include <memory>

#include "base/check.h"

namespace weft::codec {
namespace {

constexpr size_t kKeyBytes = 32, kNonceBytes = 12, kTagBytes = 16;
constexpr size_t kHeadBytes = 1 + kNonceBytes;
constexpr char kVersion = 1;
// OpenSSL counts in int; a larger value is taken in pieces.
constexpr size_t kPieceBytes = size_t{1} << 30;

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

const unsigned char* Octets(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Encrypts or decrypts `from` into `to` (null: authenticates only), whichever the context was made
// for.
bool Update(EVP_CIPHER_CTX* context, char* to, BytesView from) {
  while (!from.empty()) {
    BytesView piece = from.substr(0, kPieceBytes);
    int written = 0;
    if (EVP_CipherUpdate(context, reinterpret_cast<unsigned char*>(to), &written, Octets(piece),
                         static_cast<int>(piece.size())) != 1) {
      return false;
    }
    if (to != nullptr) to += written;
    from.remove_prefix(piece.size());
  }
  return true;
}

}  // namespace

Bytes Seal(BytesView key, BytesView plain, BytesView context, Random& random) {
  CHECK(key.size() == kKeyBytes);
  Bytes sealed(kHeadBytes + plain.size() + kTagBytes, '\0');
  sealed[0] = kVersion;
  random.Fill(sealed.data() + 1, kNonceBytes);
  Context cipher(EVP_CIPHER_CTX_new());
  CHECK(cipher != nullptr);
  CHECK(EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, Octets(key), Octets(sealed) + 1,
                          1) == 1);
  CHECK(Update(cipher.get(), nullptr, context));
  CHECK(Update(cipher.get(), sealed.data() + kHeadBytes, plain));
  int written = 0;
  auto* tag = reinterpret_cast<unsigned char*>(sealed.data() + kHeadBytes + plain.size());
  CHECK(EVP_CipherFinal_ex(cipher.get(), tag, &written) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag) == 1);
  return sealed;
}

Result<Bytes> Open(BytesView key, BytesView sealed, BytesView context) {
  if (key.size() != kKeyBytes)
    return Fail(Code::kCorrupt, "a sealed value's key has a wrong length");
  if (sealed.size() < kHeadBytes + kTagBytes || sealed[0] != kVersion) {
    return Fail(Code::kCorrupt, "not a sealed value of a known version");
  }
  BytesView body = sealed.substr(kHeadBytes, sealed.size() - kHeadBytes - kTagBytes);
  Bytes tag(sealed.substr(sealed.size() - kTagBytes));
  Bytes plain(body.size(), '\0');
  Context cipher(EVP_CIPHER_CTX_new());
  CHECK(cipher != nullptr);
  CHECK(EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, Octets(key), Octets(sealed) + 1,
                          0) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1);
  unsigned char none = 0;
  int written = 0;
  if (!Update(cipher.get(), nullptr, context) || !Update(cipher.get(), plain.data(), body) ||
      EVP_CipherFinal_ex(cipher.get(), &none, &written) != 1) {
    return Fail(Code::kCorrupt,
                "a sealed value does not open: its key, place or bytes are not those it had");
  }
  return plain;
}

}  // namespace weft::codec
