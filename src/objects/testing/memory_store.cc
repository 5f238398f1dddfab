// SPDX-License-Identifier: Apache-2.0
#include "objects/testing/memory_store.h"

#include <algorithm>
#include <map>
#include <mutex>

namespace weft::objects {
namespace {

class MemoryStore final : public ObjectStore {
 public:
  explicit MemoryStore(const Clock& clock) : clock_(clock) {}

  Status Put(const ObjectKey& key, BytesView body) override {
    TRY(CheckKey(key));
    std::lock_guard lock(mutex_);
    objects_[key] = {.body = Bytes(body), .modified = clock_.Now()};
    return {};
  }

  Status PutIfAbsent(const ObjectKey& key, BytesView body) override {
    TRY(CheckKey(key));
    std::lock_guard lock(mutex_);
    if (objects_.contains(key)) return Fail(Code::kExists, Location(key) + " is there");
    objects_[key] = {.body = Bytes(body), .modified = clock_.Now()};
    return {};
  }

  Result<std::unique_ptr<ObjectWriter>> Create(const ObjectKey& key) override {
    TRY(CheckKey(key));
    return std::make_unique<Writer>(*this, key);
  }

  Result<Bytes> Get(const ObjectKey& key) override {
    std::lock_guard lock(mutex_);
    return TRY(Find(key))->body;
  }

  Result<Bytes> GetRange(const ObjectKey& key, int64_t offset, int64_t bytes) override {
    if (offset < 0 || bytes < 0) return Fail(Code::kInvalid, "not a range");
    std::lock_guard lock(mutex_);
    const Bytes& body = TRY(Find(key))->body;
    const auto from = std::min(static_cast<size_t>(offset), body.size());
    return body.substr(from, static_cast<size_t>(bytes));
  }

  Result<ObjectInfo> Head(const ObjectKey& key) override {
    std::lock_guard lock(mutex_);
    return Info(key, *TRY(Find(key)));
  }

  Status Delete(const ObjectKey& key) override {
    TRY(CheckKey(key));
    std::lock_guard lock(mutex_);
    objects_.erase(key);
    return {};
  }

  Result<std::vector<ObjectInfo>> List(const std::string& bucket, const std::string& prefix,
                                       const std::string& after, int count_max) override {
    TRY(CheckBucket(bucket));
    if (count_max <= 0) return Fail(Code::kInvalid, "a listing has one object at least");
    std::lock_guard lock(mutex_);
    std::vector<ObjectInfo> found;
    for (auto at = objects_.lower_bound({bucket, std::max(prefix, after)}); at != objects_.end();
         ++at) {
      const auto& [key, object] = *at;
      if (key.bucket != bucket || !key.key.starts_with(prefix)) break;
      if (found.size() == static_cast<size_t>(count_max)) break;
      if (key.key > after) found.push_back(Info(key, object));
    }
    return found;
  }

 private:
  struct Object {
    Bytes body;
    Timestamp modified;
  };

  class Writer final : public ObjectWriter {
   public:
    Writer(MemoryStore& store, ObjectKey key) : store_(store), key_(std::move(key)) {}
    Status Write(BytesView bytes) override {
      body_ += bytes;
      return {};
    }
    Status Commit() override { return store_.Put(key_, body_); }

   private:
    MemoryStore& store_;
    const ObjectKey key_;
    Bytes body_;
  };

  Result<const Object*> Find(const ObjectKey& key) {
    TRY(CheckKey(key));
    auto found = objects_.find(key);
    if (found == objects_.end()) return Fail(Code::kNotFound, "no object " + Location(key));
    return &found->second;
  }

  static ObjectInfo Info(const ObjectKey& key, const Object& object) {
    return {
        .key = key, .bytes = static_cast<int64_t>(object.body.size()), .modified = object.modified};
  }

  const Clock& clock_;
  std::mutex mutex_;
  std::map<ObjectKey, Object> objects_;
};

}  // namespace

std::unique_ptr<ObjectStore> OpenMemoryStore(const Clock& clock) {
  return std::make_unique<MemoryStore>(clock);
}

}  // namespace weft::objects
