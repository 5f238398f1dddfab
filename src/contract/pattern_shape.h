// SPDX-License-Identifier: Apache-2.0
// Patterns that need no engine: one ASCII character or class behind the other, from `^` to `$`,
// each so many times; only the last one a varying number of times. Most identifiers and codes are
// such.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace weft::contract {

class PatternShape {
 public:
  // Nothing when the pattern, which must be valid ECMA-262, is not of this kind.
  static std::optional<PatternShape> Parse(std::string_view ecma);

  // Whether the pattern is found in `text`.
  bool Matches(std::string_view text) const {
    if (text.size() < fixed_.size() || text.size() - fixed_.size() < rest_min_ ||
        text.size() - fixed_.size() > rest_max_)
      return false;
    const char* at = text.data();
    bool good = true;
    for (uint8_t one : fixed_) good &= Has(one, *at++);
    for (const char* end = text.data() + text.size(); at != end; ++at) good &= Has(rest_, *at);
    return good;
  }

 private:
  using Class = std::array<bool, 256>;
  bool Has(uint8_t one, char c) const { return classes_[one][static_cast<unsigned char>(c)]; }

  std::vector<Class> classes_;
  std::vector<uint8_t> fixed_;  // the class of each of the first characters
  uint8_t rest_ = 0;            // of those behind
  size_t rest_min_ = 0, rest_max_ = 0;

  friend class ShapeParser;
};

}  // namespace weft::contract
