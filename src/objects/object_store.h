// SPDX-License-Identifier: Apache-2.0
// The seam of object storage. Back ends: OpenLocalStore (local_store.h), and the fake in testing/.
// Every back end passes testing/object_store_contract.h.
#pragma once

#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace weft::objects {

struct ObjectKey {
  std::string bucket;  // 3 to 63 of a-z 0-9 - .
  std::string key;     // 1 to 1,024 octets of UTF-8
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

// "s3://BUCKET/KEY" and back; the key is raw, nothing is escaped.
Result<ObjectKey> ParseLocation(std::string_view location);
std::string Location(const ObjectKey& key);
// kInvalid unless bucket and key are as above; a bucket begins and ends with a letter or digit.
// Every back end refuses the others.
Status CheckKey(const ObjectKey& key);
Status CheckBucket(std::string_view bucket);

struct ObjectInfo {
  ObjectKey key;
  int64_t bytes = 0;
  Timestamp modified;
};

// An object being written. Dropped without Commit, it leaves nothing.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual Status Write(BytesView bytes) = 0;
  // The object is there, whole and durable, replacing any other.
  virtual Status Commit() = 0;
};

// Stores immutable objects by key. Safe to call from any thread.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  // Stores `body` under `key`, replacing any object there. On return it is durable and every later
  // Get sees it whole; a failed Put leaves either the old object or the new one, never a part.
  virtual Status Put(const ObjectKey& key, BytesView body) = 0;
  // Like Put, but kExists if the key is taken. Atomic against concurrent calls on the same key.
  virtual Status PutIfAbsent(const ObjectKey& key, BytesView body) = 0;
  // For objects too large to hold.
  virtual Result<std::unique_ptr<ObjectWriter>> Create(const ObjectKey& key) = 0;
  // kNotFound when there is none.
  virtual Result<Bytes> Get(const ObjectKey& key) = 0;
  // `bytes` bytes from `offset`; fewer only at the object's end.
  virtual Result<Bytes> GetRange(const ObjectKey& key, int64_t offset, int64_t bytes) = 0;
  virtual Result<ObjectInfo> Head(const ObjectKey& key) = 0;
  // Fine when there is none. Durable on return.
  virtual Status Delete(const ObjectKey& key) = 0;
  // Up to `count_max` objects of the bucket whose key starts with `prefix` and sorts (by octets)
  // after `after`, in order. A bucket without objects lists as empty.
  virtual Result<std::vector<ObjectInfo>> List(const std::string& bucket, const std::string& prefix,
                                               const std::string& after, int count_max) = 0;
};

}  // namespace weft::objects
