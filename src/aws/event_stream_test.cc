// SPDX-License-Identifier: Apache-2.0
#include "aws/event_stream.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "codec/hash.h"

namespace weft::aws {
namespace {

uint32_t NumberAt(BytesView bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}
uint32_t Crc(BytesView bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

void ExpectFramed(const Bytes& message, std::string_view headers, std::string_view payload) {
  ASSERT_GE(message.size(), 16U);
  EXPECT_EQ(NumberAt(message, 0), message.size());
  EXPECT_EQ(NumberAt(message, 4), headers.size());
  EXPECT_EQ(NumberAt(message, 8), Crc(BytesView(message).substr(0, 8)));
  EXPECT_EQ(message.substr(12, headers.size()), headers);
  EXPECT_EQ(message.substr(12 + headers.size(), message.size() - 16 - headers.size()), payload);
  EXPECT_EQ(NumberAt(message, message.size() - 4),
            Crc(BytesView(message).substr(0, message.size() - 4)));
}

std::string Header(std::string_view name, std::string_view value) {
  std::string out(1, static_cast<char>(name.size()));
  out.append(name).push_back('\x07');
  out.push_back('\0');
  out.push_back(static_cast<char>(value.size()));
  return out.append(value);
}

TEST(EventStream, FramesAnEvent) {
  ExpectFramed(EventMessage("SubscribeToShardEvent", Encoding::kJson, "{}"),
               Header(":event-type", "SubscribeToShardEvent") +
                   Header(":content-type", "application/x-amz-json-1.1") +
                   Header(":message-type", "event"),
               "{}");
}

TEST(EventStream, FramesAFault) {
  ExpectFramed(FaultMessage({"ResourceInUseException", "taken over"}, Encoding::kJson),
               Header(":exception-type", "ResourceInUseException") +
                   Header(":content-type", "application/x-amz-json-1.1") +
                   Header(":message-type", "exception"),
               R"({"__type":"ResourceInUseException","message":"taken over"})");
}

}  // namespace
}  // namespace weft::aws
