// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::codec {

// The header fields of a message, in order. Their texts lie side by side in one piece of memory, so
// that a head costs two allocations however many fields it has. What it gives are views, which hold
// as long as the list stays where and as it is.
class HeaderList {
 public:
  using Field = std::pair<std::string_view, std::string_view>;  // name, value

  HeaderList() = default;
  HeaderList(std::initializer_list<Field> fields) {
    for (const auto& [name, value] : fields) emplace_back(name, value);
  }

  void emplace_back(std::string_view name, std::string_view value) {
    const size_t at = text_.size();
    text_.append(name).append(value);
    AddPart(at, name.size(), at + name.size(), value.size());
  }
  void push_back(const Field& field) { emplace_back(field.first, field.second); }

  // For whoever takes a head apart where it lies: the list copies all of its text, which may be
  // changed there before parts of it are added as fields.
  char* Take(std::string_view text) {
    constexpr size_t kFieldsUsual = 16;
    places_.clear();
    places_.reserve(kFieldsUsual);
    text_.assign(text);
    return text_.data();
  }
  void AddPart(size_t name, size_t name_bytes, size_t value, size_t value_bytes) {
    places_.push_back({static_cast<uint32_t>(name), static_cast<uint32_t>(name_bytes),
                       static_cast<uint32_t>(value), static_cast<uint32_t>(value_bytes)});
  }
  void clear() {
    text_.clear();
    places_.clear();
  }

  size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }
  Field operator[](size_t i) const {
    const Place& place = places_[i];
    const char* text = text_.data();
    return {{text + place.name, place.name_bytes}, {text + place.value, place.value_bytes}};
  }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Field;
    using difference_type = std::ptrdiff_t;
    using pointer = const Field*;
    using reference = Field;
    Iterator(const HeaderList& list, size_t at) : list_(&list), at_(at) {}
    Field operator*() const { return (*list_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const HeaderList* list_;
    size_t at_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  struct Place {
    uint32_t name, name_bytes, value, value_bytes;  // of text_
  };
  std::string text_;
  std::vector<Place> places_;
};

bool EqualButForCase(std::string_view a, std::string_view b);  // of the same length
// In the letters of ASCII. Nearly all that are equal are so to the letter.
inline bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a == b || EqualButForCase(a, b));
}

// The value of the first field of that name, in any case; empty when there is none.
std::string_view FindHeader(const HeaderList& headers, std::string_view name);

}  // namespace weft::codec
