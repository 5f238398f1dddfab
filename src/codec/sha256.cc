// SPDX-License-Identifier: Apache-2.0
// OpenSSL's EVP functions take as much time to prepare and clean up as a small text takes to be
// hashed, and their states cannot be copied without the heap. So these are the ones below them,
// which OpenSSL 3 calls deprecated and uses itself.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "codec/sha256.h"

#include "base/check.h"
#include "codec/hash.h"

namespace weft::codec {
namespace {

constexpr size_t kBlockBytes = 64;

}  // namespace

Sha256State::Sha256State() { CHECK(SHA256_Init(&state_) == 1); }

void Sha256State::Add(BytesView bytes) {
  CHECK(SHA256_Update(&state_, bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256State::Finish() {
  Sha256Digest digest;
  CHECK(SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &state_) == 1);
  return digest;
}

Sha256Digest Sha256Of(BytesView bytes) {
  Sha256State state;
  state.Add(bytes);
  return state.Finish();
}

HmacKey::HmacKey(BytesView key) {
  const Sha256Digest hashed = key.size() > kBlockBytes ? Sha256Of(key) : Sha256Digest{};
  if (key.size() > kBlockBytes) key = {hashed.data(), hashed.size()};
  std::array<char, kBlockBytes> inner_pad, outer_pad;
  inner_pad.fill(0x36);
  outer_pad.fill(0x5c);
  for (size_t i = 0; i < key.size(); ++i) {
    inner_pad[i] = static_cast<char>(inner_pad[i] ^ key[i]);
    outer_pad[i] = static_cast<char>(outer_pad[i] ^ key[i]);
  }
  inner_.Add({inner_pad.data(), kBlockBytes});
  outer_.Add({outer_pad.data(), kBlockBytes});
}

Sha256Digest HmacKey::Sign(BytesView text) const {
  Sha256State state = inner_;
  state.Add(text);
  const Sha256Digest inner = state.Finish();
  state = outer_;
  state.Add({inner.data(), inner.size()});
  return state.Finish();
}

HexDigest::HexDigest(const Sha256Digest& digest) {
  HexEncodeTo({digest.data(), digest.size()}, digits_.data());
}

}  // namespace weft::codec
