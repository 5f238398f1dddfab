// SPDX-License-Identifier: Apache-2.0
// Bodies: what a client sent becomes checked input of an operation's shape, and what an operation
// answers becomes bytes, in JSON 1.1 or CBOR 1.1 alike.
//
// Inside, a blob is a binary value and a timestamp a number of seconds since 1970.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "aws/fault.h"
#include "aws/model.h"
#include "base/bytes.h"
#include "base/clock.h"

namespace weft::aws {

enum class Encoding { kJson, kCbor };
const char* ContentTypeOf(Encoding encoding);

// The members that `shape` (-1: none) has, of the right types and within their constraints; those
// that are null are left out and those that it does not have are passed over, as AWS does. A
// SerializationException for a body that is not an object or has a wrong type, a
// ValidationException that lists every broken constraint (ten at most).
Outcome<nlohmann::json> ReadInput(const ServiceModel& model, int16_t shape, Encoding encoding,
                                  BytesView body);

// Members that the shape does not have are a defect: the process ends.
Bytes WriteOutput(const ServiceModel& model, int16_t shape, Encoding encoding,
                  const nlohmann::json& value);
Bytes WriteFault(const Fault& fault, Encoding encoding);

// For operations.
nlohmann::json Blob(BytesView bytes);
nlohmann::json Time(Timestamp time);  // in whole milliseconds
BytesView BlobOf(const nlohmann::json& blob);
Timestamp TimeOf(const nlohmann::json& seconds);

}  // namespace weft::aws
