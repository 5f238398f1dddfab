// SPDX-License-Identifier: Apache-2.0
#include "aws/tokens.h"

#include "codec/hash.h"
#include "codec/seal.h"

namespace weft::aws {

using nlohmann::json;

Tokens::Tokens(BytesView master_key, const Clock& clock, Random& random)
    : key_(codec::HmacSha256(master_key, "weft aws tokens")), clock_(clock), random_(random) {}

std::string Tokens::Make(std::string_view purpose, const json& content) const {
  const json whole = {clock_.Now().time_since_epoch().count(), content};
  return codec::Base64Encode(codec::Seal(key_, whole.dump(), purpose, random_));
}

std::optional<Tokens::Opened> Tokens::Open(std::string_view purpose, std::string_view token) const {
  const auto sealed = codec::Base64Decode(token);
  if (!sealed.ok()) return std::nullopt;
  const auto plain = codec::Open(key_, *sealed, purpose);
  if (!plain.ok()) return std::nullopt;
  json whole = json::parse(*plain, nullptr, /*allow_exceptions=*/false);
  // What opens was made here, by this version or another.
  if (!whole.is_array() || whole.size() != 2 || !whole[0].is_number_integer()) return std::nullopt;
  return Opened{Timestamp(microseconds(whole[0].get<int64_t>())), std::move(whole[1])};
}

}  // namespace weft::aws
