// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "aws/encoding.h"

namespace weft::aws {

inline constexpr const char* kEventStreamType = "application/vnd.amazon.eventstream";

// A message of an event stream: prelude, text headers, payload, each with a CRC-32.
// https://smithy.io/2.0/aws/amazon-eventstream.html
Bytes EventMessage(std::string_view event, Encoding encoding, BytesView payload);
// The message that ends a stream with a fault: an exception of the operation's model.
Bytes FaultMessage(const Fault& fault, Encoding encoding);

}  // namespace weft::aws
