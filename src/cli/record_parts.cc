// SPDX-License-Identifier: Apache-2.0
// Finds where records end without understanding them: JSON by its brackets and quotes, CSV by its
// quotes and line ends, NDJSON by its line ends. What is wrong inside a record is the server's to
// say.
#include "cli/record_parts.h"

#include <utility>

namespace weft::cli {
namespace {

constexpr char kByteOrderMark[] = "\xef\xbb\xbf";

bool IsBlank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

Result<FileFormat> ParseFileFormat(std::string_view name) {
  if (name == "json") return FileFormat::kJson;
  if (name == "ndjson" || name == "jsonl") return FileFormat::kNdjson;
  if (name == "csv") return FileFormat::kCsv;
  if (name == "parquet") return FileFormat::kParquet;
  return Fail(Code::kInvalid,
              fmt::format("usage: unknown format '{}' (json, ndjson, csv or parquet)", name));
}

Result<FileFormat> FormatOfName(const std::string& file) {
  size_t dot = file.rfind('.');
  if (dot != std::string::npos) {
    auto format = ParseFileFormat(file.substr(dot + 1));
    if (format.ok()) return format;
  }
  return Fail(Code::kInvalid, fmt::format("usage: the name '{}' does not tell the format; add "
                                          "--format json, ndjson, csv or parquet",
                                          file));
}

RecordParts::RecordParts(FileFormat format, int64_t part_bytes, Sink sink)
    : format_(format), part_bytes_(static_cast<size_t>(part_bytes)), sink_(std::move(sink)) {}

Status RecordParts::Feed(std::string_view bytes) {
  switch (format_) {
    case FileFormat::kJson:
      return FeedJson(bytes);
    case FileFormat::kCsv:
      return FeedCsv(bytes);
    case FileFormat::kNdjson:
    case FileFormat::kParquet:
      return FeedLines(bytes);
  }
  return Fail(Code::kInternal, "unreachable");
}

Status RecordParts::FeedLines(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    std::string_view line = bytes.substr(0, end);
    record_ += line;
    fed_ += static_cast<int64_t>(line.size());
    if (end == std::string_view::npos) return {};
    ++fed_;
    bytes.remove_prefix(end + 1);
    TRY(EndRecord());
  }
  return {};
}

Status RecordParts::FeedJson(std::string_view bytes) {
  for (char c : bytes) {
    ++fed_;
    if (in_text_) {
      record_ += c;
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_text_ = false;
        if (depth_ == 0) TRY(EndRecord());
      }
      continue;
    }
    const bool top = depth_ == 0;
    if (top && record_.empty() && !scalar_) {
      if (IsBlank(c)) continue;
      if (!started_ && mark_ < 3 && c == kByteOrderMark[mark_]) {
        ++mark_;
        continue;
      }
      if (c == '[' && !started_) {
        started_ = in_array_ = true;
        continue;
      }
      started_ = true;
      if (in_array_ && c == ',') continue;
      if (in_array_ && c == ']') {
        in_array_ = false;
        continue;
      }
    }
    if (top && scalar_ && (IsBlank(c) || c == ',' || c == ']')) {
      scalar_ = false;
      TRY(EndRecord());
      if (c == ']') in_array_ = false;
      continue;
    }
    record_ += c;
    if (c == '"') {
      in_text_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (c == '}' || c == ']') {
      if (depth_ > 0) --depth_;
      if (depth_ == 0) TRY(EndRecord());
    } else if (top) {
      scalar_ = true;
    }
  }
  return {};
}

// A quote opens a quoted field at its start and nowhere else, and a doubled one goes on with it: so
// does the server read CSV.
Status RecordParts::FeedCsv(std::string_view bytes) {
  for (char c : bytes) {
    ++fed_;
    record_ += c;
    if (in_text_) {
      in_text_ = c != '"';
      quote_closed_ = !in_text_;
      continue;
    }
    if (c == '"' && (field_starts_ || quote_closed_)) in_text_ = true;
    quote_closed_ = false;
    field_starts_ =
        c == ',' || c == '\n' || (field_starts_ && mark_ < 3 && c == kByteOrderMark[mark_++]);
    if (c != '\n' || in_text_) continue;
    if (header_.empty()) {
      header_ = std::exchange(record_, {});
    } else {
      TRY(EndRecord());
    }
  }
  return {};
}

Status RecordParts::EndRecord() {
  bool blank = true;
  for (char c : record_) blank = blank && IsBlank(c);
  if (blank && format_ != FileFormat::kCsv) {
    record_.clear();
    return {};
  }
  if (!part_.empty() && part_.size() + record_.size() + 1 > part_bytes_) TRY(Flush());
  if (part_.empty() && format_ == FileFormat::kCsv) part_ = header_;
  part_ += record_;
  if (format_ != FileFormat::kCsv) part_ += '\n';
  record_.clear();
  ++records_;
  return {};
}

Status RecordParts::Flush() {
  if (part_.empty()) return {};
  Part part;
  part.body = std::exchange(part_, {});
  part.content_type = format_ == FileFormat::kCsv    ? "text/csv"
                      : format_ == FileFormat::kJson ? "application/json"
                                                     : "application/x-ndjson";
  part.first_record = records_flushed_;
  records_flushed_ = records_;
  part.source_bytes = fed_ - flushed_;
  flushed_ = fed_;
  return sink_(std::move(part));
}

Status RecordParts::Finish() {
  if (format_ == FileFormat::kCsv) {
    if (header_.empty()) header_ = std::exchange(record_, {});
    if (!record_.empty()) TRY(EndRecord());
    return Flush();
  }
  if (format_ == FileFormat::kJson && (in_text_ || depth_ > 0 || in_array_)) {
    return Fail(Code::kInvalid, "the JSON ends in the middle of a value");
  }
  scalar_ = false;
  TRY(EndRecord());
  return Flush();
}

}  // namespace weft::cli
