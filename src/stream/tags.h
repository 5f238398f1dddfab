// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace weft::stream {

using Tags = std::map<std::string, std::string>;
// As meta keeps them: a JSON object of texts.
std::string TextOf(const Tags& tags);
Result<Tags> ParseTags(const std::string& text);  // kCorrupt

}  // namespace weft::stream
