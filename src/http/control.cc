// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "http/control_internal.h"

namespace weft::http {
namespace {

constexpr size_t kStep = 16;

bool IsControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

// Whether one of kStep characters is a control or a tab. Compilers take all at once.
bool MayHaveControl(const char* text) {
  unsigned char any = 0;
  for (size_t i = 0; i < kStep; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    any |= static_cast<unsigned char>((c < 0x20) | (c == 0x7f));
  }
  return any != 0;
}

}  // namespace

size_t FindControl(std::string_view text, size_t at) {
  while (at < text.size()) {
    while (text.size() - at >= kStep && !MayHaveControl(text.data() + at)) at += kStep;
    for (const size_t end = std::min(at + kStep, text.size()); at < end; ++at) {
      if (IsControl(text[at])) return at;
    }
  }
  return at;
}

}  // namespace weft::http
