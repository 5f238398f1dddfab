// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace weft::tail {

// What the log keeps beside each record of a product: by which version of the contract, and as
// which of its schema objects, it was checked. Format: docs/formats/records.md.
struct RecordKey {
  int contract_version = 0;
  std::string object;
};
Bytes EncodeRecordKey(const RecordKey& key);
Result<RecordKey> DecodeRecordKey(BytesView bytes);  // kCorrupt

}  // namespace weft::tail
