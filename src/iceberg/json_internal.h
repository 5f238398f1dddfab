// SPDX-License-Identifier: Apache-2.0
// Reading JSON that somebody else wrote: every access is checked, nothing throws.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/schema.h"

namespace weft::iceberg {

using Json = nlohmann::json;

// kCorrupt where the text is not one JSON object, or is nested deeper than any table's metadata.
Result<Json> ParseObject(std::string_view text, std::string_view what);

// The member `key` of `object`; kCorrupt where it is missing or of another type.
Result<int64_t> Integer(const Json& object, const char* key);
Result<int> SmallInteger(const Json& object, const char* key);
Result<std::string> Text(const Json& object, const char* key);
Result<bool> Boolean(const Json& object, const char* key);
// nullptr where it is missing or null; kCorrupt where it is not an array (an object).
Result<const Json*> OptionalArray(const Json& object, const char* key);
Result<const Json*> OptionalObject(const Json& object, const char* key);
// Nothing where it is missing or null.
Result<std::optional<int64_t>> OptionalInteger(const Json& object, const char* key);
bool Has(const Json& object, const char* key);

Json SchemaJson(const Schema& schema);
Result<Schema> SchemaOf(const Json& json);

}  // namespace weft::iceberg
