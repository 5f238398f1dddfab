// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace weft::codec {

std::string Sha256(BytesView bytes);                     // 32 octets
std::string Sha256Hex(BytesView bytes);                  // 64 digits, lower case
std::string HmacSha256(BytesView key, BytesView bytes);  // 32 octets
// For what others settled on it, never as a guard against forgery.
std::array<uint8_t, 16> Md5(BytesView bytes);
std::string HexEncode(BytesView bytes);        // lower case
void HexEncodeTo(BytesView bytes, char* out);  // twice as many digits as octets
Result<Bytes> HexDecode(std::string_view text);
std::string Base64Encode(BytesView bytes);  // RFC 4648, padded
Result<Bytes> Base64Decode(std::string_view text);
// CRC-32C (Castagnoli); `seed` is the checksum of the bytes before, so that parts can be chained.
uint32_t Crc32c(BytesView bytes, uint32_t seed = 0);
// Takes as long for a difference in the first octet as in the last.
bool EqualInConstantTime(BytesView a, BytesView b);

}  // namespace weft::codec
