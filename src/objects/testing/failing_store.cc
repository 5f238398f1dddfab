// SPDX-License-Identifier: Apache-2.0
#include "objects/testing/failing_store.h"

namespace weft::objects {

class FailingStore::Writer final : public ObjectWriter {
 public:
  Writer(FailingStore& owner, std::unique_ptr<ObjectWriter> writer)
      : owner_(owner), writer_(std::move(writer)) {}
  Status Write(BytesView bytes) override {
    TRY(owner_.Pass(Call::kWrite));
    return writer_->Write(bytes);
  }
  Status Commit() override {
    return owner_.Change(Call::kCommit, [&] { return writer_->Commit(); });
  }

 private:
  FailingStore& owner_;
  std::unique_ptr<ObjectWriter> writer_;
};

void FailingStore::FailNth(Call call, int nth, Code code, Effect effect) {
  std::lock_guard lock(mutex_);
  call_ = call;
  code_ = code;
  effect_ = effect;
  left_ = nth;
}

bool FailingStore::armed() const {
  std::lock_guard lock(mutex_);
  return left_ > 0;
}

std::optional<FailingStore::Effect> FailingStore::Due(Call call) {
  std::lock_guard lock(mutex_);
  if (left_ == 0 || (call_ != Call::kAny && call_ != call) || --left_ > 0) return std::nullopt;
  return effect_;
}

Error FailingStore::Failure() const {
  std::lock_guard lock(mutex_);
  return Error(code_, "a failure made by the test");
}

Status FailingStore::Pass(Call call) { return Due(call) ? Fail(Failure()) : Status(); }

Status FailingStore::Change(Call call, const std::function<Status()>& change) {
  const auto due = Due(call);
  if (!due) return change();
  if (*due == Effect::kDone) (void)change().ok();
  return Fail(Failure());
}

Status FailingStore::Put(const ObjectKey& key, BytesView body) {
  return Change(Call::kPut, [&] { return store_.Put(key, body); });
}
Status FailingStore::PutIfAbsent(const ObjectKey& key, BytesView body) {
  return Change(Call::kPutIfAbsent, [&] { return store_.PutIfAbsent(key, body); });
}
Result<std::unique_ptr<ObjectWriter>> FailingStore::Create(const ObjectKey& key) {
  TRY(Pass(Call::kCreate));
  return std::make_unique<Writer>(*this, TRY(store_.Create(key)));
}
Result<Bytes> FailingStore::Get(const ObjectKey& key) {
  TRY(Pass(Call::kGet));
  return store_.Get(key);
}
Result<Bytes> FailingStore::GetRange(const ObjectKey& key, int64_t offset, int64_t bytes) {
  TRY(Pass(Call::kGetRange));
  return store_.GetRange(key, offset, bytes);
}
Result<ObjectInfo> FailingStore::Head(const ObjectKey& key) {
  TRY(Pass(Call::kHead));
  return store_.Head(key);
}
Status FailingStore::Delete(const ObjectKey& key) {
  return Change(Call::kDelete, [&] { return store_.Delete(key); });
}
Result<std::vector<ObjectInfo>> FailingStore::List(const std::string& bucket,
                                                   const std::string& prefix,
                                                   const std::string& after, int count_max) {
  TRY(Pass(Call::kList));
  return store_.List(bucket, prefix, after, count_max);
}

}  // namespace weft::objects
