// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/bytes.h"

namespace weft::codec {

// AES-256-GCM under one key, for many values in place: cheaper a value than Seal (seal.h). The
// caller owes nonces that never repeat under a key, and one thread at a time.
class Gcm {
 public:
  static constexpr size_t kKeyBytes = 32, kNonceBytes = 12, kTagBytes = 16;

  explicit Gcm(BytesView key);
  ~Gcm();
  Gcm(Gcm&&) noexcept;
  Gcm& operator=(Gcm&&) noexcept;

  // Encrypts `count` octets where they are and writes the tag, which covers `context` too, to
  // `tag`.
  void Encrypt(BytesView nonce, BytesView context, char* bytes, size_t count, char* tag);
  // False when key, nonce, context, octets or tag are not those of Encrypt; the octets are then
  // worthless.
  [[nodiscard]] bool Decrypt(BytesView nonce, BytesView context, char* bytes, size_t count,
                             BytesView tag);

 private:
  struct Cipher;
  std::unique_ptr<Cipher> cipher_;
};

}  // namespace weft::codec
