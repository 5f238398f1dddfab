// SPDX-License-Identifier: Apache-2.0
#include "ingest/key_table.h"

#include <utility>

namespace weft::ingest {
namespace {
constexpr size_t kSlotsMin = 64;
}  // namespace

int64_t KeyTable::Find(const KeyHash& key) const {
  if (slots_.empty()) return kNone;
  const size_t mask = slots_.size() - 1;
  for (size_t at = key.low & mask; slots_[at].offset != kNone; at = (at + 1) & mask) {
    if (slots_[at].key == key) return slots_[at].offset;
  }
  return kNone;
}

void KeyTable::Put(const KeyHash& key, int64_t offset, int64_t floor) {
  // Probes stay short up to three quarters.
  if ((used_ + 1) * 4 > slots_.size() * 3) MakeRoom(floor);
  Place(key, offset, floor);
}

// The first slot that is the key's, or that nobody needs. An older slot of the key may lie behind
// it: it is not reached any more, and when the table is made anew the newer one wins.
void KeyTable::Place(const KeyHash& key, int64_t offset, int64_t floor) {
  const size_t mask = slots_.size() - 1;
  size_t at = key.low & mask;
  while (slots_[at].offset >= floor && slots_[at].offset != kNone && slots_[at].key != key) {
    at = (at + 1) & mask;
  }
  Slot& slot = slots_[at];
  if (slot.offset == kNone) ++used_;
  if (slot.key == key && slot.offset > offset) return;
  slot = {key, offset};
}

void KeyTable::MakeRoom(int64_t floor) {
  size_t kept = 0;
  for (const Slot& slot : slots_) kept += slot.offset != kNone && slot.offset >= floor ? 1 : 0;
  size_t size = kSlotsMin;
  while ((kept + 1) * 2 > size) size *= 2;
  std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(size));
  used_ = 0;
  for (const Slot& slot : before) {
    if (slot.offset != kNone && slot.offset >= floor) Place(slot.key, slot.offset, floor);
  }
}

}  // namespace weft::ingest
