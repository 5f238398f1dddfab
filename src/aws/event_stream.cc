// SPDX-License-Identifier: Apache-2.0
#include "aws/event_stream.h"

#include <zlib.h>

namespace weft::aws {
namespace {

constexpr char kTextHeader = 7;
constexpr size_t kFramingBytes = 16;  // prelude with its CRC, and the CRC of all

void PutNumber(Bytes& out, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

void PutCrc(Bytes& out) {
  PutNumber(out, static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(out.data()),
                                             static_cast<uInt>(out.size()))));
}

void PutHeader(Bytes& out, std::string_view name, std::string_view value) {
  out += static_cast<char>(name.size());
  out += name;
  out += kTextHeader;
  out += static_cast<char>(value.size() >> 8 & 0xff);
  out += static_cast<char>(value.size() & 0xff);
  out += value;
}

Bytes Message(const Bytes& headers, BytesView payload) {
  Bytes out;
  out.reserve(kFramingBytes + headers.size() + payload.size());
  PutNumber(out, static_cast<uint32_t>(kFramingBytes + headers.size() + payload.size()));
  PutNumber(out, static_cast<uint32_t>(headers.size()));
  PutCrc(out);
  out += headers;
  out += payload;
  PutCrc(out);
  return out;
}

}  // namespace

Bytes EventMessage(std::string_view event, Encoding encoding, BytesView payload) {
  Bytes headers;
  PutHeader(headers, ":event-type", event);
  PutHeader(headers, ":content-type", ContentTypeOf(encoding));
  PutHeader(headers, ":message-type", "event");
  return Message(headers, payload);
}

Bytes FaultMessage(const Fault& fault, Encoding encoding) {
  Bytes headers;
  PutHeader(headers, ":exception-type", fault.type);
  PutHeader(headers, ":content-type", ContentTypeOf(encoding));
  PutHeader(headers, ":message-type", "exception");
  return Message(headers, WriteFault(fault, encoding));
}

}  // namespace weft::aws
