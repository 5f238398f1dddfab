// SPDX-License-Identifier: Apache-2.0
#include "aws/cbor.h"

#include <simdjson.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace weft::aws {
namespace {

using nlohmann::json;

enum Major : uint8_t { kUnsigned, kNegative, kBlob, kText, kList, kMap, kTag, kSimple };

class Reader {
 public:
  Reader(BytesView bytes, int depth_max) : bytes_(bytes), depth_max_(depth_max) {}

  bool Item(json& out, int depth) {
    if (depth > depth_max_ || at_ == bytes_.size()) return false;
    const auto initial = static_cast<uint8_t>(bytes_[at_++]);
    const auto major = static_cast<Major>(initial >> 5);
    const uint8_t detail = initial & 31;
    if (major == kSimple) return Simple(out, detail);
    if (detail == 31) return Indefinite(out, major, depth);
    uint64_t argument = 0;
    if (!Argument(detail, argument)) return false;
    switch (major) {
      case kUnsigned:
        out = argument;
        return true;
      case kNegative:
        if (argument > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
          out = -1.0 - static_cast<double>(argument);
        } else {
          out = -1 - static_cast<int64_t>(argument);
        }
        return true;
      case kBlob:
      case kText:
        return Chunk(out, major, argument);
      case kList:
        out = json::array();
        for (uint64_t i = 0; i < argument; ++i) {
          if (!Element(out, depth)) return false;
        }
        return true;
      case kMap:
        out = json::object();
        for (uint64_t i = 0; i < argument; ++i) {
          if (!Entry(out, depth)) return false;
        }
        return true;
      case kTag:
        return Item(out, depth + 1);
      case kSimple:
        break;
    }
    return false;
  }

  bool done() const { return at_ == bytes_.size(); }

 private:
  bool Take(size_t count, uint64_t& out) {
    if (bytes_.size() - at_ < count) return false;
    out = 0;
    for (size_t i = 0; i < count; ++i) {
      out = out << 8 | static_cast<unsigned char>(bytes_[at_++]);
    }
    return true;
  }

  bool Argument(uint8_t detail, uint64_t& out) {
    if (detail < 24) {
      out = detail;
      return true;
    }
    return detail <= 27 && Take(size_t{1} << (detail - 24), out);
  }

  bool Simple(json& out, uint8_t detail) {
    uint64_t bits = 0;
    switch (detail) {
      case 20:
      case 21:
        out = detail == 21;
        return true;
      case 22:
      case 23:
        out = nullptr;
        return true;
      case 25:
        if (!Take(2, bits)) return false;
        out = Half(bits);
        return true;
      case 26: {
        if (!Take(4, bits)) return false;
        const auto narrow = static_cast<uint32_t>(bits);
        float value = 0;
        std::memcpy(&value, &narrow, sizeof value);
        out = static_cast<double>(value);
        return true;
      }
      case 27: {
        if (!Take(8, bits)) return false;
        double value = 0;
        std::memcpy(&value, &bits, sizeof value);
        out = value;
        return true;
      }
      default:
        return false;
    }
  }

  static double Half(uint64_t bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const auto fraction = static_cast<double>(bits & 1023);
    double value = 0;
    if (exponent == 0) {
      value = std::ldexp(fraction, -24);
    } else if (exponent < 31) {
      value = std::ldexp(fraction + 1024, exponent - 25);
    } else {
      value = fraction == 0 ? std::numeric_limits<double>::infinity()
                            : std::numeric_limits<double>::quiet_NaN();
    }
    return (bits & 0x8000) != 0 ? -value : value;
  }

  bool Chunk(json& out, Major major, uint64_t size) {
    if (bytes_.size() - at_ < size) return false;
    const BytesView chunk = bytes_.substr(at_, size);
    at_ += size;
    if (major == kText) {
      if (!simdjson::validate_utf8(chunk.data(), chunk.size())) return false;
      out = std::string(chunk);
    } else {
      const auto* first = reinterpret_cast<const uint8_t*>(chunk.data());
      out = json::binary(std::vector<uint8_t>(first, first + chunk.size()));
    }
    return true;
  }

  // An end that was not announced: 0xFF.
  bool Break() {
    if (at_ == bytes_.size() || static_cast<uint8_t>(bytes_[at_]) != 0xFF) return false;
    ++at_;
    return true;
  }

  bool Indefinite(json& out, Major major, int depth) {
    if (major == kList || major == kMap) {
      out = major == kList ? json::array() : json::object();
      while (!Break()) {
        if (!(major == kList ? Element(out, depth) : Entry(out, depth))) return false;
      }
      return true;
    }
    if (major != kText && major != kBlob) return false;
    Bytes whole;
    while (!Break()) {
      uint64_t size = 0;
      if (at_ == bytes_.size()) return false;
      const auto initial = static_cast<uint8_t>(bytes_[at_++]);
      if (initial >> 5 != major || !Argument(initial & 31, size)) return false;
      if (bytes_.size() - at_ < size) return false;
      whole.append(bytes_.substr(at_, size));
      at_ += size;
    }
    Reader reader(whole, 0);
    return reader.Chunk(out, major, whole.size());
  }

  bool Element(json& list, int depth) {
    json element;
    if (!Item(element, depth + 1)) return false;
    list.push_back(std::move(element));
    return true;
  }

  bool Entry(json& map, int depth) {
    json key, value;
    if (!Item(key, depth + 1) || !key.is_string() || !Item(value, depth + 1)) return false;
    map[key.get_ref<const std::string&>()] = std::move(value);
    return true;
  }

  const BytesView bytes_;
  const int depth_max_;
  size_t at_ = 0;
};

void Put(Bytes& out, uint64_t value, int octets) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift & 255));
  }
}

void Head(Bytes& out, Major major, uint64_t argument) {
  const int top = major << 5;
  if (argument < 24) return out.push_back(static_cast<char>(top | static_cast<int>(argument)));
  const int width = argument < 0x100 ? 0 : argument < 0x10000 ? 1 : argument < 0x100000000 ? 2 : 3;
  out.push_back(static_cast<char>(top | (24 + width)));
  Put(out, argument, 1 << width);
}

}  // namespace

std::optional<json> ReadCbor(BytesView bytes, int depth_max) {
  Reader reader(bytes, depth_max);
  json out;
  if (!reader.Item(out, 1) || !reader.done()) return std::nullopt;
  return out;
}

void CborMap(Bytes& out, size_t entries) { Head(out, kMap, entries); }
void CborList(Bytes& out, size_t entries) { Head(out, kList, entries); }

void CborText(Bytes& out, std::string_view text) {
  Head(out, kText, text.size());
  out.append(text);
}

void CborBlob(Bytes& out, BytesView blob) {
  Head(out, kBlob, blob.size());
  out.append(blob);
}

void CborInteger(Bytes& out, int64_t value) {
  if (value < 0) return Head(out, kNegative, static_cast<uint64_t>(-1 - value));
  Head(out, kUnsigned, static_cast<uint64_t>(value));
}

void CborDouble(Bytes& out, double value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  out.push_back(static_cast<char>(kSimple << 5 | 27));
  Put(out, bits, 8);
}

void CborBoolean(Bytes& out, bool value) { out.push_back(static_cast<char>(value ? 0xF5 : 0xF4)); }

void CborTime(Bytes& out, int64_t milliseconds) {
  Head(out, kTag, 1);
  CborInteger(out, milliseconds);
}

}  // namespace weft::aws
