// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace weft::cli {

enum class FileFormat { kJson, kNdjson, kCsv, kParquet };
Result<FileFormat> ParseFileFormat(std::string_view name);
// By the file's ending; kInvalid when it tells nothing.
Result<FileFormat> FormatOfName(const std::string& file);

// Cuts a stream of bytes into parts of whole records, each a body for the records door: at most
// `part_bytes`, or one record. Holds no more than one part and one record in memory.
class RecordParts {
 public:
  struct Part {
    Bytes body;
    const char* content_type = "";
    int64_t first_record = 0;  // how many records of the source come before it
    int64_t source_bytes = 0;  // how far in the source it reaches, from the part before
  };
  using Sink = std::function<Status(Part)>;
  // `format` is not kParquet.
  RecordParts(FileFormat format, int64_t part_bytes, Sink sink);
  Status Feed(std::string_view bytes);
  Status Finish();

 private:
  Status FeedJson(std::string_view bytes);
  Status FeedLines(std::string_view bytes);
  Status FeedCsv(std::string_view bytes);
  Status EndRecord();
  Status Flush();

  const FileFormat format_;
  const size_t part_bytes_;
  const Sink sink_;
  Bytes part_, record_, header_;
  int64_t fed_ = 0, flushed_ = 0;
  int64_t records_ = 0, records_flushed_ = 0;
  // Where a JSON or CSV scan stands.
  int depth_ = 0;
  bool in_text_ = false, escaped_ = false, in_array_ = false, scalar_ = false, started_ = false;
  bool field_starts_ = true, quote_closed_ = false;
  size_t mark_ = 0;  // octets of a byte order mark passed
};

}  // namespace weft::cli
