// SPDX-License-Identifier: Apache-2.0
// From the body of a request to checked input. The texts are those of AWS's own services, whose
// types are Java's.
#include <cmath>
#include <limits>

#include "aws/cbor.h"
#include "aws/constraints.h"
#include "aws/encoding.h"
#include "codec/hash.h"

namespace weft::aws {
namespace {

using nlohmann::json;

// Deeper than any shape of AWS's goes, and far from the end of a thread's stack.
constexpr int kDepthMax = 64;

tl::unexpected<Fault> Unserializable(std::string text) {
  Fault fault("SerializationException", std::move(text));
  fault.member = "Message";
  return tl::unexpected<Fault>(std::move(fault));
}

// Nested deeper than kDepthMax; the library's parser would take any depth.
bool TooDeep(BytesView text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

const char* JavaName(const json& value) {
  if (value.is_boolean()) return "java.lang.Boolean";
  if (value.is_string()) return "java.lang.String";
  if (value.is_binary()) return "java.nio.HeapByteBuffer";
  return "com.amazon.coral.value.json.numbers.TruncatingBigNumber";
}

const char* WantedName(Kind kind) {
  switch (kind) {
    case Kind::kInteger:
      return "an Integer";
    case Kind::kLong:
      return "an Long";
    case Kind::kDouble:
      return "an Double";
    case Kind::kBoolean:
      return "an Boolean";
    case Kind::kBlob:
      return "a Blob";
    case Kind::kTimestamp:
      return "milliseconds since epoch";
    default:
      return "an String";
  }
}

tl::unexpected<Fault> Mismatch(const json& value, Kind wanted) {
  return Unserializable(
      fmt::format("class {} can not be converted to {}", JavaName(value),
                  wanted == Kind::kTimestamp ? "milliseconds since epoch" : WantedName(wanted)));
}

// Fractions are cut off, and what is past the type's end is its end.
int64_t Whole(const json& value, Kind kind) {
  constexpr double kTop = 9.2e18;
  int64_t whole = 0;
  if (value.is_number_unsigned()) {
    const auto given = value.get<uint64_t>();
    const auto top = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    whole = static_cast<int64_t>(std::min(given, top));
  } else if (value.is_number_integer()) {
    whole = value.get<int64_t>();
  } else {
    const double given = value.get<double>();
    whole = std::isnan(given) ? 0
            : given >= kTop   ? std::numeric_limits<int64_t>::max()
            : given <= -kTop  ? std::numeric_limits<int64_t>::min()
                              : static_cast<int64_t>(std::floor(given));
  }
  if (kind == Kind::kLong) return whole;
  return std::clamp<int64_t>(whole, std::numeric_limits<int32_t>::min(),
                             std::numeric_limits<int32_t>::max());
}

Outcome<json> BlobFromText(const std::string& text) {
  auto refuse = [&](const std::string& why) {
    return Unserializable(fmt::format("'{}' can not be converted to a Blob: {}",
                                      text.size() <= 1'024 ? text : text.substr(0, 1'024) + "...",
                                      why));
  };
  if (text.size() % 4 != 0) {
    return refuse(fmt::format(
        "Base64 encoded length is expected a multiple of 4 bytes but found: {}", text.size()));
  }
  auto bytes = codec::Base64Decode(text);
  if (bytes.ok()) return Blob(*bytes);
  const size_t digits =
      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
  const bool padding_only = digits != std::string::npos && digits + 2 >= text.size() &&
                            text.find_first_not_of('=', digits) == std::string::npos;
  if (digits != std::string::npos && !padding_only) {
    return refuse(fmt::format("Invalid Base64 character: '{}'", text[digits]));
  }
  return refuse("Invalid last non-pad Base64 character dectected");
}

class Reader {
 public:
  Reader(const ServiceModel& model, Encoding encoding) : model_(model), encoding_(encoding) {}

  Outcome<json> Value(const Shape& shape, json&& value) const {
    const bool structure = shape.kind == Kind::kStructure, map = shape.kind == Kind::kMap;
    if (value.is_array() && shape.kind != Kind::kList)
      return Unserializable("Start of list found where not expected");
    if (value.is_object() && !structure && !map)
      return Unserializable("Start of structure or map found where not expected.");
    switch (shape.kind) {
      case Kind::kStructure:
        if (!value.is_object()) return Unserializable("Expected null");
        return Structure(shape, std::move(value));
      case Kind::kMap:
        if (!value.is_object()) return Unserializable("Expected map or null");
        return Map(shape, std::move(value));
      case Kind::kList:
        if (!value.is_array()) return Unserializable("Expected list or null");
        return List(shape, std::move(value));
      default:
        return Scalar(shape.kind, std::move(value));
    }
  }

 private:
  Outcome<json> Structure(const Shape& shape, json&& value) const {
    json out = json::object();
    for (const Member& member : model_.MembersOf(shape)) {
      const auto found = value.find(member.name);
      if (found == value.end() || found->is_null()) continue;
      out[member.name] = TRY(Value(model_.ShapeAt(member.shape), std::move(*found)));
    }
    return out;
  }

  Outcome<json> Map(const Shape& shape, json&& value) const {
    json out = json::object();
    for (auto entry = value.begin(); entry != value.end(); ++entry) {
      if (entry->is_null()) continue;
      out[entry.key()] = TRY(Value(model_.ShapeAt(shape.element), std::move(entry.value())));
    }
    return out;
  }

  Outcome<json> List(const Shape& shape, json&& value) const {
    json out = json::array();
    for (json& element : value) {
      if (element.is_null()) continue;
      out.push_back(TRY(Value(model_.ShapeAt(shape.element), std::move(element))));
    }
    return out;
  }

  Outcome<json> Scalar(Kind kind, json&& value) const {
    switch (kind) {
      case Kind::kString:
        if (value.is_string()) return std::move(value);
        break;
      case Kind::kBlob:
        if (value.is_binary()) return std::move(value);
        if (value.is_string() && encoding_ == Encoding::kJson)
          return BlobFromText(value.get_ref<const std::string&>());
        break;
      case Kind::kBoolean:
        if (value.is_boolean()) return std::move(value);
        if (value.is_string()) return BooleanFromText(value.get_ref<const std::string&>());
        break;
      case Kind::kInteger:
      case Kind::kLong:
        if (value.is_number()) return json(Whole(value, kind));
        break;
      case Kind::kDouble:
        if (value.is_number()) return json(value.get<double>());
        break;
      case Kind::kTimestamp:
        if (value.is_number()) return Moment(value);
        break;
      default:
        break;
    }
    return Mismatch(value, kind);
  }

  static Outcome<json> BooleanFromText(const std::string& text) {
    if (text == "true") return json(true);
    if (text == "false") return json(false);
    return Unserializable(fmt::format("'{}' can not be converted to an Boolean", text));
  }

  // In JSON seconds; in CBOR whole milliseconds, as AWS's clients write them, or RFC 8949's seconds
  // where there is a fraction. Kept within what a Timestamp can hold.
  Outcome<json> Moment(const json& value) const {
    double seconds = value.get<double>();
    if (encoding_ == Encoding::kCbor && !value.is_number_float()) seconds /= 1'000;
    constexpr double kFarthest = 253'402'300'799;  // the end of the year 9999
    if (std::isnan(seconds)) seconds = 0;
    return json(std::clamp(seconds, -kFarthest, kFarthest));
  }

  const ServiceModel& model_;
  const Encoding encoding_;
};

}  // namespace

Outcome<json> ReadInput(const ServiceModel& model, int16_t shape, Encoding encoding,
                        BytesView body) {
  json parsed;
  if (encoding == Encoding::kCbor) {
    auto read = ReadCbor(body, kDepthMax);
    if (!read.has_value()) return Unserializable("");
    parsed = std::move(*read);
  } else {
    if (TooDeep(body)) return Unserializable("");
    parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  }
  if (!parsed.is_object()) return Unserializable("");
  if (shape < 0) return json::object();
  json input = TRY(Reader(model, encoding).Value(model.ShapeAt(shape), std::move(parsed)));
  TRY(CheckConstraints(model, model.ShapeAt(shape), input));
  return input;
}

}  // namespace weft::aws
