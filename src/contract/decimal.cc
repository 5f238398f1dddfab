// SPDX-License-Identifier: Apache-2.0
#include "contract/decimal.h"

#include <algorithm>
#include <array>

namespace weft::contract {
namespace {

constexpr int kDigitsMax = 38;

constexpr std::array<Int128, kDigitsMax + 1> MakePowers() {
  std::array<Int128, kDigitsMax + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}
constexpr auto kPowers = MakePowers();

bool Digit(char c) { return c >= '0' && c <= '9'; }

std::string_view TakeDigits(std::string_view& text) {
  size_t n = 0;
  while (n < text.size() && Digit(text[n])) ++n;
  auto digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

// What follows the whole digits.
bool ScanRest(std::string_view text, NumberText& out) {
  if (text.empty()) {
    out.plain_integer = true;
    return true;
  }
  if (text.front() == '.') {
    text.remove_prefix(1);
    out.fraction = TakeDigits(text);
    if (out.fraction.empty()) return false;
  }
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  bool minus = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  auto digits = TakeDigits(text);
  if (digits.empty() || !text.empty()) return false;
  for (char c : digits) out.exponent = std::min<int64_t>(100'000, out.exponent * 10 + (c - '0'));
  if (minus) out.exponent = -out.exponent;
  return true;
}

}  // namespace

Int128 PowerOfTen(int exponent) { return kPowers[static_cast<size_t>(exponent)]; }

std::optional<NumberText> ScanNumber(std::string_view text) {
  NumberText out;
  if (!text.empty() && text.front() == '-') {
    out.negative = true;
    text.remove_prefix(1);
  }
  out.whole = TakeDigits(text);
  if (out.whole.empty() || (out.whole.size() > 1 && out.whole[0] == '0')) return std::nullopt;
  if (!ScanRest(text, out)) return std::nullopt;
  return out;
}

std::optional<NumberText> ScanNumericText(std::string_view text) {
  NumberText out;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    out.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  out.whole = TakeDigits(text);
  if (out.whole.empty() || !ScanRest(text, out)) return std::nullopt;
  while (out.whole.size() > 1 && out.whole[0] == '0') out.whole.remove_prefix(1);
  return out;
}

DecimalFault ToDecimal(const NumberText& number, int precision, int scale, Int128& out) {
  // The usual one, without an exponent and of few digits.
  if (number.exponent == 0 && static_cast<int>(number.fraction.size()) <= scale &&
      static_cast<int>(number.whole.size()) + scale <= std::min(precision, 18)) {
    int64_t value = 0;
    for (char c : number.whole) value = value * 10 + (c - '0');
    for (char c : number.fraction) value = value * 10 + (c - '0');
    value *= static_cast<int64_t>(kPowers[static_cast<size_t>(scale) - number.fraction.size()]);
    out = number.negative ? -value : value;
    return DecimalFault::kNone;
  }
  // Digit i of whole+fraction stands for ten to the power of (last_power + count - 1 - i), in units
  // of the result.
  auto count = static_cast<int64_t>(number.whole.size() + number.fraction.size());
  int64_t power = number.exponent + scale + static_cast<int64_t>(number.whole.size()) - 1;
  Int128 value = 0;
  for (int64_t i = 0; i < count; ++i, --power) {
    auto at = static_cast<size_t>(i);
    char c =
        at < number.whole.size() ? number.whole[at] : number.fraction[at - number.whole.size()];
    if (c == '0') continue;
    if (power < 0) return DecimalFault::kScale;
    if (power >= precision) return DecimalFault::kPrecision;
    value += (c - '0') * kPowers[static_cast<size_t>(power)];
  }
  out = number.negative ? -value : value;
  return DecimalFault::kNone;
}

std::optional<int64_t> ToInteger(const NumberText& number) {
  if (!number.plain_integer || number.whole.size() > 19) return std::nullopt;
  uint64_t value = 0;
  for (char c : number.whole) value = value * 10 + static_cast<uint64_t>(c - '0');
  uint64_t max = static_cast<uint64_t>(INT64_MAX) + (number.negative ? 1 : 0);
  if (value > max) return std::nullopt;
  return number.negative ? static_cast<int64_t>(-value) : static_cast<int64_t>(value);
}

}  // namespace weft::contract
