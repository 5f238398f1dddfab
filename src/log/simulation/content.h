// SPDX-License-Identifier: Apache-2.0
// What the units of a simulated run hold: it follows from the unit's number, so that every octet
// that comes back can be checked and none has to be kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "log/record_log.h"

namespace weft::log {

// One batch of a unit.
struct Content {
  int unit = 0;
  int part = 0;
  std::vector<uint32_t> value_bytes;  // of each record, beside the words that tell it apart
};

std::string IdOf(const Content& content);
Batch BatchOf(const Content& content);
// Unit and part of a batch by its id; nothing when no run can have written that.
struct UnitPart {
  int unit = 0;
  int part = 0;
};
std::optional<UnitPart> PlaceOf(const std::string& id);
// What differs between the batch that was stored and this one, or "".
std::string Difference(const Content& content, const StoredBatch& stored);

}  // namespace weft::log
