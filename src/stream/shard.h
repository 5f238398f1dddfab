// SPDX-License-Identifier: Apache-2.0
// Shards of a stream, the hash keys that choose one, and the numbers that name a record's place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "log/record_log.h"

namespace weft::stream {

// "ACCOUNT.NAME": letters, digits, - _ . ; names are unique within an account.
using StreamName = Name<struct StreamTag>;
using log::Offset;

StreamName NameOf(const AccountId& account, std::string_view name);

struct ShardId {
  StreamName stream;
  int number = 0;
  friend auto operator<=>(const ShardId&, const ShardId&) = default;
};

__extension__ using HashKey = unsigned __int128;
inline constexpr HashKey kHashKeyMax = ~HashKey{0};
// MD5 of the partition key, big-endian: as Kinesis does.
HashKey HashOf(std::string_view partition_key);
std::string HashKeyText(HashKey key);                        // decimal
std::optional<HashKey> ParseHashKey(std::string_view text);  // decimal, no sign, no leading zeros

struct HashRange {
  HashKey first = 0, last = kHashKeyMax;  // both within
  bool Contains(HashKey key) const { return first <= key && key <= last; }
  friend bool operator==(const HashRange&, const HashRange&) = default;
};

struct Shard {
  int number = 0;  // rises over the life of a stream; never used twice
  HashRange range;
  std::optional<int> parent, adjacent_parent;
  Timestamp opened;
  std::optional<Timestamp> closed;  // by a split or a merge: no record is appended from then on
};

// The place of a record that sorts as it arrived within its shard: 4 digits of shard, '-', 19
// digits of offset. It is the `_id` of the record's row.
std::string RecordId(int shard, Offset offset);
// The same for one of the user records in an aggregate, from 0: sorts behind that of the one before
// it; '-' and 6 digits follow.
std::string RecordId(int shard, Offset offset, int user_record);

// What Kinesis calls a sequence number: 56 decimal digits that sort as numbers and as text, within
// a shard as its records, and those of a child shard behind those of its parents.
struct SequenceNumber {
  int64_t stream = 0;  // StreamInfo::number
  int shard = 0;
  Offset offset = {-1};  // -1: the beginning of the shard, before all records
  // Above 0: of a record that went to quarantine instead. It sorts behind `offset`.
  int64_t quarantined = 0;

  std::string Text() const;
  static std::optional<SequenceNumber> Parse(std::string_view text);
  friend auto operator<=>(const SequenceNumber&, const SequenceNumber&) = default;
};

// "shardId-000000000003".
std::string ShardName(int number);
std::optional<int> ParseShardName(std::string_view name);

}  // namespace weft::stream
