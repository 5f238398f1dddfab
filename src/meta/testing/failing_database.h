// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>

#include "meta/database.h"

namespace weft::meta {

// Passes all calls on, but for the one it is told to fail. Safe to call from any thread.
class FailingDatabase final : public Database {
 public:
  enum class Call {
    kTransact,  // fails before anything is done
    kRead,
    kQuery,  // within either kind of transaction
    kExecute,
    kCommit,  // the work ran, and is rolled back
    kAny,
  };
  explicit FailingDatabase(Database& database) : database_(database) {}

  // The `nth` call of the kind from now on (1: the next one) fails with `code`, once.
  void FailNth(Call call, int nth, Code code = Code::kUnavailable);
  // Whether that failure is still to come.
  bool armed() const { return left_ > 0; }

  Status Transact(const std::function<Status(Transaction&)>& work) override;
  Status Read(const std::function<Status(Transaction&)>& work) override;

 private:
  class Wrapped;
  Status Pass(Call call);

  Database& database_;
  mutable std::mutex mutex_;
  Call call_ = Call::kAny;
  Code code_ = Code::kUnavailable;
  std::atomic<int> left_ = 0;
};

}  // namespace weft::meta
