// SPDX-License-Identifier: Apache-2.0
// The bytes are those of docs/formats/records.md.
#include "stream/record_head.h"

#include "base/check.h"

namespace weft::stream {
namespace {

constexpr char kHeadless = 1;  // the first octet of a product's record key
constexpr char kVersion = 2;
constexpr uint8_t kHasHash = 1, kHasTaken = 2;
constexpr size_t kPartitionKeyBytesMax = 0xffff;

void PutNumber(Bytes& out, HashKey value, int octets) {
  for (int i = 0; i < octets; ++i) {
    out.push_back(static_cast<char>(static_cast<uint8_t>(value)));
    value >>= 8;
  }
}

// Takes a head apart from its front.
class HeadReader {
 public:
  explicit HeadReader(std::string_view bytes) : bytes_(bytes) {}
  Result<std::string_view> Take(size_t count) {
    if (bytes_.size() < count) return Fail(Code::kCorrupt, "the head of a record is cut short");
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  Result<HashKey> Number(int octets) {
    const std::string_view bytes = TRY(Take(static_cast<size_t>(octets)));
    HashKey value = 0;
    for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
    return value;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

Result<std::vector<bool>> ReadTaken(HeadReader& reader) {
  const auto count = static_cast<size_t>(TRY(reader.Number(4)));
  const std::string_view bits = TRY(reader.Take((count + 7) / 8));
  if (count == 0) return Fail(Code::kCorrupt, "the head of a record is of an empty aggregate");
  std::vector<bool> taken(count);
  for (size_t i = 0; i < count; ++i) {
    taken[i] = (static_cast<uint8_t>(bits[i / 8]) >> (i % 8) & 1) != 0;
  }
  return taken;
}

}  // namespace

Bytes EncodeRecordHead(const RecordHead& head) {
  CHECK(head.partition_key.size() <= kPartitionKeyBytesMax);
  const bool plain = head.partition_key.empty() && !head.explicit_hash && head.taken.empty();
  if (plain && (head.rest.empty() || head.rest.front() == kHeadless)) return Bytes(head.rest);
  const uint8_t flags = static_cast<uint8_t>((head.explicit_hash ? kHasHash : 0) |
                                             (head.taken.empty() ? 0 : kHasTaken));
  Bytes out;
  out.reserve(24 + head.partition_key.size() + head.taken.size() / 8 + head.rest.size());
  out.push_back(kVersion);
  out.push_back(static_cast<char>(flags));
  PutNumber(out, head.partition_key.size(), 2);
  out.append(head.partition_key);
  if (head.explicit_hash) PutNumber(out, *head.explicit_hash, 16);
  if (!head.taken.empty()) {
    PutNumber(out, head.taken.size(), 4);
    for (size_t i = 0; i < head.taken.size(); i += 8) {
      unsigned octet = 0;
      for (size_t bit = 0; bit < 8 && i + bit < head.taken.size(); ++bit) {
        octet |= (head.taken[i + bit] ? 1u : 0u) << bit;
      }
      PutNumber(out, octet, 1);
    }
  }
  out.append(head.rest);
  return out;
}

Result<RecordHead> DecodeRecordHead(std::string_view key) {
  RecordHead head;
  if (key.empty() || key.front() == kHeadless) {
    head.rest = key;
    return head;
  }
  HeadReader reader(key);
  const auto version = TRY(reader.Number(1));
  if (version != static_cast<HashKey>(kVersion)) {
    return Fail(Code::kCorrupt, fmt::format("the head of a record has the unknown version {}",
                                            static_cast<int>(version)));
  }
  const auto flags = static_cast<uint8_t>(TRY(reader.Number(1)));
  if ((flags & ~(kHasHash | kHasTaken)) != 0) {
    return Fail(Code::kCorrupt, fmt::format("the head of a record has unknown flags: {}", flags));
  }
  const auto key_bytes = static_cast<size_t>(TRY(reader.Number(2)));
  head.partition_key = TRY(reader.Take(key_bytes));
  if ((flags & kHasHash) != 0) head.explicit_hash = TRY(reader.Number(16));
  if ((flags & kHasTaken) != 0) head.taken = TRY(ReadTaken(reader));
  head.rest = reader.rest();
  return head;
}

}  // namespace weft::stream
