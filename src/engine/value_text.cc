// SPDX-License-Identifier: Apache-2.0
#include <fmt/compile.h>
#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "codec/hash.h"
#include "duckdb/common/types/date.hpp"
#include "duckdb/common/types/decimal.hpp"
#include "duckdb/common/types/time.hpp"
#include "duckdb/common/types/timestamp.hpp"
#include "engine/result_text_internal.h"
#include "engine/value_text_internal.h"

namespace weft::engine {
namespace {

using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using Data = duckdb::RecursiveUnifiedVectorFormat;

template <class T>
const T& At(const Data& data, idx_t index) {
  return duckdb::UnifiedVectorFormat::GetData<T>(data.unified)[index];
}

template <class T>
bool Number(T value, std::string& to) {
  to += fmt::format_int(value).c_str();
  return false;
}

template <class T>
bool Real(T value, std::string& to) {
  if (std::isnan(value)) {
    to += "NaN";
    return true;
  }
  if (std::isinf(value)) {
    to += value > 0 ? "Infinity" : "-Infinity";
    return true;
  }
  fmt::format_to(std::back_inserter(to), FMT_COMPILE("{}"), value);
  return false;
}

bool Decimal(const Data& data, const LogicalType& type, idx_t index, std::string& to) {
  auto scale = duckdb::DecimalType::GetScale(type);
  // Where all digits are behind the point DuckDB writes ".5", which is no number in JSON.
  auto width = std::max<uint8_t>(duckdb::DecimalType::GetWidth(type), scale + 1);
  switch (type.InternalType()) {
    case duckdb::PhysicalType::INT16:
      to += duckdb::Decimal::ToString(At<int16_t>(data, index), width, scale);
      break;
    case duckdb::PhysicalType::INT32:
      to += duckdb::Decimal::ToString(At<int32_t>(data, index), width, scale);
      break;
    case duckdb::PhysicalType::INT64:
      to += duckdb::Decimal::ToString(At<int64_t>(data, index), width, scale);
      break;
    default:
      to += duckdb::Decimal::ToString(At<duckdb::hugeint_t>(data, index), width, scale);
      break;
  }
  return false;
}

void TimeText(int64_t micros, std::string& to) {
  fmt::format_to(std::back_inserter(to), FMT_COMPILE("{:02}:{:02}:{:02}.{:06}"),
                 micros / 3'600'000'000, micros / 60'000'000 % 60, micros / 1'000'000 % 60,
                 micros % 1'000'000);
}

bool DateText(duckdb::date_t date, std::string& to) {
  if (!duckdb::Date::IsFinite(date)) {
    to += duckdb::Date::ToString(date);
    return true;
  }
  int32_t year = 0, month = 0, day = 0;
  duckdb::Date::Convert(date, year, month, day);
  if (year < 1 || year > 9999) {
    to += duckdb::Date::ToString(date);
  } else {
    fmt::format_to(std::back_inserter(to), FMT_COMPILE("{:04}-{:02}-{:02}"), year, month, day);
  }
  return true;
}

bool TimestampText(duckdb::timestamp_t time, bool zone, std::string& to) {
  if (!duckdb::Timestamp::IsFinite(time)) {
    to += time == duckdb::timestamp_t::infinity() ? "infinity" : "-infinity";
    return true;
  }
  duckdb::date_t date;
  duckdb::dtime_t day_time;
  duckdb::Timestamp::Convert(time, date, day_time);
  DateText(date, to);
  to += 'T';
  TimeText(day_time.micros, to);
  if (zone) to += 'Z';
  return true;
}

// Prints a value that is neither text nor nested; whether JSON wants it between quotes.
bool Scalar(const Data& data, const LogicalType& type, idx_t index, std::string& to) {
  switch (type.id()) {
    case LogicalTypeId::BOOLEAN:
      to += At<bool>(data, index) ? "true" : "false";
      return false;
    case LogicalTypeId::TINYINT:
      return Number<int>(At<int8_t>(data, index), to);
    case LogicalTypeId::SMALLINT:
      return Number<int>(At<int16_t>(data, index), to);
    case LogicalTypeId::INTEGER:
      return Number(At<int32_t>(data, index), to);
    case LogicalTypeId::BIGINT:
      return Number(At<int64_t>(data, index), to);
    case LogicalTypeId::UTINYINT:
      return Number<unsigned>(At<uint8_t>(data, index), to);
    case LogicalTypeId::USMALLINT:
      return Number<unsigned>(At<uint16_t>(data, index), to);
    case LogicalTypeId::UINTEGER:
      return Number(At<uint32_t>(data, index), to);
    case LogicalTypeId::UBIGINT:
      return Number(At<uint64_t>(data, index), to);
    case LogicalTypeId::FLOAT:
      return Real(At<float>(data, index), to);
    case LogicalTypeId::DOUBLE:
      return Real(At<double>(data, index), to);
    case LogicalTypeId::DECIMAL:
      return Decimal(data, type, index, to);
    case LogicalTypeId::DATE:
      return DateText(At<duckdb::date_t>(data, index), to);
    case LogicalTypeId::TIME:
      TimeText(At<duckdb::dtime_t>(data, index).micros, to);
      return true;
    case LogicalTypeId::TIMESTAMP:
      return TimestampText(At<duckdb::timestamp_t>(data, index), false, to);
    case LogicalTypeId::TIMESTAMP_TZ:
      return TimestampText(At<duckdb::timestamp_t>(data, index), true, to);
    default: {
      const auto& bytes = At<duckdb::string_t>(data, index);
      to += codec::Base64Encode(BytesView(bytes.GetData(), bytes.GetSize()));
      return true;
    }
  }
}

bool Nested(const LogicalType& type) {
  return type.id() == LogicalTypeId::STRUCT || type.id() == LogicalTypeId::LIST ||
         type.id() == LogicalTypeId::MAP;
}

std::string_view Text(const Data& data, idx_t index) {
  const auto& text = At<duckdb::string_t>(data, index);
  return {text.GetData(), text.GetSize()};
}

void Struct(const Data& data, const LogicalType& type, idx_t index, std::string& to) {
  const auto& fields = duckdb::StructType::GetChildTypes(type);
  // Rows without names, row(1, 2), are arrays.
  bool named = fields.empty() || !fields[0].first.empty();
  to += named ? '{' : '[';
  for (idx_t i = 0; i < fields.size(); ++i) {
    if (i > 0) to += ',';
    if (named) {
      AppendJsonString(fields[i].first, to);
      to += ':';
    }
    AppendJson(data.children[i], fields[i].second, index, to);
  }
  to += named ? '}' : ']';
}

void Map(const Data& entries, const LogicalType& type, const duckdb::list_entry_t& entry,
         std::string& to) {
  to += '{';
  for (idx_t i = 0; i < entry.length; ++i) {
    if (i > 0) to += ',';
    idx_t row = entry.offset + i;
    std::string key;
    AppendJson(entries.children[0], duckdb::MapType::KeyType(type), row, key);
    if (key.starts_with('"')) {
      to += key;
    } else {
      AppendJsonString(key, to);
    }
    to += ':';
    AppendJson(entries.children[1], duckdb::MapType::ValueType(type), row, to);
  }
  to += '}';
}

}  // namespace

LogicalType PrintedType(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::BOOLEAN:
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::UTINYINT:
    case LogicalTypeId::USMALLINT:
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::UBIGINT:
    case LogicalTypeId::FLOAT:
    case LogicalTypeId::DOUBLE:
    case LogicalTypeId::DECIMAL:
    case LogicalTypeId::DATE:
    case LogicalTypeId::TIME:
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_TZ:
    case LogicalTypeId::BLOB:
    case LogicalTypeId::VARCHAR:
      return type;
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
      return LogicalType::TIMESTAMP;
    case LogicalTypeId::LIST:
      return LogicalType::LIST(PrintedType(duckdb::ListType::GetChildType(type)));
    case LogicalTypeId::ARRAY:
      return LogicalType::LIST(PrintedType(duckdb::ArrayType::GetChildType(type)));
    case LogicalTypeId::MAP:
      return LogicalType::MAP(PrintedType(duckdb::MapType::KeyType(type)),
                              PrintedType(duckdb::MapType::ValueType(type)));
    case LogicalTypeId::STRUCT: {
      duckdb::child_list_t<LogicalType> children;
      for (const auto& [name, child] : duckdb::StructType::GetChildTypes(type)) {
        children.emplace_back(name, PrintedType(child));
      }
      return LogicalType::STRUCT(std::move(children));
    }
    default:
      return LogicalType::VARCHAR;
  }
}

void AppendJson(const Data& data, const LogicalType& type, idx_t row, std::string& to) {
  idx_t index = data.unified.sel->get_index(row);
  if (!data.unified.validity.RowIsValid(index)) {
    to += "null";
    return;
  }
  switch (type.id()) {
    case LogicalTypeId::VARCHAR:
      return AppendJsonString(Text(data, index), to);
    case LogicalTypeId::STRUCT:
      return Struct(data, type, row, to);
    case LogicalTypeId::MAP:
      return Map(data.children[0], type, At<duckdb::list_entry_t>(data, index), to);
    case LogicalTypeId::LIST: {
      const auto& entry = At<duckdb::list_entry_t>(data, index);
      to += '[';
      for (idx_t i = 0; i < entry.length; ++i) {
        if (i > 0) to += ',';
        AppendJson(data.children[0], duckdb::ListType::GetChildType(type), entry.offset + i, to);
      }
      to += ']';
      return;
    }
    default:
      break;
  }
  size_t begin = to.size();
  if (Scalar(data, type, index, to)) {
    to.insert(begin, 1, '"');
    to += '"';
  }
}

void AppendCsvText(std::string_view text, std::string& to) {
  // An empty text is quoted, which tells it from null.
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    to += text;
    return;
  }
  to += '"';
  for (char c : text) {
    if (c == '"') to += '"';
    to += c;
  }
  to += '"';
}

void AppendCsv(const Data& data, const LogicalType& type, idx_t row, std::string& to) {
  idx_t index = data.unified.sel->get_index(row);
  if (!data.unified.validity.RowIsValid(index)) return;
  if (type.id() == LogicalTypeId::VARCHAR) return AppendCsvText(Text(data, index), to);
  if (Nested(type)) {
    std::string json;
    AppendJson(data, type, row, json);
    return AppendCsvText(json, to);
  }
  size_t begin = to.size();
  Scalar(data, type, index, to);
  // No octets are not null.
  if (to.size() == begin) to += "\"\"";
}

}  // namespace weft::engine
