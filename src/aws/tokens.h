// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"

namespace weft::aws {

// What a client is given to bring back: shard iterators, tokens of the next page. Opaque, and only
// what this server made for that purpose opens. They outlive a restart.
class Tokens {
 public:
  Tokens(BytesView master_key, const Clock& clock, Random& random);

  // `content` is a document of a few values.
  std::string Make(std::string_view purpose, const nlohmann::json& content) const;
  struct Opened {
    Timestamp made;
    nlohmann::json content;
  };
  std::optional<Opened> Open(std::string_view purpose, std::string_view token) const;

 private:
  const Bytes key_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace weft::aws
