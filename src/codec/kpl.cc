// SPDX-License-Identifier: Apache-2.0
// The protocol buffer, by field number:
//   aggregate    1 text, repeated: partition keys; 2 text, repeated: explicit hash keys;
//                3 user record, repeated
//   user record  1 number: index of its partition key; 2 number, optional: index of its explicit
//                hash key; 3 octets: its data; 4 tag, repeated, which nobody reads
// Anybody can put octets that begin like an aggregate, so whatever does not read as one to its last
// octet is none.
#include "codec/kpl.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>

#include "codec/hash.h"

namespace weft::codec {
namespace {

constexpr std::string_view kMagic = "\xf3\x89\x9a\xc2";
constexpr size_t kDigestBytes = 16;
constexpr size_t kUserRecordsMax = 100'000;  // and keys, of each kind

enum class Wire : uint8_t { kNumber = 0, kFixed64 = 1, kOctets = 2, kFixed32 = 5 };

struct Field {
  uint64_t id = 0;
  Wire wire = Wire::kNumber;
  uint64_t number = 0;
  BytesView octets;
};

// Takes a message apart, field after field.
class Fields {
 public:
  explicit Fields(BytesView bytes) : rest_(bytes) {}
  bool AtEnd() const { return rest_.empty(); }

  std::optional<Field> Next() {
    const auto tag = Number();
    if (!tag || *tag >> 3 == 0 || *tag >> 3 > kFieldIdMax) return std::nullopt;
    Field field{.id = *tag >> 3, .wire = static_cast<Wire>(*tag & 7), .octets = {}};
    switch (field.wire) {
      case Wire::kNumber: {
        const auto number = Number();
        if (!number) return std::nullopt;
        field.number = *number;
        return field;
      }
      case Wire::kOctets: {
        const auto size = Number();
        if (!size || !Take(*size, field.octets)) return std::nullopt;
        return field;
      }
      case Wire::kFixed64:
        return Take(8, field.octets) ? std::optional(field) : std::nullopt;
      case Wire::kFixed32:
        return Take(4, field.octets) ? std::optional(field) : std::nullopt;
    }
    return std::nullopt;  // groups, and what nobody has defined
  }

 private:
  static constexpr uint64_t kFieldIdMax = (uint64_t{1} << 29) - 1;

  std::optional<uint64_t> Number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
      const auto octet = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && octet > 1) return std::nullopt;
      value |= uint64_t{octet & 0x7fU} << shift;
      if ((octet & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

  bool Take(uint64_t size, BytesView& taken) {
    if (size > rest_.size()) return false;
    taken = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(static_cast<size_t>(size));
    return true;
  }

  BytesView rest_;
};

using KeyTable = std::vector<std::string_view>;

// A partition key has at most 256 characters.
bool IsKey(std::string_view text) {
  constexpr size_t kKeyBytesMax = 1'024;
  return text.size() <= kKeyBytesMax && simdjson::validate_utf8(text);
}

std::optional<UserRecord> ReadUserRecord(BytesView message, const KeyTable& keys,
                                         const KeyTable& hashes) {
  std::optional<uint64_t> key, hash;
  std::optional<BytesView> data;
  for (Fields fields(message); !fields.AtEnd();) {
    const auto field = fields.Next();
    if (!field) return std::nullopt;
    if (field->id == 1 && field->wire == Wire::kNumber) key = field->number;
    if (field->id == 2 && field->wire == Wire::kNumber) hash = field->number;
    if (field->id == 3 && field->wire == Wire::kOctets) data = field->octets;
  }
  if (!key || !data || *key >= keys.size() || (hash && *hash >= hashes.size())) return std::nullopt;
  return UserRecord{.partition_key = keys[static_cast<size_t>(*key)],
                    .explicit_hash = hash ? hashes[static_cast<size_t>(*hash)] : std::string_view(),
                    .data = *data};
}

std::string_view Digest(const std::array<uint8_t, kDigestBytes>& octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

void PutNumber(Bytes& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
}

void PutOctets(Bytes& out, uint64_t field_id, BytesView octets) {
  PutNumber(out, field_id << 3 | static_cast<uint64_t>(Wire::kOctets));
  PutNumber(out, octets.size());
  out += octets;
}

void PutIndex(Bytes& out, uint64_t field_id, uint64_t index) {
  PutNumber(out, field_id << 3 | static_cast<uint64_t>(Wire::kNumber));
  PutNumber(out, index);
}

// Each text once, in the order of first use.
class KeyTableWriter {
 public:
  uint64_t IndexOf(std::string_view text) {
    auto [place, fresh] = indexes_.try_emplace(text, texts_.size());
    if (fresh) texts_.push_back(text);
    return place->second;
  }
  const KeyTable& texts() const { return texts_; }

 private:
  std::unordered_map<std::string_view, uint64_t> indexes_;
  KeyTable texts_;
};

}  // namespace

std::optional<std::vector<UserRecord>> SplitAggregate(BytesView record) {
  if (record.size() < kMagic.size() + kDigestBytes || !record.starts_with(kMagic)) {
    return std::nullopt;
  }
  const BytesView message =
      record.substr(kMagic.size(), record.size() - kMagic.size() - kDigestBytes);
  if (Digest(Md5(message)) != record.substr(record.size() - kDigestBytes)) return std::nullopt;
  // The tables may come in any order among the records, so the records wait for all of them.
  KeyTable keys, hashes;
  std::vector<BytesView> messages;
  for (Fields fields(message); !fields.AtEnd();) {
    const auto field = fields.Next();
    if (!field) return std::nullopt;
    if (field->wire != Wire::kOctets) continue;
    if (field->id <= 2 && !IsKey(field->octets)) return std::nullopt;
    if (field->id == 1) keys.push_back(field->octets);
    if (field->id == 2) hashes.push_back(field->octets);
    if (field->id == 3) messages.push_back(field->octets);
    if (std::max({keys.size(), hashes.size(), messages.size()}) > kUserRecordsMax) {
      return std::nullopt;
    }
  }
  if (messages.empty()) return std::nullopt;
  std::vector<UserRecord> records;
  records.reserve(messages.size());
  for (const BytesView one : messages) {
    const auto user_record = ReadUserRecord(one, keys, hashes);
    if (!user_record) return std::nullopt;
    records.push_back(*user_record);
  }
  return records;
}

Bytes MakeAggregate(const std::vector<UserRecord>& records) {
  KeyTableWriter keys, hashes;
  Bytes tail, one;
  for (const UserRecord& record : records) {
    one.clear();
    PutIndex(one, 1, keys.IndexOf(record.partition_key));
    if (!record.explicit_hash.empty()) PutIndex(one, 2, hashes.IndexOf(record.explicit_hash));
    PutOctets(one, 3, record.data);
    PutOctets(tail, 3, one);
  }
  Bytes message;
  for (const auto key : keys.texts()) PutOctets(message, 1, key);
  for (const auto hash : hashes.texts()) PutOctets(message, 2, hash);
  message += tail;
  Bytes out(kMagic);
  out += message;
  out += Digest(Md5(message));
  return out;
}

}  // namespace weft::codec
