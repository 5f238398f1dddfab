// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "ingest/answer_record.h"

namespace weft::ingest {

// Where the answers to keys lie: from a hash to an offset. About 24 to 48 octets a key, and no
// allocation but when it grows. Keys are never taken out: those whose offset lies before the floor
// do not count, and their room is used again. Not for two threads at once.
class KeyTable {
 public:
  static constexpr int64_t kNone = -1;

  // The offset of the key, also one before the floor; kNone.
  int64_t Find(const KeyHash& key) const;
  // In place of an earlier one.
  void Put(const KeyHash& key, int64_t offset, int64_t floor);

 private:
  struct Slot {
    KeyHash key;
    int64_t offset = kNone;
  };
  void Place(const KeyHash& key, int64_t offset, int64_t floor);
  void MakeRoom(int64_t floor);

  std::vector<Slot> slots_;  // a power of two of them; a key lies at or behind its hash
  size_t used_ = 0;          // slots that are not kNone
};

}  // namespace weft::ingest
