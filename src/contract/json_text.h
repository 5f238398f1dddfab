// SPDX-License-Identifier: Apache-2.0
// Pieces of JSON text, below what a parser hands out.
#pragma once

#include <string>
#include <string_view>

namespace weft::contract {

// Why a value is refused: a literal, or a text that lives as long as the checker. Empty: it is not.
using Reason = std::string_view;
// Not a field's fault but the record's: its bytes are not JSON.
inline constexpr Reason kNotJson = "is not valid JSON";

// Without the white space behind a token.
std::string_view TrimRight(std::string_view token);

// Unescapes the inside of a JSON string into `out`, which has room for as many octets. `size` is
// how many it took.
Reason Unescape(std::string_view inside, char* out, size_t& size);

// Appends one form of the value that begins at `at`, the same for values that are equal (1 and 1.0;
// objects whatever their keys' order), and moves on behind it. The text must be valid JSON.
void AppendCanonical(const char*& at, std::string& out);

// Whether an array's items, whose text begins at `array`, all differ. The text must be valid JSON.
bool ItemsDiffer(const char* array);

}  // namespace weft::contract
