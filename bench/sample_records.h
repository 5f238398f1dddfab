// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace weft::bench {

// Appends record number `number` of the contract mesh/events.odcs.yaml: flat JSON of about 150
// octets, the same for the same number, with values that compress about as well as real ones do.
void AppendRecord(std::string& to, uint64_t number);

// The records from `first` on as one JSON array, or alone where `count` is 1.
std::string MakeBody(uint64_t first, uint64_t count);

}  // namespace weft::bench
