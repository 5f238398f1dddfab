// SPDX-License-Identifier: Apache-2.0
#include "log/key_ring.h"

#include <algorithm>

#include "base/check.h"
#include "codec/gcm.h"
#include "codec/hash.h"
#include "codec/seal.h"
#include "log/folder_lock.h"
#include "log/wire.h"

namespace weft::log {
namespace {

constexpr std::string_view kMagic = "WEFTKEY1";
constexpr uint32_t kVersion = 1;
constexpr size_t kEntryHeadBytes = 20;
constexpr size_t kWrappedBytes = 61;
constexpr size_t kCrcBytes = 4;

struct KeyFile {
  uint32_t next_number = 1;
  std::vector<DataKey> keys;
};

std::string KeysPath(const std::string& folder) { return folder + "/keys"; }

Bytes Encode(const KeyFile& file, BytesView master_key, Random& random) {
  Bytes out(kMagic);
  AppendNumber<uint32_t>(out, kVersion);
  AppendNumber<uint32_t>(out, file.next_number);
  AppendNumber<uint32_t>(out, static_cast<uint32_t>(file.keys.size()));
  for (const DataKey& key : file.keys) {
    Bytes head;
    AppendNumber<uint32_t>(head, key.number);
    AppendNumber<int64_t>(head, key.made_us);
    AppendNumber<uint64_t>(head, key.segment_first);
    out += head;
    out += codec::Seal(master_key, key.key, Bytes(kMagic) + head, random);
  }
  AppendNumber<uint32_t>(out, codec::Crc32c(out));
  return out;
}

Result<KeyFile> Decode(BytesView bytes, BytesView master_key) {
  auto damaged = [] { return Fail(Code::kCorrupt, "the file of data keys is damaged"); };
  if (bytes.size() < kMagic.size() + 12 + kCrcBytes || !bytes.starts_with(kMagic)) return damaged();
  BytesView checked = bytes.substr(0, bytes.size() - kCrcBytes);
  const bool good = GetNumber<uint32_t>(bytes.data() + checked.size()) == codec::Crc32c(checked);
  Cursor cursor(checked.substr(kMagic.size()));
  const auto version = cursor.Take<uint32_t>();
  if (good && version > kVersion) {
    return Fail(Code::kNotOffered,
                fmt::format("a newer Weft wrote the data keys: format version {}, known is {}",
                            version, kVersion));
  }
  if (!good || version != kVersion) return damaged();
  KeyFile file{.next_number = cursor.Take<uint32_t>(), .keys = {}};
  const auto count = cursor.Take<uint32_t>();
  if (cursor.rest().size() != count * (kEntryHeadBytes + kWrappedBytes)) return damaged();
  for (uint32_t i = 0; i < count; ++i) {
    BytesView head = cursor.rest().substr(0, kEntryHeadBytes);
    DataKey key;
    key.number = cursor.Take<uint32_t>();
    key.made_us = cursor.Take<int64_t>();
    key.segment_first = cursor.Take<uint64_t>();
    BytesView wrapped = cursor.TakeBytes(kWrappedBytes);
    if (master_key.empty()) {
      return Fail(Code::kInvalid, "batches here are encrypted: the master key is needed");
    }
    auto plain = codec::Open(master_key, wrapped, Bytes(kMagic) + Bytes(head));
    if (!plain.ok() || plain->size() != codec::Gcm::kKeyBytes) {
      return Fail(Code::kInvalid, "this is not the master key that the data keys are wrapped by");
    }
    key.key = std::move(*plain);
    file.keys.push_back(std::move(key));
  }
  return file;
}

// Whether a segment may be left that the key's process made. Each process begins behind the
// segments of those before it.
bool StillNeeded(const DataKey& key, const KeyFile& file, const std::vector<uint64_t>& segments,
                 uint64_t segment_next) {
  uint64_t past = segment_next;
  for (const DataKey& other : file.keys) {
    if (other.segment_first > key.segment_first) past = std::min(past, other.segment_first);
  }
  return std::any_of(segments.begin(), segments.end(), [&](uint64_t sequence) {
    return sequence >= key.segment_first && sequence < past;
  });
}

// Empty when there is none.
Result<KeyFile> ReadKeys(const std::string& folder, Disk& disk, BytesView master_key) {
  const std::string path = KeysPath(folder);
  auto bytes = ReadFile(disk, path);
  if (!bytes.ok() && bytes.error().code() == Code::kNotFound) return KeyFile();
  if (!bytes.ok()) return Fail(bytes.error());
  auto file = Decode(*bytes, master_key);
  if (!file.ok()) return Fail(file.error().In(path));
  return file;
}

Status CheckMasterKey(BytesView key) {
  if (key.size() == codec::Gcm::kKeyBytes) return {};
  return Fail(Code::kInvalid, fmt::format("a master key has {} octets, this one {}",
                                          codec::Gcm::kKeyBytes, key.size()));
}

}  // namespace

Result<std::unique_ptr<KeyRing>> KeyRing::Open(const Options& options, Disk& disk, Random& random,
                                               const std::vector<uint64_t>& segments,
                                               uint64_t segment_next) {
  if (!options.master_key.empty()) TRY(CheckMasterKey(options.master_key));
  auto file = TRY(ReadKeys(options.folder, disk, options.master_key));
  std::unique_ptr<KeyRing> ring(new KeyRing(options, disk, random, segment_next));
  ring->next_number_ = file.next_number;
  for (const DataKey& key : file.keys) {
    if (!StillNeeded(key, file, segments, segment_next)) continue;
    ring->keys_[key.number] = std::make_shared<const DataKey>(key);
  }
  return ring;
}

std::unique_ptr<KeyRing> KeyRing::Without() {
  return std::unique_ptr<KeyRing>(new KeyRing({}, SystemDisk(), SystemRandom(), 1));
}

Result<std::shared_ptr<const DataKey>> KeyRing::ForSealing(Timestamp now) {
  std::lock_guard lock(mutex_);
  const int64_t now_us = now.time_since_epoch().count();
  const int64_t age_max_us = microseconds(options_.age_max).count();
  if (own_ && now_us - own_->made_us < age_max_us) return own_;
  CHECK(can_seal());
  auto key = std::make_shared<DataKey>();
  key->number = next_number_;
  key->made_us = now_us;
  key->segment_first = segment_next_;
  key->key = random_.NextBytes(codec::Gcm::kKeyBytes);
  KeyFile file{.next_number = next_number_ + 1, .keys = {}};
  for (const auto& [number, kept] : keys_) file.keys.push_back(*kept);
  file.keys.push_back(*key);
  TRY(WriteFile(disk_, KeysPath(options_.folder), Encode(file, options_.master_key, random_)));
  next_number_ = file.next_number;
  keys_[key->number] = key;
  own_ = std::move(key);
  return own_;
}

std::shared_ptr<const DataKey> KeyRing::Find(uint32_t number) const {
  std::lock_guard lock(mutex_);
  auto found = keys_.find(number);
  return found == keys_.end() ? nullptr : found->second;
}

Status RewrapKeys(const std::string& folder, Disk& disk, BytesView old_master, BytesView new_master,
                  Random& random) {
  TRY(CheckMasterKey(old_master));
  TRY(CheckMasterKey(new_master));
  auto lock = TRY(FolderLock::Take(folder, disk));
  auto file = TRY(ReadKeys(folder, disk, old_master));
  if (file.keys.empty()) return {};
  return WriteFile(disk, KeysPath(folder), Encode(file, new_master, random));
}

}  // namespace weft::log
