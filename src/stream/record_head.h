// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "stream/shard.h"

namespace weft::stream {

// What the log keeps beside a record, as its key. docs/formats/records.md. Records that come by
// Weft's own doors have no head: their key is `rest` alone.
struct RecordHead {
  std::string_view partition_key = {};                  // "" where the record came without one
  std::optional<HashKey> explicit_hash = std::nullopt;  // where the producer gave one
  // Of an aggregate put to a product: for each of its user records whether it is a row (the others
  // are in quarantine). Empty for other records.
  std::vector<bool> taken = {};
  std::string_view rest = {};  // tail::RecordKey of a product's record, else ""
};

Bytes EncodeRecordHead(const RecordHead& head);
// Views into `key`. A key without a head is all `rest`. kCorrupt.
Result<RecordHead> DecodeRecordHead(std::string_view key);

}  // namespace weft::stream
