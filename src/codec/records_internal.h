// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "codec/records.h"

namespace weft::codec {

// Where the JSON object or array that begins at `at` ends: just past its last bracket, npos when it
// does not. Brackets are counted, whatever their kind, and those in strings left out.
size_t EndOfContainer(std::string_view body, size_t at);
// Where the JSON string that begins at `at` ends: just past its quote, npos when it does not.
size_t EndOfString(std::string_view body, size_t at);

Result<std::vector<RawRecord>> SplitCsv(std::string_view body, Bytes& text);

}  // namespace weft::codec
