// SPDX-License-Identifier: Apache-2.0
// Control characters, which a header's name or value must not have.
#pragma once

#include <string_view>

namespace weft::http {

// Where the first one is, from `at` on; the end when there is none. A tab is none of them.
size_t FindControl(std::string_view text, size_t at = 0);

}  // namespace weft::http
