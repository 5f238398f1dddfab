// SPDX-License-Identifier: Apache-2.0
// RFC 8949 as AWS's clients use it. The library's own reader goes as deep as a body is nested and
// its writer knows no tags, hence this one.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace weft::aws {

// The one item that `bytes` hold: byte strings as binary values, both lengths, any number, tags
// passed over; a map's last value counts for a key given twice. Nothing for bytes that are not well
// formed, go on behind the item, nest deeper than `depth_max`, hold text that is not UTF-8, a key
// that is not text, or a simple value but false, true, null and undefined (which is null).
std::optional<nlohmann::json> ReadCbor(BytesView bytes, int depth_max);

// Pieces of an item, one behind the other.
void CborMap(Bytes& out, size_t entries);
void CborList(Bytes& out, size_t entries);
void CborText(Bytes& out, std::string_view text);
void CborBlob(Bytes& out, BytesView blob);
void CborInteger(Bytes& out, int64_t value);
void CborDouble(Bytes& out, double value);
void CborBoolean(Bytes& out, bool value);
// Tag 1 around whole milliseconds, as AWS's services and clients have it, not RFC 8949's seconds.
void CborTime(Bytes& out, int64_t milliseconds);

}  // namespace weft::aws
