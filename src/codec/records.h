// SPDX-License-Identifier: Apache-2.0
// Takes a body apart into records, without judging them: that is contract's.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace weft::codec {

enum class RecordFormat {
  kJson,    // one object, an array of objects, or objects one after another
  kNdjson,  // one object a line; blank lines do not count
  kCsv,  // RFC 4180 with a header row; each row becomes a JSON object of texts, an empty unquoted
         // field null
};

// By Content-Type; "" and application/x-www-form-urlencoded are JSON; kInvalid names what is taken.
Result<RecordFormat> ParseRecordContentType(std::string_view content_type);

// One record of the body: a view into it (or, for CSV, into `text`, a JSON object made of the row).
// The view is one JSON value, not yet checked to be an object, well-formed or within any limit.
struct RawRecord {
  std::string_view json;
  std::string_view original;  // what the sender wrote for it, for quarantine: the row of CSV
};

// Splits `body`; kInvalid when the body as a whole cannot be read: JSON that is empty, an array or
// object that does not end, something other than objects one after another, a CSV without header,
// with a name twice or what is not UTF-8 in it, or with an unclosed quote. What is broken by itself
// (a record that is not UTF-8, a line of NDJSON, a row of CSV) is a record whose `json` does not
// parse; for CSV that begins with "!csv " and says why: "!csv row has 3 fields, header has
// 5". Blank lines of CSV do not count; a byte order mark is skipped. `text` receives what views
// point to beyond the body (and is padded as Request::body is).
Result<std::vector<RawRecord>> SplitRecords(RecordFormat format, std::string_view body,
                                            Bytes& text);

}  // namespace weft::codec
