// SPDX-License-Identifier: Apache-2.0
// Between the files that read ODCS documents.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "contract/contract.h"
#include "contract/document.h"

namespace weft::contract {

// Reads one property (or the items of an array) of a schema object. `path` names it in errors.
Result<Column> ReadProperty(const Document& node, const std::string& path, int depth);
// Reads logicalTypeOptions into a column whose type is known; a key that does not belong to it is
// refused.
Status ReadOptions(const Document& node, Column& column);

// kInvalid, at its line and with the nearest known one, for a key of a map that is not among
// `known`; likewise when the node is no map.
Status CheckKeys(const Document& node, const std::vector<std::string>& known,
                 std::string_view what);
// Names of columns on one level: not empty, not twice (by case neither).
Status CheckNames(const std::vector<Column>& columns, const std::string& path);

// The value of a key as text, "" when it is absent; kInvalid when it is not a scalar.
Result<std::string> TextOf(const Document& map, std::string_view key);
Result<bool> FlagOf(const Document& map, std::string_view key);
Result<std::optional<int64_t>> CountOf(const Document& map, std::string_view key);

}  // namespace weft::contract
