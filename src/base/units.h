// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace weft {

// "64 MiB", "10 MB", "512 KiB", "100 B", "2GiB": a whole number, an optional blank, a unit;
// kInvalid else, a number without a unit included.
Result<int64_t> ParseSize(std::string_view text);
// The largest binary unit that loses nothing to rounding past one digit: "64 MiB", "1.5 GiB", "17
// B".
std::string FormatSize(int64_t bytes);

// "60 s", "7d", "24h", "5 m", "100 ms".
Result<milliseconds> ParseDuration(std::string_view text);
std::string FormatDuration(milliseconds duration);

}  // namespace weft
