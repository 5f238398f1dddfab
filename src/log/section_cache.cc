// SPDX-License-Identifier: Apache-2.0
#include "log/section_cache.h"

namespace weft::log {
namespace {
size_t BytesOf(const SectionCache::Section& section) {
  return section->size() * sizeof(IndexEntry) + 128;
}
}  // namespace

SectionCache::Section SectionCache::Find(uint64_t sequence, uint32_t partition) {
  std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->sequence != sequence || entry->partition != partition) continue;
    entries_.splice(entries_.begin(), entries_, entry);
    return entry->section;
  }
  return nullptr;
}

void SectionCache::Add(uint64_t sequence, uint32_t partition, Section section) {
  std::lock_guard lock(mutex_);
  bytes_ += BytesOf(section);
  entries_.push_front(
      {.sequence = sequence, .partition = partition, .section = std::move(section)});
  while (entries_.size() > 1 && (bytes_ > bytes_max_ || entries_.size() > 1024)) {
    bytes_ -= BytesOf(entries_.back().section);
    entries_.pop_back();
  }
}

}  // namespace weft::log
