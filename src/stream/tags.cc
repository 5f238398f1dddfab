// SPDX-License-Identifier: Apache-2.0
#include "stream/tags.h"

#include <nlohmann/json.hpp>

namespace weft::stream {

using nlohmann::json;

std::string TextOf(const Tags& tags) {
  return json(tags).dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Tags> ParseTags(const std::string& text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return Fail(Code::kCorrupt, "stored tags are damaged");
  Tags tags;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) return Fail(Code::kCorrupt, "stored tags are damaged");
    tags[key] = value.get<std::string>();
  }
  return tags;
}

}  // namespace weft::stream
