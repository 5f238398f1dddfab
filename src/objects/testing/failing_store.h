// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "objects/object_store.h"

namespace weft::objects {

// Passes all calls on, but for the one it is told to fail. Safe to call from any thread.
class FailingStore final : public ObjectStore {
 public:
  enum class Call {
    kPut,
    kPutIfAbsent,
    kCreate,
    kWrite,
    kCommit,
    kGet,
    kGetRange,
    kHead,
    kDelete,
    kList,
    kAny
  };
  // What a failed Put, PutIfAbsent, Commit or Delete has done all the same: a caller must be ready
  // for both.
  enum class Effect { kNone, kDone };
  explicit FailingStore(ObjectStore& store) : store_(store) {}

  // The `nth` call of the kind from now on (1: the next one) fails with `code`, once.
  void FailNth(Call call, int nth, Code code = Code::kUnavailable, Effect effect = Effect::kNone);
  // Whether that failure is still to come.
  bool armed() const;

  Status Put(const ObjectKey& key, BytesView body) override;
  Status PutIfAbsent(const ObjectKey& key, BytesView body) override;
  Result<std::unique_ptr<ObjectWriter>> Create(const ObjectKey& key) override;
  Result<Bytes> Get(const ObjectKey& key) override;
  Result<Bytes> GetRange(const ObjectKey& key, int64_t offset, int64_t bytes) override;
  Result<ObjectInfo> Head(const ObjectKey& key) override;
  Status Delete(const ObjectKey& key) override;
  Result<std::vector<ObjectInfo>> List(const std::string& bucket, const std::string& prefix,
                                       const std::string& after, int count_max) override;

 private:
  class Writer;
  // Nothing where the call may pass.
  std::optional<Effect> Due(Call call);
  Status Pass(Call call);
  Status Change(Call call, const std::function<Status()>& change);
  Error Failure() const;

  ObjectStore& store_;
  mutable std::mutex mutex_;
  Call call_ = Call::kAny;
  Code code_ = Code::kUnavailable;
  Effect effect_ = Effect::kNone;
  int left_ = 0;
};

}  // namespace weft::objects
