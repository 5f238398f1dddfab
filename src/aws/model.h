// SPDX-License-Identifier: Apache-2.0
// What AWS's model says of a service: its operations and the shapes they take and give. The tables
// are made by tools/aws_model and committed.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace weft::aws {

enum class Kind : uint8_t {
  kStructure,
  kList,
  kMap,
  kString,
  kBlob,
  kBoolean,
  kInteger,  // 32 bits
  kLong,     // 64 bits
  kDouble,
  kTimestamp,
};

inline constexpr int64_t kNoBound = std::numeric_limits<int64_t>::min();

struct Member {
  const char* name;
  int16_t shape;
  bool required;
};

// Shapes and members name others by their index in the tables of the service; -1: none.
struct Shape {
  const char* name;
  Kind kind;
  // Of a number its value, of a text its characters, of a blob its octets, of a list or a map its
  // entries.
  int64_t min, max;
  const char* pattern;      // the whole text matches it; ""
  const char* enumeration;  // "A, B"; ""
  int16_t members_first, members_count;
  int16_t element;  // of a list or a map
  int16_t key;      // of a map
  bool event_stream;
};

struct OperationShapes {
  const char* name;
  int16_t input, output;
  const char* errors;  // the exceptions it declares, parted by blanks
};

struct ServiceModel {
  const char* name;           // of botocore: "kinesis"
  const char* signing_name;   // in the scope of a signature, and before the colon of an action
  const char* target_prefix;  // "Kinesis_20131202"
  const char* full_name;      // "Amazon Kinesis"
  std::span<const Member> members;
  std::span<const Shape> shapes;
  std::span<const OperationShapes> operations;  // in order of name

  const Shape& ShapeAt(int16_t index) const { return shapes[static_cast<size_t>(index)]; }
  std::span<const Member> MembersOf(const Shape& shape) const {
    return members.subspan(static_cast<size_t>(shape.members_first),
                           static_cast<size_t>(shape.members_count));
  }
  const OperationShapes* Find(std::string_view operation) const;
};

const ServiceModel& KinesisModel();

}  // namespace weft::aws
