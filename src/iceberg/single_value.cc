// SPDX-License-Identifier: Apache-2.0
#include "iceberg/single_value.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace weft::iceberg {
namespace {

constexpr size_t kBoundMax = 16;
constexpr size_t kDecimalBytesMax = 16;

static_assert(std::endian::native == std::endian::little);

template <class T>
Bytes LittleEndian(T value) {
  return Bytes(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <class T>
T Load(BytesView bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

// The shortest two's complement, most significant octet first.
Bytes EncodeDecimal(Int128 value) {
  Bytes bytes;
  while (true) {
    const auto octet = static_cast<char>(static_cast<unsigned char>(value & 0xff));
    bytes.insert(bytes.begin(), octet);
    value >>= 8;
    const bool negative = (static_cast<unsigned char>(octet) & 0x80) != 0;
    if ((value == 0 && !negative) || (value == -1 && negative)) return bytes;
  }
}

Int128 DecodeDecimal(BytesView bytes) {
  Int128 value = (static_cast<unsigned char>(bytes[0]) & 0x80) != 0 ? -1 : 0;
  for (const char octet : bytes) {
    value = (value << 8) | static_cast<unsigned char>(octet);
  }
  return value;
}

tl::unexpected<Error> WrongSize(const Type& type, size_t bytes) {
  return Fail(Code::kCorrupt,
              fmt::format("a value of {} octets is none of the type {}", bytes, TypeText(type)));
}

// Octets of the code point that begins at `at`; 0 where the text is not UTF-8 there.
size_t CodePointBytes(BytesView text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const size_t bytes = first < 0x80   ? 1
                       : first < 0xc2 ? 0
                       : first < 0xe0 ? 2
                       : first < 0xf0 ? 3
                       : first < 0xf5 ? 4
                                      : 0;
  if (at + bytes > text.size()) return 0;
  for (size_t next = 1; next < bytes; ++next) {
    if ((static_cast<unsigned char>(text[at + next]) & 0xc0) != 0x80) return 0;
  }
  return bytes;
}

// Where each of the first code points begins, one past the last of them included; fewer where text
// is shorter, nothing where it is not UTF-8.
std::optional<std::vector<size_t>> CodePoints(BytesView text, size_t count_max) {
  std::vector<size_t> starts = {0};
  while (starts.size() <= count_max && starts.back() < text.size()) {
    const size_t bytes = CodePointBytes(text, starts.back());
    if (bytes == 0) return std::nullopt;
    starts.push_back(starts.back() + bytes);
  }
  return starts;
}

uint32_t CodePointAt(BytesView text) {
  const auto first = static_cast<unsigned char>(text[0]);
  uint32_t point = text.size() == 1 ? first : first & (0xffU >> (text.size() + 1));
  for (const char octet : text.substr(1)) {
    point = point << 6 | (static_cast<unsigned char>(octet) & 0x3fU);
  }
  return point;
}

Bytes EncodeCodePoint(uint32_t point) {
  Bytes text;
  if (point < 0x80) return Bytes(1, static_cast<char>(point));
  if (point < 0x800) {
    text += static_cast<char>(0xc0 | point >> 6);
  } else {
    if (point < 0x10000) {
      text += static_cast<char>(0xe0 | point >> 12);
    } else {
      text += static_cast<char>(0xf0 | point >> 18);
      text += static_cast<char>(0x80 | (point >> 12 & 0x3f));
    }
    text += static_cast<char>(0x80 | (point >> 6 & 0x3f));
  }
  return text + static_cast<char>(0x80 | (point & 0x3f));
}

std::optional<Bytes> ShortenUpperText(BytesView bound) {
  auto starts = CodePoints(bound, kBoundMax);
  if (!starts.has_value()) return std::nullopt;
  if (starts->back() == bound.size()) return Bytes(bound);
  for (size_t last = starts->size() - 1; last > 0; --last) {
    const size_t begin = (*starts)[last - 1];
    uint32_t point = CodePointAt(bound.substr(begin, (*starts)[last] - begin)) + 1;
    if (point == 0xd800) point = 0xe000;  // surrogates are no characters
    if (point <= 0x10ffff) return Bytes(bound.substr(0, begin)) + EncodeCodePoint(point);
  }
  return std::nullopt;
}

std::optional<Bytes> ShortenUpperOctets(BytesView bound) {
  if (bound.size() <= kBoundMax) return Bytes(bound);
  Bytes shorter(bound.substr(0, kBoundMax));
  while (!shorter.empty() && static_cast<unsigned char>(shorter.back()) == 0xff) shorter.pop_back();
  if (shorter.empty()) return std::nullopt;
  shorter.back() = static_cast<char>(static_cast<unsigned char>(shorter.back()) + 1);
  return shorter;
}

// NaN sorts last, -0.0 before 0.0.
int CompareReal(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return static_cast<int>(std::isnan(a)) - std::isnan(b);
  if (a != b) return a < b ? -1 : 1;
  return static_cast<int>(std::signbit(b)) - static_cast<int>(std::signbit(a));
}

}  // namespace

Bytes EncodeSingleValue(const Type& type, const PrimitiveValue& value) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return Bytes(1, std::get<bool>(value) ? '\1' : '\0');
    case TypeKind::kInt:
    case TypeKind::kDate:
      return LittleEndian(static_cast<int32_t>(std::get<int64_t>(value)));
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return LittleEndian(std::get<int64_t>(value));
    case TypeKind::kFloat:
      return LittleEndian(static_cast<float>(std::get<double>(value)));
    case TypeKind::kDouble:
      return LittleEndian(std::get<double>(value));
    case TypeKind::kDecimal:
      return EncodeDecimal(std::get<Int128>(value));
    case TypeKind::kString:
    case TypeKind::kBinary:
    case TypeKind::kFixed:
    case TypeKind::kUuid:
      return std::get<Bytes>(value);
    default:
      UNREACHABLE("a single value of a nested type");
  }
}

Result<PrimitiveValue> DecodeSingleValue(const Type& type, BytesView bytes) {
  const auto sized = [&](size_t size) { return bytes.size() == size; };
  switch (type.kind) {
    case TypeKind::kBoolean:
      if (sized(1)) return PrimitiveValue(bytes[0] != 0);
      break;
    case TypeKind::kInt:
    case TypeKind::kDate:
      if (sized(4)) return PrimitiveValue(int64_t{Load<int32_t>(bytes)});
      break;
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      if (sized(8)) return PrimitiveValue(Load<int64_t>(bytes));
      if (sized(4) && type.kind == TypeKind::kLong) {
        return PrimitiveValue(int64_t{Load<int32_t>(bytes)});
      }
      break;
    case TypeKind::kFloat:
      if (sized(4)) return PrimitiveValue(double{Load<float>(bytes)});
      break;
    case TypeKind::kDouble:
      if (sized(8)) return PrimitiveValue(Load<double>(bytes));
      if (sized(4)) return PrimitiveValue(double{Load<float>(bytes)});
      break;
    case TypeKind::kDecimal:
      if (!bytes.empty() && bytes.size() <= kDecimalBytesMax) {
        return PrimitiveValue(DecodeDecimal(bytes));
      }
      break;
    case TypeKind::kUuid:
      if (sized(16)) return PrimitiveValue(Bytes(bytes));
      break;
    case TypeKind::kFixed:
      // Bounds of fixed columns may be shortened.
      if (bytes.size() <= static_cast<size_t>(type.length)) return PrimitiveValue(Bytes(bytes));
      break;
    case TypeKind::kString:
    case TypeKind::kBinary:
      return PrimitiveValue(Bytes(bytes));
    default:
      break;
  }
  return WrongSize(type, bytes.size());
}

Result<int> CompareSingleValues(const Type& type, BytesView a, BytesView b) {
  const PrimitiveValue left = TRY(DecodeSingleValue(type, a));
  const PrimitiveValue right = TRY(DecodeSingleValue(type, b));
  if (const auto* real = std::get_if<double>(&left)) {
    return CompareReal(*real, std::get<double>(right));
  }
  if (left == right) return 0;
  return left < right ? -1
                      : 1;  // text compares by octets, unsigned, which sorts UTF-8 by code point
}

std::optional<Bytes> ShortenLowerBound(const Type& type, BytesView bound) {
  if (type.kind == TypeKind::kBinary || type.kind == TypeKind::kFixed) {
    return Bytes(bound.substr(0, kBoundMax));
  }
  if (type.kind != TypeKind::kString) return Bytes(bound);
  const auto starts = CodePoints(bound, kBoundMax);
  if (!starts.has_value()) return std::nullopt;
  return Bytes(bound.substr(0, starts->back()));
}

std::optional<Bytes> ShortenUpperBound(const Type& type, BytesView bound) {
  if (type.kind == TypeKind::kBinary || type.kind == TypeKind::kFixed) {
    return ShortenUpperOctets(bound);
  }
  if (type.kind != TypeKind::kString) return Bytes(bound);
  return ShortenUpperText(bound);
}

}  // namespace weft::iceberg
