// SPDX-License-Identifier: Apache-2.0
// Sealed frames: docs/formats/journal.md, "Sealed frames".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "codec/gcm.h"
#include "log/frame.h"
#include "log/key_ring.h"

namespace weft::log {

// Encrypts frames with a data key that this process made. One at most for each key: it has the
// counter that no two frames share. For one thread.
class FrameSealer {
 public:
  explicit FrameSealer(std::shared_ptr<const DataKey> key)
      : key_(std::move(key)), cipher_(key_->key) {}

  const DataKey& key() const { return *key_; }
  // Encrypts a frame that has its head and its plain body, and puts the checksums.
  void Seal(const FrameHead& head, char* frame);

 private:
  const std::shared_ptr<const DataKey> key_;
  codec::Gcm cipher_;
  uint64_t counter_ = 0;
};

// Decrypts frames; cheap for many of the same key. For one thread.
class FrameOpener {
 public:
  explicit FrameOpener(const KeyRing& keys) : keys_(keys) {}

  // The frame, whole and with a good head that says sealed, becomes readable where it lies, for
  // ParseBatch. False when its key is not there or it does not open.
  bool Open(const FrameHead& head, char* frame);

 private:
  const KeyRing& keys_;
  uint32_t number_ = 0;
  std::optional<codec::Gcm> cipher_;
};

}  // namespace weft::log
