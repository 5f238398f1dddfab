// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/bytes.h"

namespace weft::log {

// Numbers as they lie in the files of docs/formats/journal.md.
static_assert(std::endian::native == std::endian::little);

template <class T>
T GetNumber(const char* from) {
  static_assert(std::is_integral_v<T>);
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
void PutNumber(char* to, std::type_identity_t<T> value) {
  std::memcpy(to, &value, sizeof value);
}

template <class T>
void AppendNumber(Bytes& to, std::type_identity_t<T> value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Takes numbers and text off the front of bytes that may be cut short: then everything it gives is
// zero or empty, and ok() is false.
class Cursor {
 public:
  explicit Cursor(BytesView bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  BytesView rest() const { return rest_; }

  template <class T>
  T Take() {
    BytesView bytes = TakeBytes(sizeof(T));
    return bytes.empty() ? T{} : GetNumber<T>(bytes.data());
  }
  BytesView TakeBytes(size_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    BytesView taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

 private:
  BytesView rest_;
  bool ok_ = true;
};

}  // namespace weft::log
