// SPDX-License-Identifier: Apache-2.0
#include "codec/records.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "codec/records_internal.h"

namespace weft::codec {
namespace {

bool Blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && Blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && Blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

// Walks the values of a JSON body. Only their ends are looked for; whether they are well-formed
// shows when they are parsed.
class Walk {
 public:
  explicit Walk(std::string_view body) : body_(body) { SkipBlanks(); }

  bool AtEnd() const { return at_ == body_.size(); }
  char Next() const { return AtEnd() ? '\0' : body_[at_]; }
  size_t position() const { return at_; }
  void Step() {
    ++at_;
    SkipBlanks();
  }

  // Takes one value of any kind; "" when it does not end or there is none.
  std::string_view TakeValue() {
    size_t begin = at_;
    char first = Next();
    if (first == '{' || first == '[') {
      at_ = EndOfContainer(body_, at_);
    } else if (first == '"') {
      at_ = EndOfString(body_, at_);
    } else {
      while (!AtEnd() && std::strchr(" \t\r\n,[]{}\"", Next()) == nullptr) ++at_;
    }
    if (at_ == std::string_view::npos) {
      at_ = body_.size();
      return {};
    }
    std::string_view value = body_.substr(begin, at_ - begin);
    SkipBlanks();
    return value;
  }

 private:
  void SkipBlanks() {
    while (at_ < body_.size() && Blank(body_[at_])) ++at_;
  }
  std::string_view body_;
  size_t at_ = 0;
};

Result<std::vector<RawRecord>> SplitArray(Walk walk) {
  std::vector<RawRecord> records;
  walk.Step();
  if (walk.Next() == ']') {
    walk.Step();
  } else {
    for (bool more = true; more;) {
      std::string_view value = walk.TakeValue();
      if (value.empty()) {
        return Fail(Code::kInvalid,
                    fmt::format("the JSON array is broken at byte {}, in its element {}",
                                walk.position(), records.size()));
      }
      records.push_back({value, value});
      more = walk.Next() == ',';
      if (!more && walk.Next() != ']') {
        return Fail(Code::kInvalid,
                    walk.AtEnd()
                        ? std::string("the JSON array does not end")
                        : fmt::format("no comma between the JSON array's elements at byte {}",
                                      walk.position()));
      }
      walk.Step();
    }
  }
  if (walk.AtEnd()) return records;
  return Fail(Code::kInvalid,
              fmt::format("something follows the JSON array at byte {}", walk.position()));
}

Result<std::vector<RawRecord>> SplitJson(std::string_view body) {
  Walk walk(body);
  if (walk.AtEnd())
    return Fail(Code::kInvalid, "the body is empty: a JSON object or array is wanted");
  if (walk.Next() == '[') return SplitArray(walk);
  std::vector<RawRecord> records;
  while (!walk.AtEnd()) {
    if (walk.Next() != '{') {
      return Fail(Code::kInvalid, fmt::format("not a JSON object at byte {}", walk.position()));
    }
    std::string_view value = walk.TakeValue();
    if (value.empty()) {
      return Fail(Code::kInvalid, fmt::format("the JSON object {} does not end", records.size()));
    }
    records.push_back({value, value});
  }
  return records;
}

std::vector<RawRecord> SplitLines(std::string_view body) {
  std::vector<RawRecord> records;
  while (!body.empty()) {
    size_t end = std::min(body.find('\n'), body.size());
    std::string_view line = Trim(body.substr(0, end));
    if (!line.empty()) records.push_back({line, line});
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return records;
}

}  // namespace

Result<RecordFormat> ParseRecordContentType(std::string_view content_type) {
  if (content_type == "application/json") return RecordFormat::kJson;  // nearly all
  size_t end = std::min(content_type.find(';'), content_type.size());
  std::string type = Lower(Trim(content_type.substr(0, end)));
  std::string rest = Lower(content_type.substr(std::min(end + 1, content_type.size())));
  if (size_t at = rest.find("charset="); at != std::string::npos) {
    std::string_view charset = std::string_view(rest).substr(at + 8);
    charset = Trim(charset.substr(0, charset.find(';')));
    if (charset.size() >= 2 && charset.front() == '"')
      charset = charset.substr(1, charset.size() - 2);
    if (charset != "utf-8" && charset != "utf8" && charset != "us-ascii") {
      return Fail(Code::kInvalid, fmt::format("charset {} is not taken: send UTF-8", charset));
    }
  }
  if (type.empty() || type == "application/json" || type == "application/x-www-form-urlencoded") {
    return RecordFormat::kJson;
  }
  for (std::string_view name : {"application/x-ndjson", "application/ndjson", "application/jsonl",
                                "application/x-jsonlines", "application/jsonlines"}) {
    if (type == name) return RecordFormat::kNdjson;
  }
  if (type == "text/csv") {
    if (rest.find("header=absent") == std::string::npos) return RecordFormat::kCsv;
    return Fail(Code::kInvalid,
                "text/csv without a header row is not taken: name the columns in one");
  }
  return Fail(Code::kInvalid, fmt::format("Content-Type {} is not taken: application/json, "
                                          "application/x-ndjson and text/csv are",
                                          type));
}

Result<std::vector<RawRecord>> SplitRecords(RecordFormat format, std::string_view body,
                                            Bytes& text) {
  if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);
  text.clear();
  switch (format) {
    case RecordFormat::kNdjson:
      return SplitLines(body);
    case RecordFormat::kCsv:
      return SplitCsv(body, text);
    case RecordFormat::kJson:
      break;
  }
  return SplitJson(body);
}

}  // namespace weft::codec
