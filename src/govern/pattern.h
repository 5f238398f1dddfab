// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/result.h"

namespace weft::govern {

// '*' in the pattern stands for any characters, '?' for exactly one. In time of at most the product
// of the lengths.
bool MatchesText(std::string_view pattern, std::string_view text, bool ignore_case);
bool MatchesAction(std::string_view pattern, std::string_view action);
bool MatchesResource(std::string_view pattern, std::string_view resource);

Status CheckActionPattern(std::string_view pattern);
Status CheckResourcePattern(std::string_view pattern);

}  // namespace weft::govern
