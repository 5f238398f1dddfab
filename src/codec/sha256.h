// SPDX-License-Identifier: Apache-2.0
// SHA-256 and HMAC for small texts: every signed request has four. A state is a plain value of some
// hundred octets: no heap, and a copy goes on by itself from where it was made.
#pragma once

#include <openssl/sha.h>

#include <array>

#include "base/bytes.h"

namespace weft::codec {

using Sha256Digest = std::array<char, 32>;

class Sha256State {
 public:
  Sha256State();
  void Add(BytesView bytes);
  Sha256Digest Finish();  // once, as the last call

 private:
  SHA256_CTX state_;
};

Sha256Digest Sha256Of(BytesView bytes);

// A key of HMAC-SHA-256 (RFC 2104): its own part of the work is done once for all texts. Safe to
// use from any thread.
class HmacKey {
 public:
  explicit HmacKey(BytesView key);
  Sha256Digest Sign(BytesView text) const;

 private:
  Sha256State inner_, outer_;
};

// A digest as 64 hex digits in lower case.
class HexDigest {
 public:
  explicit HexDigest(const Sha256Digest& digest);
  std::string_view text() const { return {digits_.data(), digits_.size()}; }

 private:
  std::array<char, 64> digits_;
};

}  // namespace weft::codec
