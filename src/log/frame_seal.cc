// SPDX-License-Identifier: Apache-2.0
#include "log/frame_seal.h"

#include <array>

#include "log/wire.h"

namespace weft::log {
namespace {

using Nonce = std::array<char, codec::Gcm::kNonceBytes>;

Nonce NonceOf(uint64_t counter) {
  Nonce nonce{};
  PutNumber<uint64_t>(nonce.data() + 4, counter);
  return nonce;
}

template <size_t kBytes>
BytesView View(const std::array<char, kBytes>& bytes) {
  return {bytes.data(), bytes.size()};
}

// What a frame's tag covers beside the body.
using Context = std::array<char, static_cast<size_t>(kFrameHeadBytes)>;

Context ContextOf(const char* frame) {
  Context context;
  std::memcpy(context.data(), frame, context.size());
  ClearChecksums(context.data());
  return context;
}

size_t PlainBytes(const FrameHead& head) {
  return static_cast<size_t>(int64_t{head.bytes} - kFrameHeadBytes - kSealBytes);
}

}  // namespace

void FrameSealer::Seal(const FrameHead& head, char* frame) {
  char* seal = frame + kFrameHeadBytes;
  PutNumber<uint32_t>(seal, key_->number);
  PutNumber<uint64_t>(seal + 4, ++counter_);
  const Nonce nonce = NonceOf(counter_);
  const Context context = ContextOf(frame);
  char* plain = seal + kSealHeadBytes;
  cipher_.Encrypt(View(nonce), View(context), plain, PlainBytes(head), plain + PlainBytes(head));
  PutChecksums(frame, BodyCrc(BytesView(frame, head.bytes)));
}

bool FrameOpener::Open(const FrameHead& head, char* frame) {
  const char* seal = frame + kFrameHeadBytes;
  const auto number = GetNumber<uint32_t>(seal);
  if (!cipher_ || number != number_) {
    auto key = keys_.Find(number);
    if (!key) return false;
    cipher_.emplace(key->key);
    number_ = number;
  }
  const Nonce nonce = NonceOf(GetNumber<uint64_t>(seal + 4));
  const Context context = ContextOf(frame);
  char* body = frame + kFrameHeadBytes + kSealHeadBytes;
  const BytesView tag(body + PlainBytes(head), codec::Gcm::kTagBytes);
  return cipher_->Decrypt(View(nonce), View(context), body, PlainBytes(head), tag);
}

}  // namespace weft::log
