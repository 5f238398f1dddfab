// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace weft {

// A name or key that cannot be passed where another kind is wanted:
//   using AccountId = Name<struct AccountTag>;
template <class Tag>
class Name {
 public:
  Name() = default;
  explicit Name(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const Name&, const Name&) = default;

 private:
  std::string text_;
};

// A number that cannot be passed where another kind is wanted: using Offset = Number<struct
// OffsetTag>;
template <class Tag>
struct Number {
  int64_t value = 0;
  friend auto operator<=>(const Number&, const Number&) = default;
};

using AccountId = Name<struct AccountTag>;    // twelve digits
using ProductName = Name<struct ProductTag>;  // unique on a server

}  // namespace weft

template <class Tag>
struct std::hash<weft::Name<Tag>> {
  size_t operator()(const weft::Name<Tag>& name) const {
    return std::hash<std::string>()(name.text());
  }
};
