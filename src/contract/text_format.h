// SPDX-License-Identifier: Apache-2.0
// The named formats of text that a contract can ask for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::contract {

enum class TextFormat { kAny, kEmail, kUuid, kUri, kIpv4, kIpv6, kHostname, kBase64 };

// password and binary are kAny: they say how to show a text, and allow every one. Nothing for an
// unknown name.
std::optional<TextFormat> FindTextFormat(std::string_view name);
bool HasTextFormat(TextFormat format, std::string_view text);

// RFC 4648 base64 with padding; false when it is not.
bool DecodeBase64(std::string_view text, std::string& out);
// The 16 octets of "7d9f0f2c-6f0b-4a8e-9a55-3f1f0c7f6d11"; false when it is not a UUID.
bool DecodeUuid(std::string_view text, char* out);

}  // namespace weft::contract
