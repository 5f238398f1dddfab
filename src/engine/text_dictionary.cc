// SPDX-License-Identifier: Apache-2.0
#include <atomic>

#include "engine/text_dictionary_internal.h"

namespace weft::engine {
namespace {

uint64_t Mix(const TextWords& words) {
  uint64_t hash = words.low * 0x9E37'79B9'7F4A'7C15U;
  hash ^= (words.high + words.length) * 0xC2B2'AE3D'27D4'EB4FU;
  hash ^= hash >> 32;
  return hash * 0xD6E8'FEB8'6659'FD93U >> 40;
}

bool Same(const TextWords& a, const TextWords& b) {
  if (a.low != b.low || a.high != b.high || a.length != b.length) return false;
  return a.length <= 16 || std::memcmp(a.data, b.data, a.length) == 0;
}

}  // namespace

bool TextDictionary::Code(const TextWords& words, uint32_t& code) {
  for (size_t slot = Mix(words) % kSlots;; slot = (slot + 1) % kSlots) {
    const uint16_t known = slots_[slot];
    if (known == 0) {
      if (entries_.size() == kEntriesMax) return false;
      entries_.push_back(words);
      slots_[slot] = static_cast<uint16_t>(entries_.size());
      code = static_cast<uint32_t>(entries_.size() - 1);
      return true;
    }
    if (Same(entries_[known - 1U], words)) {
      code = known - 1U;
      return true;
    }
  }
}

bool TextDictionary::Encode(const iceberg::ColumnView& column, const RowRange& rows) {
  const TextColumn texts(column);
  uint32_t* codes = codes_.data();
  for (int64_t i = 0; i < rows.count; ++i) {
    const int64_t row = rows.row(i);
    if (column.valid(row)) {
      if (!Code(texts.At(row), codes[i])) return false;
      continue;
    }
    if (null_code_ == kEntriesMax) {
      if (entries_.size() == kEntriesMax) return false;
      null_code_ = static_cast<uint32_t>(entries_.size());
      entries_.emplace_back();
    }
    codes[i] = null_code_;
  }
  return true;
}

// Anew when there are more entries: DuckDB keeps what it computed of a dictionary by its name.
void TextDictionary::Build(const duckdb::LogicalType& type) {
  static std::atomic<uint64_t> last = 0;
  vector_ = std::make_unique<duckdb::Vector>(type, entries_.size());
  auto* data = duckdb::FlatVector::GetData<duckdb::string_t>(*vector_);
  for (size_t i = 0; i < entries_.size(); ++i) data[i] = entries_[i].string();
  if (null_code_ < entries_.size()) duckdb::FlatVector::SetNull(*vector_, null_code_, true);
  built_ = entries_.size();
  name_ = "tail-" + std::to_string(++last);
}

bool TextDictionary::Fill(const iceberg::ColumnView& column, const RowRange& rows,
                          duckdb::Vector& to) {
  if (too_many_) return false;
  if (!Encode(column, rows)) {
    too_many_ = true;
    return false;
  }
  if (vector_ == nullptr || built_ != entries_.size()) Build(to.GetType());
  to.Dictionary(*vector_, built_, codes_, static_cast<duckdb::idx_t>(rows.count));
  duckdb::DictionaryVector::SetDictionaryId(to, name_);
  return true;
}

}  // namespace weft::engine
