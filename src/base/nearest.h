// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft {

// The one of `known` that `word` was most likely meant to be (fewest edits, at most a third of its
// length and two at least), or "" when none is near.
std::string Nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace weft
