// SPDX-License-Identifier: Apache-2.0
// The data keys of sealed frames and the file `keys`, which holds them wrapped by the master key:
// docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/random.h"
#include "base/result.h"

namespace weft::log {

struct DataKey {
  uint32_t number = 0;
  int64_t made_us = 0;
  uint64_t segment_first = 0;  // that the process which made it could make
  Bytes key = {};
};

// Safe from any thread.
class KeyRing {
 public:
  struct Options {
    std::string folder;
    Bytes master_key;  // 32 octets, or none: nothing can be sealed
    milliseconds age_max;
  };
  // `segments` are those there are, `segment_next` the first that this process may make. kInvalid
  // when the master key is not that of the file or is missing; kCorrupt when the file is damaged.
  static Result<std::unique_ptr<KeyRing>> Open(const Options& options, Disk& disk, Random& random,
                                               const std::vector<uint64_t>& segments,
                                               uint64_t segment_next);

  // Of a journal whose sealed frames nobody wants to read.
  static std::unique_ptr<KeyRing> Without();

  bool can_seal() const { return !options_.master_key.empty(); }
  // The key for new frames, made by this process, durable on return: the one that is in use, or a
  // new one when that is too old at `now`.
  Result<std::shared_ptr<const DataKey>> ForSealing(Timestamp now);
  // Nothing when there is none of that number.
  std::shared_ptr<const DataKey> Find(uint32_t number) const;

 private:
  KeyRing(const Options& options, Disk& disk, Random& random, uint64_t segment_next)
      : options_(options), disk_(disk), random_(random), segment_next_(segment_next) {}

  const Options options_;
  Disk& disk_;
  Random& random_;
  const uint64_t segment_next_;
  mutable std::mutex mutex_;  // guards what follows
  uint32_t next_number_ = 1;
  std::map<uint32_t, std::shared_ptr<const DataKey>> keys_;
  std::shared_ptr<const DataKey> own_;  // made by this process
};

// Wraps the data keys of a journal that is stopped under another master key; frames stay as they
// are. Fine when there are none. kInvalid when the old key is not the one, kUnavailable when a
// process has the folder.
Status RewrapKeys(const std::string& folder, Disk& disk, BytesView old_master, BytesView new_master,
                  Random& random = SystemRandom());

}  // namespace weft::log
