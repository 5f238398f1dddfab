// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "duckdb/common/vector_operations/vector_operations.hpp"
#include "engine/result_text_internal.h"
#include "engine/value_text_internal.h"

namespace weft::engine {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

std::vector<std::string> UniqueNames(const duckdb::vector<std::string>& names) {
  std::set<std::string> given(names.begin(), names.end());
  std::set<std::string> used;
  std::vector<std::string> unique;
  for (const auto& name : names) {
    std::string candidate = name;
    for (int i = 1; used.contains(candidate) || (i > 1 && given.contains(candidate)); ++i) {
      candidate = name + "_" + std::to_string(i);
    }
    used.insert(candidate);
    unique.push_back(candidate);
  }
  return unique;
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& to) {
  constexpr char kHex[] = "0123456789abcdef";
  to += '"';
  size_t plain = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    to.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"':
        to += "\\\"";
        break;
      case '\\':
        to += "\\\\";
        break;
      case '\n':
        to += "\\n";
        break;
      case '\r':
        to += "\\r";
        break;
      case '\t':
        to += "\\t";
        break;
      default:
        to += "\\u00";
        to += kHex[c >> 4];
        to += kHex[c & 15];
        break;
    }
  }
  to.append(text, plain);
  to += '"';
}

ResultText::ResultText(ResultFormat format, const duckdb::vector<std::string>& names,
                       const duckdb::vector<duckdb::LogicalType>& types, Sink sink)
    : format_(format), types_(types), sink_(std::move(sink)) {
  auto unique = UniqueNames(names);
  for (size_t i = 0; i < unique.size(); ++i) {
    columns_.push_back({.name = unique[i], .type = types[i].ToString()});
    printed_.push_back(PrintedType(types[i]));
    std::string key;
    AppendJsonString(unique[i], key);
    keys_.push_back((i > 0 ? "," : "{") + key + ":");
  }
  if (format_ == ResultFormat::kJson) text_ = "[";
  if (format_ == ResultFormat::kCsv) {
    for (size_t i = 0; i < unique.size(); ++i) {
      if (i > 0) text_ += ',';
      AppendCsvText(unique[i], text_);
    }
    text_ += "\r\n";
  }
}

void ResultText::Row(const std::vector<duckdb::RecursiveUnifiedVectorFormat>& data,
                     duckdb::idx_t row) {
  if (format_ == ResultFormat::kCsv) {
    for (size_t i = 0; i < data.size(); ++i) {
      if (i > 0) text_ += ',';
      AppendCsv(data[i], printed_[i], row, text_);
    }
    text_ += "\r\n";
    return;
  }
  if (format_ == ResultFormat::kJson && !first_) text_ += ",\n";
  first_ = false;
  for (size_t i = 0; i < data.size(); ++i) {
    text_ += keys_[i];
    AppendJson(data[i], printed_[i], row, text_);
  }
  text_ += format_ == ResultFormat::kNdjson ? "}\n" : "}";
}

Status ResultText::Flush(size_t bytes, int64_t rows) {
  if (bytes == 0) return {};
  TRY(sink_(BytesView(text_).substr(0, bytes), rows));
  text_.erase(0, bytes);
  return {};
}

Status ResultText::Append(duckdb::ClientContext& context, duckdb::DataChunk& chunk) {
  std::vector<duckdb::unique_ptr<duckdb::Vector>> casts;
  std::vector<duckdb::RecursiveUnifiedVectorFormat> data(chunk.ColumnCount());
  for (duckdb::idx_t i = 0; i < chunk.ColumnCount(); ++i) {
    auto* vector = &chunk.data[i];
    if (types_[i] != printed_[i]) {
      casts.push_back(
          duckdb::make_uniq<duckdb::Vector>(printed_[i], std::max<duckdb::idx_t>(chunk.size(), 1)));
      duckdb::VectorOperations::Cast(context, *vector, *casts.back(), chunk.size());
      vector = casts.back().get();
    }
    duckdb::Vector::RecursiveToUnifiedFormat(*vector, chunk.size(), data[i]);
  }
  for (duckdb::idx_t row = 0; row < chunk.size(); ++row) {
    size_t before = text_.size();
    Row(data, row);
    if (text_.size() > kPieceBytes) {
      TRY(Flush(before, rows_));
      rows_ = 0;
    }
    ++rows_;
  }
  return {};
}

Status ResultText::Finish() {
  if (format_ == ResultFormat::kJson) text_ += "]\n";
  auto rows = rows_;
  rows_ = 0;
  return Flush(text_.size(), rows);
}

}  // namespace weft::engine
