// SPDX-License-Identifier: Apache-2.0
// The text of a column, read some octets at a time and not one by one.
#pragma once

#include <cstdint>
#include <cstring>

#include "duckdb/common/types/string_type.hpp"
#include "iceberg/columns.h"

namespace weft::engine {

// The first octets of a text, zeros behind its end: `low` the first eight, `high` the next eight.
struct TextWords {
  const char* data = nullptr;
  uint32_t length = 0;
  uint64_t low = 0;
  uint64_t high = 0;

  duckdb::string_t string() const {
    if (length > duckdb::string_t::INLINE_LENGTH) return duckdb::string_t(data, length);
    struct {
      uint32_t length;
      uint64_t first;
      uint32_t rest;
    } __attribute__((packed)) inlined{length, low, static_cast<uint32_t>(high)};
    static_assert(sizeof(inlined) == sizeof(duckdb::string_t));
    duckdb::string_t string;
    std::memcpy(static_cast<void*>(&string), &inlined, sizeof(inlined));
    return string;
  }
};

// Which octets of its two words a text of such a length has.
struct TextMasks {
  uint64_t of[17][2] = {};
  constexpr TextMasks() {
    for (int length = 0; length <= 16; ++length) {
      of[length][0] = First(length);
      of[length][1] = length > 8 ? First(length - 8) : 0;
    }
  }
  static constexpr uint64_t First(int octets) {
    return octets >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * octets)) - 1;
  }
};
inline constexpr TextMasks kTextMasks;

// The texts of a column with offsets.
class TextColumn {
 public:
  explicit TextColumn(const iceberg::ColumnView& column)
      : offsets_(column.offsets),
        text_(reinterpret_cast<const char*>(column.values)),
        end_(column.offsets[column.length]) {}

  TextWords At(int64_t row) const {
    const int32_t begin = offsets_[row];
    TextWords words{.data = text_ + begin,
                    .length = static_cast<uint32_t>(offsets_[row + 1] - begin)};
    if (end_ - begin >= 16) [[likely]] {
      std::memcpy(&words.low, words.data, 8);
      std::memcpy(&words.high, words.data + 8, 8);
      const uint64_t* mask = kTextMasks.of[words.length < 16 ? words.length : 16];
      words.low &= mask[0];
      words.high &= mask[1];
    } else {
      // The last ones: nothing may lie behind them.
      char octets[16] = {};
      std::memcpy(octets, words.data, words.length);
      std::memcpy(&words.low, octets, 8);
      std::memcpy(&words.high, octets + 8, 8);
    }
    return words;
  }

 private:
  const int32_t* offsets_;
  const char* text_;
  int32_t end_;
};

}  // namespace weft::engine
