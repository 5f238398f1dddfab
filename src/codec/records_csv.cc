// SPDX-License-Identifier: Apache-2.0
// CSV (RFC 4180) into JSON objects of texts.
#include <simdjson.h>

#include <algorithm>
#include <set>
#include <string>

#include "codec/records_internal.h"

namespace weft::codec {
namespace {

struct Field {
  std::string text;
  bool quoted = false;
};

struct Row {
  std::vector<Field> fields;
  std::string_view original;
  std::string_view fault;  // why it is no row, else ""
};

void AppendJsonText(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

class Reader {
 public:
  explicit Reader(std::string_view body) : rest_(body) {}

  bool AtEnd() const { return rest_.empty(); }

  // The next row that is not a blank line; fields' storage is used again. False at the end.
  Result<bool> Next(Row& row) {
    for (;;) {
      if (rest_.empty()) return false;
      std::string_view begin = rest_;
      row.fault = {};
      used_ = 0;
      for (bool more = true; more;) more = TRY(TakeField(row));
      row.fields.resize(used_);
      row.original = begin.substr(0, begin.size() - rest_.size());
      TakeLineEnd();
      if (!row.original.empty()) return true;
    }
  }

 private:
  // True when another field follows in the row.
  Result<bool> TakeField(Row& row) {
    if (row.fields.size() == used_) row.fields.emplace_back();
    Field& field = row.fields[used_++];
    field.text.clear();
    field.quoted = rest_.starts_with('"');
    if (field.quoted) TRY(TakeQuoted(field));
    size_t end = EndOfPlain();
    std::string_view plain = rest_.substr(0, end);
    if (field.quoted && !plain.empty()) row.fault = "text follows a closing quote";
    field.text.append(plain);
    rest_.remove_prefix(end);
    if (!rest_.starts_with(',')) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Status TakeQuoted(Field& field) {
    rest_.remove_prefix(1);
    for (;;) {
      size_t quote = rest_.find('"');
      if (quote == std::string_view::npos)
        return Fail(Code::kInvalid, "a quote in the CSV is not closed");
      field.text.append(rest_.substr(0, quote));
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) return {};
      field.text += '"';
      rest_.remove_prefix(1);
    }
  }

  size_t EndOfPlain() const {
    for (size_t i = 0; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (c == ',' || c == '\n' || (c == '\r' && i + 1 < rest_.size() && rest_[i + 1] == '\n'))
        return i;
      if (c == '\r' && i + 1 == rest_.size()) return i;
    }
    return rest_.size();
  }

  void TakeLineEnd() {
    if (rest_.starts_with('\r')) rest_.remove_prefix(1);
    if (rest_.starts_with('\n')) rest_.remove_prefix(1);
  }

  std::string_view rest_;
  size_t used_ = 0;
};

// The header's names as JSON keys with their colons.
Result<std::vector<std::string>> ReadHeader(Reader& reader) {
  Row row;
  if (!TRY(reader.Next(row))) return Fail(Code::kInvalid, "the CSV has no header row");
  if (!row.fault.empty())
    return Fail(Code::kInvalid, fmt::format("the CSV's header: {}", row.fault));
  std::vector<std::string> keys;
  std::set<std::string_view> seen;
  for (const Field& field : row.fields) {
    if (!seen.insert(field.text).second) {
      return Fail(Code::kInvalid, fmt::format("the CSV's header names \"{}\" twice", field.text));
    }
    AppendJsonText(keys.emplace_back(), field.text);
    keys.back() += ':';
  }
  return keys;
}

void AppendRow(std::string& out, const std::vector<std::string>& keys, const Row& row) {
  out += '{';
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) out += ',';
    out += keys[i];
    const Field& field = row.fields[i];
    if (field.text.empty() && !field.quoted) {
      out += "null";
    } else {
      AppendJsonText(out, field.text);
    }
  }
  out += '}';
}

bool IsUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace

Result<std::vector<RawRecord>> SplitCsv(std::string_view body, Bytes& text) {
  Reader reader(body);
  std::vector<std::string> keys = TRY(ReadHeader(reader));
  for (const std::string& key : keys) {
    if (!IsUtf8(key)) return Fail(Code::kInvalid, "the header row of the CSV is not UTF-8");
  }
  std::vector<RawRecord> records;
  std::vector<size_t> ends;
  Row row;
  while (TRY(reader.Next(row))) {
    if (!row.fault.empty()) {
      text.append("!csv ").append(row.fault);
    } else if (!IsUtf8(row.original)) {
      text += "!csv row is not UTF-8";
    } else if (row.fields.size() != keys.size()) {
      text += fmt::format("!csv row has {} fields, header has {}", row.fields.size(), keys.size());
    } else {
      AppendRow(text, keys, row);
    }
    ends.push_back(text.size());
    records.push_back({{}, row.original});
  }
  // Whoever parses a record may read past its end.
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  size_t begin = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    records[i].json = std::string_view(text).substr(begin, ends[i] - begin);
    begin = ends[i];
  }
  return records;
}

}  // namespace weft::codec
