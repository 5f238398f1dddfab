// SPDX-License-Identifier: Apache-2.0
// From what an operation answers to the body of its answer.
#include <fmt/compile.h>

#include <cmath>

#include "aws/cbor.h"
#include "aws/encoding.h"
#include "base/check.h"
#include "codec/hash.h"

namespace weft::aws {
namespace {

using nlohmann::json;

int64_t Milliseconds(const json& seconds) {
  return static_cast<int64_t>(std::llround(seconds.get<double>() * 1'000));
}

// Text of any bytes: what is not UTF-8 is replaced rather than failing the answer.
void JsonText(Bytes& out, const std::string& text) {
  out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

class Writer {
 public:
  Writer(const ServiceModel& model, Encoding encoding, Bytes& out)
      : model_(model), cbor_(encoding == Encoding::kCbor), out_(out) {}

  void Value(const Shape& shape, const json& value) {
    switch (shape.kind) {
      case Kind::kStructure:
        return Structure(shape, value);
      case Kind::kMap:
        return Map(shape, value);
      case Kind::kList:
        return List(shape, value);
      default:
        return cbor_ ? CborScalar(shape.kind, value) : JsonScalar(shape.kind, value);
    }
  }

 private:
  void Structure(const Shape& shape, const json& value) {
    size_t left = value.size();
    Open(left);
    for (const Member& member : model_.MembersOf(shape)) {
      const auto found = value.find(member.name);
      if (found == value.end()) continue;
      Key(member.name);
      Value(model_.ShapeAt(member.shape), *found);
      Next(--left);
    }
    CHECK(left == 0);
    Close();
  }

  void Map(const Shape& shape, const json& value) {
    size_t left = value.size();
    Open(left);
    for (const auto& [key, element] : value.items()) {
      Key(key);
      Value(model_.ShapeAt(shape.element), element);
      Next(--left);
    }
    Close();
  }

  void List(const Shape& shape, const json& value) {
    size_t left = value.size();
    cbor_ ? CborList(out_, left) : out_.push_back('[');
    for (const json& element : value) {
      Value(model_.ShapeAt(shape.element), element);
      Next(--left);
    }
    if (!cbor_) out_ += ']';
  }

  void Open(size_t entries) { cbor_ ? CborMap(out_, entries) : out_.push_back('{'); }
  void Close() {
    if (!cbor_) out_ += '}';
  }
  void Next(size_t left) {
    if (!cbor_ && left > 0) out_ += ',';
  }
  void Key(const std::string& name) {
    if (cbor_) return CborText(out_, name);
    JsonText(out_, name);
    out_ += ':';
  }

  void JsonScalar(Kind kind, const json& value) {
    switch (kind) {
      case Kind::kBlob:
        out_ += '"';
        out_ += codec::Base64Encode(BlobOf(value));
        out_ += '"';
        return;
      case Kind::kTimestamp: {
        const int64_t milliseconds = Milliseconds(value);
        fmt::format_to(std::back_inserter(out_), FMT_COMPILE("{}.{:03}"), milliseconds / 1'000,
                       milliseconds % 1'000);
        return;
      }
      case Kind::kString:
        return JsonText(out_, value.get_ref<const std::string&>());
      default:
        out_ += value.dump();
    }
  }

  void CborScalar(Kind kind, const json& value) {
    switch (kind) {
      case Kind::kBlob:
        return CborBlob(out_, BlobOf(value));
      case Kind::kTimestamp:
        return CborTime(out_, Milliseconds(value));
      case Kind::kString:
        return CborText(out_, value.get_ref<const std::string&>());
      case Kind::kBoolean:
        return CborBoolean(out_, value.get<bool>());
      case Kind::kDouble:
        return CborDouble(out_, value.get<double>());
      default:
        return CborInteger(out_, value.get<int64_t>());
    }
  }

  const ServiceModel& model_;
  const bool cbor_;
  Bytes& out_;
};

}  // namespace

const char* ContentTypeOf(Encoding encoding) {
  return encoding == Encoding::kCbor ? "application/x-amz-cbor-1.1" : "application/x-amz-json-1.1";
}

Bytes WriteOutput(const ServiceModel& model, int16_t shape, Encoding encoding, const json& value) {
  Bytes out;
  // An operation without an output answers nothing at all.
  if (shape >= 0) Writer(model, encoding, out).Value(model.ShapeAt(shape), value);
  return out;
}

Bytes WriteFault(const Fault& fault, Encoding encoding) {
  Bytes out;
  const bool text = !fault.message.empty();
  if (encoding == Encoding::kCbor) {
    CborMap(out, text ? 2 : 1);
    CborText(out, "__type");
    CborText(out, fault.type);
    if (!text) return out;
    CborText(out, fault.member);
    CborText(out, fault.message);
    return out;
  }
  out = R"({"__type":)";
  JsonText(out, fault.type);
  if (text) {
    out += fmt::format(R"(,"{}":)", fault.member);
    JsonText(out, fault.message);
  }
  out += '}';
  return out;
}

json Blob(BytesView bytes) {
  const auto* first = reinterpret_cast<const uint8_t*>(bytes.data());
  return json::binary(std::vector<uint8_t>(first, first + bytes.size()));
}

BytesView BlobOf(const json& blob) {
  const auto& bytes = blob.get_binary();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

json Time(Timestamp time) {
  const auto whole = std::chrono::floor<milliseconds>(time.time_since_epoch()).count();
  return static_cast<double>(whole) / 1'000;
}

Timestamp TimeOf(const json& seconds) { return Timestamp(milliseconds(Milliseconds(seconds))); }

}  // namespace weft::aws
