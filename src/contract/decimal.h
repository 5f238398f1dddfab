// SPDX-License-Identifier: Apache-2.0
// Exact decimal numbers of up to 38 digits, read from text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::contract {

__extension__ typedef __int128 Int128;

// 10 to the power of 0 to 38.
Int128 PowerOfTen(int exponent);

// The parts of a JSON number's text, which is left in place.
struct NumberText {
  bool negative = false;
  bool plain_integer = false;  // digits only: no point, no exponent
  std::string_view whole, fraction;
  int64_t exponent = 0;  // clamped to ±100,000
};
// Nothing when `text` is not a number by JSON's grammar.
std::optional<NumberText> ScanNumber(std::string_view text);
// Likewise, and more generous, as people write numbers in text: a plus sign, leading zeros.
std::optional<NumberText> ScanNumericText(std::string_view text);

enum class DecimalFault { kNone, kScale, kPrecision };
// The number times ten to the power of `scale`: kScale when that leaves a fraction, kPrecision when
// it has more than `precision` (at most 38) digits.
DecimalFault ToDecimal(const NumberText& number, int precision, int scale, Int128& out);

// The integer, when it fits 64 bits and was written as one.
std::optional<int64_t> ToInteger(const NumberText& number);

}  // namespace weft::contract
