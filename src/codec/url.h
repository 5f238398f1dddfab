// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace weft::codec {

// RFC 3986's unreserved characters: A-Z a-z 0-9 - _ . ~
inline bool Unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}
// RFC 3986: everything but A-Z a-z 0-9 - _ . ~ becomes %XX; '/' too unless `keep_slash`.
std::string PercentEncode(std::string_view text, bool keep_slash = false);
// '+' stays '+' unless `plus_is_blank`. kInvalid on a broken escape.
Result<std::string> PercentDecode(std::string_view text, bool plus_is_blank = false);
// "a=1&b=&c" decoded, '+' being a blank; of a name given twice the last counts.
Result<std::map<std::string, std::string>> ParseQuery(std::string_view query);

}  // namespace weft::codec
