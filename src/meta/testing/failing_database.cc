// SPDX-License-Identifier: Apache-2.0
#include "meta/testing/failing_database.h"

namespace weft::meta {

class FailingDatabase::Wrapped final : public Transaction {
 public:
  Wrapped(FailingDatabase& owner, Transaction& transaction)
      : owner_(owner), transaction_(transaction) {}

  Result<std::vector<Row>> Query(std::string_view sql, const std::vector<Value>& values) override {
    TRY(owner_.Pass(Call::kQuery));
    return transaction_.Query(sql, values);
  }
  Result<int64_t> Execute(std::string_view sql, const std::vector<Value>& values) override {
    TRY(owner_.Pass(Call::kExecute));
    return transaction_.Execute(sql, values);
  }
  void AfterCommit(std::function<void()> then) override {
    transaction_.AfterCommit(std::move(then));
  }
  void AfterRollback(std::function<void()> then) override {
    transaction_.AfterRollback(std::move(then));
  }

 private:
  FailingDatabase& owner_;
  Transaction& transaction_;
};

void FailingDatabase::FailNth(Call call, int nth, Code code) {
  std::lock_guard lock(mutex_);
  call_ = call;
  code_ = code;
  left_ = nth;
}

Status FailingDatabase::Transact(const std::function<Status(Transaction&)>& work) {
  TRY(Pass(Call::kTransact));
  return database_.Transact([&](Transaction& tx) -> Status {
    Wrapped wrapped(*this, tx);
    TRY(work(wrapped));
    return Pass(Call::kCommit);
  });
}

Status FailingDatabase::Read(const std::function<Status(Transaction&)>& work) {
  TRY(Pass(Call::kRead));
  return database_.Read([&](Transaction& tx) -> Status {
    Wrapped wrapped(*this, tx);
    return work(wrapped);
  });
}

Status FailingDatabase::Pass(Call call) {
  std::lock_guard lock(mutex_);
  if (left_ == 0 || (call_ != Call::kAny && call_ != call)) return {};
  if (--left_ > 0) return {};
  return Fail(code_, "a failure made by the test");
}

}  // namespace weft::meta
