// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "meta/database.h"

namespace weft::meta {

// What a module keeps in memory of its tables: an immutable T, made by `load` on first use and anew
// after every commit that changed them, so that reading costs no disk. When making it anew fails,
// there is none until it succeeds: nobody reads what was revoked. Safe to call from any thread.
template <class T>
class Picture {
 public:
  using Load = std::function<Result<std::shared_ptr<const T>>(Transaction&)>;
  Picture(Database& database, Load load) : database_(database), load_(std::move(load)) {}

  Result<std::shared_ptr<const T>> Get() {
    {
      std::lock_guard lock(mutex_);
      if (picture_ != nullptr) return picture_;
    }
    return Reload();
  }

  // To be called by whatever changes the tables, within the transaction: once or often, it is made
  // anew once.
  void ReloadAfter(Transaction& tx) {
    {
      std::lock_guard lock(mutex_);
      if (!changing_.insert(&tx).second) return;
    }
    tx.AfterCommit([this, of = &tx] {
      Ended(of, true);
      (void)Reload().ok();
    });
    tx.AfterRollback([this, of = &tx] { Ended(of, false); });
  }

 private:
  void Ended(const Transaction* tx, bool committed) {
    std::lock_guard lock(mutex_);
    changing_.erase(tx);
    if (!committed) return;
    picture_ = nullptr;
    ++commits_;
  }

  Result<std::shared_ptr<const T>> Reload() {
    for (;;) {
      int64_t commits = 0;
      {
        std::lock_guard lock(mutex_);
        commits = commits_;
      }
      std::shared_ptr<const T> made;
      Status read = database_.Read([&](Transaction& tx) -> Status {
        made = TRY(load_(tx));
        return {};
      });
      TRY(read);
      std::lock_guard lock(mutex_);
      // A commit since then is not in it.
      if (commits != commits_) continue;
      picture_ = made;
      return made;
    }
  }

  Database& database_;
  const Load load_;
  std::mutex mutex_;
  std::shared_ptr<const T> picture_;
  std::set<const Transaction*> changing_;
  int64_t commits_ = 0;
};

}  // namespace weft::meta
