// SPDX-License-Identifier: Apache-2.0
// Records that the Kinesis Producer Library packed into one: magic F3 89 9A C2, a protocol buffer
// (tables of partition and explicit hash keys, then user records), and the MD5 of that buffer.
// https://github.com/awslabs/amazon-kinesis-producer, "KPL aggregated record format".
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace weft::codec {

struct UserRecord {
  std::string_view partition_key;
  std::string_view explicit_hash;  // decimal text; "" when absent
  std::string_view data;
};

// The user records of an aggregate, views into it, in order; nothing when `record` is not one (no
// magic, wrong checksum, not a well-formed buffer, a key that is not UTF-8 or has more than 1,024
// octets, more than 100,000 records or keys): then it is a record as it stands.
std::optional<std::vector<UserRecord>> SplitAggregate(BytesView record);

// For tests and for `weft`'s own clients.
Bytes MakeAggregate(const std::vector<UserRecord>& records);

}  // namespace weft::codec
