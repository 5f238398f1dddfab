// SPDX-License-Identifier: Apache-2.0
#include "stream/shard.h"

#include <fmt/compile.h>

#include <algorithm>
#include <charconv>

#include "codec/hash.h"

namespace weft::stream {
namespace {

constexpr std::string_view kSequencePrefix = "49";
constexpr size_t kStreamDigits = 10, kShardDigits = 9, kPlaceDigits = 19, kQuarantinedDigits = 16;
constexpr size_t kSequenceDigits =
    kSequencePrefix.size() + kStreamDigits + kShardDigits + kPlaceDigits + kQuarantinedDigits;
static_assert(kSequenceDigits == 56);

constexpr std::string_view kShardPrefix = "shardId-";
constexpr size_t kShardNameDigits = 12;

// The decimal digits of `value` before `end`, over zeros.
void PutDigits(uint64_t value, char* end) {
  for (; value > 0; value /= 10) *--end = static_cast<char>('0' + value % 10);
}

// All of `digits`, which are decimal ones and nothing else.
template <class T>
std::optional<T> ParseDigits(std::string_view digits) {
  if (digits.empty() || digits.front() == '-') return std::nullopt;
  T value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

StreamName NameOf(const AccountId& account, std::string_view name) {
  return StreamName(fmt::format("{}.{}", account.text(), name));
}

HashKey HashOf(std::string_view partition_key) {
  HashKey hash = 0;
  for (uint8_t octet : codec::Md5(partition_key)) hash = hash << 8 | octet;
  return hash;
}

std::string HashKeyText(HashKey key) {
  std::string text;
  do {
    text.push_back(static_cast<char>('0' + static_cast<int>(key % 10)));
    key /= 10;
  } while (key != 0);
  std::reverse(text.begin(), text.end());
  return text;
}

std::optional<HashKey> ParseHashKey(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  HashKey key = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<unsigned>(c - '0');
    if (key > (kHashKeyMax - digit) / 10) return std::nullopt;
    key = key * 10 + digit;
  }
  return key;
}

std::string RecordId(int shard, Offset offset) {
  if (shard < 0 || shard > 9999 || offset.value < 0) {
    return fmt::format(FMT_COMPILE("{:04}-{:019}"), shard, offset.value);
  }
  // Once for each record that becomes a row, so by hand.
  std::string text = "0000-0000000000000000000";
  PutDigits(static_cast<uint64_t>(shard), text.data() + 4);
  PutDigits(static_cast<uint64_t>(offset.value), text.data() + text.size());
  return text;
}

std::string RecordId(int shard, Offset offset, int user_record) {
  return fmt::format(FMT_COMPILE("{:04}-{:019}-{:06}"), shard, offset.value, user_record);
}

std::string SequenceNumber::Text() const {
  return fmt::format(FMT_COMPILE("49{:010}{:09}{:019}{:016}"), stream, shard, offset.value + 1,
                     quarantined);
}

std::optional<SequenceNumber> SequenceNumber::Parse(std::string_view text) {
  if (text.size() != kSequenceDigits || !text.starts_with(kSequencePrefix)) return std::nullopt;
  text.remove_prefix(kSequencePrefix.size());
  auto next = [&text](size_t digits) {
    const std::string_view part = text.substr(0, digits);
    text.remove_prefix(digits);
    return part;
  };
  const auto stream = ParseDigits<int64_t>(next(kStreamDigits));
  const auto shard = ParseDigits<int>(next(kShardDigits));
  const auto place = ParseDigits<int64_t>(next(kPlaceDigits));  // 0: the shard's beginning
  const auto quarantined = ParseDigits<int64_t>(next(kQuarantinedDigits));
  if (!stream || !shard || !place || !quarantined) return std::nullopt;
  return SequenceNumber{
      .stream = *stream, .shard = *shard, .offset = {*place - 1}, .quarantined = *quarantined};
}

std::string ShardName(int number) { return fmt::format("{}{:012}", kShardPrefix, number); }

std::optional<int> ParseShardName(std::string_view name) {
  if (!name.starts_with(kShardPrefix)) return std::nullopt;
  name.remove_prefix(kShardPrefix.size());
  if (name.size() != kShardNameDigits) return std::nullopt;
  return ParseDigits<int>(name);
}

}  // namespace weft::stream
