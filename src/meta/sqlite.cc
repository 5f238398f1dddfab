// SPDX-License-Identifier: Apache-2.0
// One connection writes, several read. The writer's mutex is held until the hooks of a commit have
// run, so that what modules cache follows the order of commits. A database in memory exists within
// one connection only, which then serves both: it is given free before the hooks, since a hook may
// read.
#include "meta/sqlite.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>

#include "base/disk.h"
#include "meta/sqlite_session_internal.h"

namespace weft::meta {
namespace {

constexpr int64_t kApplicationId = 0x57454654;  // "WEFT"
constexpr int64_t kFormat = 1;

// The databases within whose transaction, and within whose hooks, this thread is: a second
// transaction there would wait for the first for ever, so it is refused instead.
thread_local const Database* in_transaction = nullptr;
thread_local const Database* in_hooks = nullptr;

class Mark {
 public:
  Mark(const Database*& place, const Database* database) : place_(place), before_(place) {
    place_ = database;
  }
  ~Mark() { place_ = before_; }
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

 private:
  const Database*& place_;
  const Database* const before_;
};

class SqliteTransaction final : public Transaction {
 public:
  SqliteTransaction(SqliteSession& session, bool writes) : session_(session), writes_(writes) {}

  Result<std::vector<Row>> Query(std::string_view sql, const std::vector<Value>& values) override {
    return session_.Query(sql, values);
  }
  Result<int64_t> Execute(std::string_view sql, const std::vector<Value>& values) override {
    if (!writes_) return Fail(Code::kInternal, fmt::format("a write within Read: {}", sql));
    return session_.Execute(sql, values);
  }
  void AfterCommit(std::function<void()> then) override {
    after_commit_.push_back(std::move(then));
  }
  void AfterRollback(std::function<void()> then) override {
    after_rollback_.push_back(std::move(then));
  }

  void RunHooks(bool committed) {
    for (auto& then : committed ? after_commit_ : after_rollback_) then();
  }

 private:
  SqliteSession& session_;
  const bool writes_;
  std::vector<std::function<void()>> after_commit_, after_rollback_;
};

// Between BEGIN and COMMIT: whatever way it is left, no transaction stays open.
class RollbackUnlessCommitted {
 public:
  explicit RollbackUnlessCommitted(SqliteSession& session) : session_(session) {}
  ~RollbackUnlessCommitted() { session_.Rollback(); }
  RollbackUnlessCommitted(const RollbackUnlessCommitted&) = delete;
  RollbackUnlessCommitted& operator=(const RollbackUnlessCommitted&) = delete;

 private:
  SqliteSession& session_;
};

class SessionPool {
 public:
  void Add(std::unique_ptr<SqliteSession> session) {
    free_.push_back(session.get());
    sessions_.push_back(std::move(session));
  }
  bool empty() const { return sessions_.empty(); }

  // Waits for a free one; it goes back when the pointer does.
  std::unique_ptr<SqliteSession, std::function<void(SqliteSession*)>> Borrow() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return !free_.empty(); });
    SqliteSession* session = free_.back();
    free_.pop_back();
    return {session, [this](SqliteSession* back) {
              {
                std::lock_guard again(mutex_);
                free_.push_back(back);
              }
              returned_.notify_one();
            }};
  }

 private:
  std::vector<std::unique_ptr<SqliteSession>> sessions_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<SqliteSession*> free_;  // under mutex_
};

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(std::unique_ptr<SqliteSession> writer, std::unique_ptr<SessionPool> readers)
      : writer_(std::move(writer)), readers_(std::move(readers)) {}

  Status Transact(const std::function<Status(Transaction&)>& work) override {
    if (in_transaction == this || in_hooks == this) {
      return Fail(Code::kInternal, "Transact within a transaction or its hooks");
    }
    std::lock_guard turn(writing_);
    SqliteTransaction transaction(*writer_, true);
    Status done = Run(*writer_, "BEGIN IMMEDIATE", transaction, work);
    Mark mark(in_hooks, this);
    transaction.RunHooks(done.ok());
    return done;
  }

  Status Read(const std::function<Status(Transaction&)>& work) override {
    if (in_transaction == this) return Fail(Code::kInternal, "Read within a transaction");
    if (readers_->empty()) {
      SqliteTransaction transaction(*writer_, false);
      Status done = Run(*writer_, "BEGIN", transaction, work);
      transaction.RunHooks(done.ok());
      return done;
    }
    auto session = readers_->Borrow();
    SqliteTransaction transaction(*session, false);
    Status done = Run(*session, "BEGIN", transaction, work);
    transaction.RunHooks(done.ok());
    return done;
  }

 private:
  Status Run(SqliteSession& session, std::string_view begin, SqliteTransaction& transaction,
             const std::function<Status(Transaction&)>& work) {
    std::unique_lock only(shared_session_, std::defer_lock);
    if (readers_->empty()) only.lock();
    Mark mark(in_transaction, this);
    RollbackUnlessCommitted guard(session);
    (void)TRY(session.Execute(begin, {}));
    TRY(work(transaction));
    (void)TRY(session.Execute("COMMIT", {}));
    return {};
  }

  const std::unique_ptr<SqliteSession> writer_;
  const std::unique_ptr<SessionPool> readers_;  // empty: in memory, writer_ reads too
  std::mutex writing_;                          // one Transact at a time, its hooks included
  std::mutex shared_session_;                   // writer_, where it reads too
};

// SQLite would make it readable by others.
Status MakeFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return Fail(SystemError("open " + path, errno));
  close(descriptor);
  return SystemDisk().SyncFolder(FolderOf(path));
}

Result<int64_t> Pragma(SqliteSession& session, const std::string& name) {
  auto rows = TRY(session.Query("PRAGMA " + name, {}));
  if (rows.empty()) return Fail(Code::kInternal, "no answer to PRAGMA " + name);
  return rows.front().integer(0);
}

// Knows the file for one of ours, or makes it one.
Status CheckFormat(SqliteSession& session, const std::string& path) {
  const int64_t application = TRY(Pragma(session, "application_id"));
  const int64_t format = TRY(Pragma(session, "user_version"));
  if (application == kApplicationId && format > kFormat) {
    return Fail(Code::kNotOffered,
                fmt::format("{} was written by a newer Weft: its format is {}, this one knows {}",
                            path, format, kFormat));
  }
  if (application == kApplicationId && format == kFormat) return {};
  auto tables = TRY(session.Query("SELECT count(*) FROM sqlite_master", {}));
  if (tables.front().integer(0) != 0 || (application != 0 && application != kApplicationId)) {
    return Fail(Code::kInvalid, fmt::format("{} is a database, but not one of Weft's", path));
  }
  (void)TRY(session.Execute("BEGIN IMMEDIATE", {}));
  Status made = [&]() -> Status {
    (void)TRY(session.Execute(fmt::format("PRAGMA application_id = {}", kApplicationId), {}));
    (void)TRY(session.Execute(fmt::format("PRAGMA user_version = {}", kFormat), {}));
    (void)TRY(session.Execute("COMMIT", {}));
    return {};
  }();
  session.Rollback();
  return made;
}

Result<std::unique_ptr<SqliteSession>> OpenSession(const std::string& path) {
  auto session = TRY(SqliteSession::Open(path));
  (void)TRY(session->Execute("PRAGMA foreign_keys = ON", {}));
  (void)TRY(session->Execute("PRAGMA synchronous = FULL", {}));
  (void)TRY(session->Execute("PRAGMA trusted_schema = OFF", {}));
  return session;
}

}  // namespace

Result<std::unique_ptr<Database>> OpenSqlite(const SqliteOptions& options) {
  if (options.readers < 1) return Fail(Code::kInvalid, "a database needs one reader at least");
  if (!options.path.empty()) TRY(MakeFile(options.path));
  auto writer = TRY(OpenSession(options.path));
  auto readers = std::make_unique<SessionPool>();
  if (!options.path.empty()) {
    (void)TRY(writer->Execute("PRAGMA journal_mode = WAL", {}));
    (void)TRY(writer->Execute("PRAGMA journal_size_limit = 67108864", {}));
  }
  TRY(CheckFormat(*writer, options.path));
  for (int i = 0; i < options.readers && !options.path.empty(); ++i) {
    auto reader = TRY(OpenSession(options.path));
    (void)TRY(reader->Execute("PRAGMA query_only = ON", {}));
    readers->Add(std::move(reader));
  }
  return std::make_unique<SqliteDatabase>(std::move(writer), std::move(readers));
}

}  // namespace weft::meta
