// SPDX-License-Identifier: Apache-2.0
// A refused record as it lies in the quarantine stream. Format: docs/formats/quarantine.md.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/records.h"
#include "ingest/ingest.h"

namespace weft::ingest {

struct QuarantineEntry {
  std::string object;
  codec::RecordFormat format = codec::RecordFormat::kJson;
  Bytes head;  // CSV: the header row that the original's values belong to
  Bytes original;
  std::vector<RecordError> errors;
};

// The largest original that fits into one record of the log with the rest of the entry.
inline constexpr size_t kQuarantineOriginalBytesMax = (size_t{10} << 20) - (size_t{256} << 10);

// `errors`: as many as fit into 128 KiB; `head` is the caller's to keep below 64 KiB.
Bytes EncodeQuarantineEntry(std::string_view object, codec::RecordFormat format, BytesView head,
                            BytesView original, const RecordError* errors, size_t error_count);
// The errors alone, as they lie in an entry.
Bytes EncodeErrors(const RecordError* errors, size_t error_count);
Result<std::vector<RecordError>> DecodeErrors(BytesView bytes);  // kCorrupt
Result<QuarantineEntry> DecodeQuarantineEntry(
    BytesView bytes);  // kCorrupt, kNotOffered for a newer version

}  // namespace weft::ingest
