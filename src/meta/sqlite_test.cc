// SPDX-License-Identifier: Apache-2.0
#include "meta/sqlite.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "meta/testing/database_contract.h"
#include "meta/testing/failing_database.h"

namespace weft::meta {
namespace {

std::string Folder() {
  std::string pattern = testing::TempDir() + "weft meta XXXXXX";  // blanks are in a path's nature
  return std::string(mkdtemp(pattern.data()));
}

std::unique_ptr<Database> Open(const std::string& path) {
  auto database = OpenSqlite({.path = path});
  EXPECT_TRUE(database.ok()) << database.error().message();
  return database.ok() ? std::move(*database) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(SqliteFile, DatabaseContract,
                         testing::Values([] { return Open(Folder() + "/meta=1.db"); }));
INSTANTIATE_TEST_SUITE_P(SqliteInMemory, DatabaseContract,
                         testing::Values([] { return Open(""); }));

Status Execute(Database& database, std::string_view sql) {
  return database.Transact([&](Transaction& tx) -> Status {
    (void)TRY(tx.Execute(sql));
    return {};
  });
}

int64_t Number(Database& database, std::string_view sql) {
  int64_t number = -1;
  Status done = database.Read([&](Transaction& tx) -> Status {
    number = TRY(tx.Query(sql)).at(0).integer(0);
    return {};
  });
  EXPECT_TRUE(done.ok()) << done.error().message();
  return number;
}

TEST(Sqlite, KeepsWhatWasCommittedAndIsItsOwnersAlone) {
  const std::string path = Folder() + "/m.db";
  {
    auto database = Open(path);
    ASSERT_TRUE(Execute(*database, "CREATE TABLE t (k INTEGER)").ok());
    ASSERT_TRUE(Execute(*database, "INSERT INTO t (k) VALUES (5)").ok());
  }
  auto database = Open(path);
  EXPECT_EQ(Number(*database, "SELECT k FROM t"), 5);
  EXPECT_EQ(Number(*database, "PRAGMA synchronous"), 2);
  EXPECT_EQ(Number(*database, "PRAGMA foreign_keys"), 1);
  EXPECT_EQ(Number(*database, "PRAGMA busy_timeout"), 10'000);
  struct stat status {};
  for (const char* suffix : {"", "-wal", "-shm"}) {
    ASSERT_EQ(stat((path + suffix).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 077, 0U) << suffix;
  }
}

TEST(Sqlite, ASecondProcessWaitsItsTurnAndSeesTheCommit) {
  const std::string path = Folder() + "/m.db";
  auto one = Open(path), two = Open(path);
  ASSERT_TRUE(Execute(*one, "CREATE TABLE t (k INTEGER)").ok());
  ASSERT_TRUE(Execute(*two, "INSERT INTO t (k) VALUES (1)").ok());
  EXPECT_EQ(Number(*one, "SELECT count(*) FROM t"), 1);
}

TEST(Sqlite, AFullDiskIsUnavailableAndLosesNothing) {
  const std::string path = Folder() + "/m.db";
  auto database = Open(path);
  ASSERT_TRUE(Execute(*database, "CREATE TABLE t (v TEXT)").ok());
  ASSERT_TRUE(Execute(*database, "INSERT INTO t (v) VALUES ('kept')").ok());
  ASSERT_TRUE(database
                  ->Transact([](Transaction& tx) -> Status {
                    (void)TRY(tx.Query("PRAGMA max_page_count = 4"));
                    return {};
                  })
                  .ok());
  Status full = database->Transact([](Transaction& tx) -> Status {
    (void)TRY(tx.Execute("INSERT INTO t (v) VALUES (:1)", {std::string(1 << 20, 'x')}));
    return {};
  });
  EXPECT_EQ(full.error().code(), Code::kUnavailable) << full.error().message();
  EXPECT_EQ(Number(*database, "SELECT count(*) FROM t"), 1);
  EXPECT_TRUE(Execute(*database, "UPDATE t SET v = 'more'").ok());
}

TEST(Sqlite, RefusesWhatIsNotItsOwn) {
  const std::string folder = Folder();
  std::ofstream(folder + "/text.db") << std::string(8192, 'x');
  EXPECT_EQ(OpenSqlite({.path = folder + "/text.db"}).error().code(), Code::kCorrupt);
  EXPECT_EQ(OpenSqlite({.path = folder + "/none/m.db"}).error().code(), Code::kNotFound);
  EXPECT_EQ(OpenSqlite({.path = folder + "/a\"b.db"}).error().code(), Code::kInvalid);

  auto database = Open(folder + "/newer.db");
  ASSERT_TRUE(Execute(*database, "PRAGMA user_version = 2").ok());
  database.reset();
  EXPECT_EQ(OpenSqlite({.path = folder + "/newer.db"}).error().code(), Code::kNotOffered);

  database = Open(folder + "/other.db");
  ASSERT_TRUE(Execute(*database, "CREATE TABLE t (k INTEGER)").ok());
  ASSERT_TRUE(Execute(*database, "PRAGMA application_id = 0").ok());
  database.reset();
  EXPECT_EQ(OpenSqlite({.path = folder + "/other.db"}).error().code(), Code::kInvalid);
}

TEST(Sqlite, DamageIsCorrupt) {
  const std::string path = Folder() + "/m.db";
  auto database = Open(path);
  ASSERT_TRUE(Execute(*database, "CREATE TABLE t (v TEXT)").ok());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(
        Execute(*database, "INSERT INTO t (v) VALUES ('" + std::string(4000, 'x') + "')").ok());
  }
  database.reset();
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(20000, '\xee');
  file.close();
  auto damaged = OpenSqlite({.path = path});
  ASSERT_TRUE(damaged.ok());
  Status read = (*damaged)->Read([](Transaction& tx) -> Status {
    (void)TRY(tx.Query("SELECT v FROM t"));
    return {};
  });
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), Code::kCorrupt) << read.error().message();
}

TEST(Sqlite, AWorkThatThrowsLeavesNoTransactionOpen) {
  auto database = Open("");
  ASSERT_TRUE(Execute(*database, "CREATE TABLE t (k INTEGER)").ok());
  EXPECT_THROW((void)database->Transact([](Transaction& tx) -> Status {
    (void)tx.Execute("INSERT INTO t (k) VALUES (1)").ok();
    throw std::bad_alloc();
  }),
               std::bad_alloc);
  EXPECT_TRUE(Execute(*database, "INSERT INTO t (k) VALUES (2)").ok());
  EXPECT_EQ(Number(*database, "SELECT count(*) FROM t"), 1);
}

TEST(FailingDatabase, FailsTheNthCallAndRollsBack) {
  auto database = Open("");
  ASSERT_TRUE(Execute(*database, "CREATE TABLE t (k INTEGER)").ok());
  FailingDatabase failing(*database);
  using Call = FailingDatabase::Call;
  for (Call call : {Call::kTransact, Call::kExecute, Call::kCommit}) {
    failing.FailNth(call, 2);
    EXPECT_TRUE(Execute(failing, "INSERT INTO t (k) VALUES (1)").ok());
    EXPECT_TRUE(failing.armed());
    EXPECT_EQ(Execute(failing, "INSERT INTO t (k) VALUES (2)").error().code(), Code::kUnavailable);
    EXPECT_FALSE(failing.armed());
  }
  EXPECT_TRUE(Execute(failing, "INSERT INTO t (k) VALUES (1)").ok());
  EXPECT_EQ(Number(*database, "SELECT count(*) FROM t WHERE k = 1"), 4);
  EXPECT_EQ(Number(*database, "SELECT count(*) FROM t"), 4);
}

}  // namespace
}  // namespace weft::meta
