// SPDX-License-Identifier: Apache-2.0
#include "meta/testing/database_contract.h"

#include <atomic>
#include <limits>
#include <thread>

namespace weft::meta {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DatabaseContract);

bool LinkDatabaseContract() { return true; }

void DatabaseContract::SetUp() {
  database_ = GetParam()();
  ASSERT_NE(database_, nullptr);
  ASSERT_TRUE(Run("CREATE TABLE t (k INTEGER NOT NULL PRIMARY KEY, v TEXT)").ok());
}

Status DatabaseContract::Run(std::string_view sql, const std::vector<Value>& values) {
  return db().Transact([&](Transaction& tx) -> Status {
    (void)TRY(tx.Execute(sql, values));
    return {};
  });
}

Result<std::vector<Row>> DatabaseContract::Ask(std::string_view sql,
                                               const std::vector<Value>& values) {
  std::vector<Row> rows;
  Status done = db().Read([&](Transaction& tx) -> Status {
    rows = TRY(tx.Query(sql, values));
    return {};
  });
  TRY(done);
  return rows;
}

int64_t DatabaseContract::Count() {
  auto rows = Ask("SELECT count(*) FROM t");
  return rows.ok() && rows->size() == 1 ? rows->front().integer(0) : -1;
}

TEST_P(DatabaseContract, GivesBackEveryValueAsItWas) {
  const std::string odd = std::string("a\0b", 3) + "'\"; DROP TABLE t; \xc3\xa9 :1";
  const int64_t low = std::numeric_limits<int64_t>::min(),
                high = std::numeric_limits<int64_t>::max();
  ASSERT_TRUE(Run("INSERT INTO t (k, v) VALUES (:1, :2)", {low, odd}).ok());
  ASSERT_TRUE(Run("INSERT INTO t (k, v) VALUES (:1, :2)", {high, std::string()}).ok());
  ASSERT_TRUE(Run("INSERT INTO t (k, v) VALUES (:1, :2)", {int64_t{0}, std::monostate()}).ok());
  auto rows = Ask("SELECT k, v FROM t ORDER BY k");
  ASSERT_TRUE(rows.ok()) << rows.error().message();
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_EQ((*rows)[0].integer(0), low);
  EXPECT_EQ((*rows)[0].text(1), odd);
  EXPECT_TRUE((*rows)[1].null(1));
  EXPECT_EQ((*rows)[1].text_or_empty(1), "");
  EXPECT_EQ((*rows)[2].integer(0), high);
  EXPECT_FALSE((*rows)[2].null(1));
  EXPECT_EQ((*rows)[2].text(1), "");
}

TEST_P(DatabaseContract, HoldsLargeTexts) {
  const std::string large(std::size_t{4} << 20, 'x');
  ASSERT_TRUE(Run("INSERT INTO t (k, v) VALUES (1, :1)", {large}).ok());
  auto rows = Ask("SELECT v FROM t");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->front().text(0), large);
}

TEST_P(DatabaseContract, ExpressionsHaveTheirOwnTypes) {
  auto empty = Ask("SELECT count(*), sum(k), max(v), COALESCE(max(k), 0) FROM t");
  ASSERT_TRUE(empty.ok()) << empty.error().message();
  EXPECT_EQ(empty->front().integer(0), 0);
  EXPECT_TRUE(empty->front().null(1));
  EXPECT_TRUE(empty->front().null(2));
  EXPECT_EQ(empty->front().integer(3), 0);
  const int64_t large = int64_t{1} << 40;
  ASSERT_TRUE(Run("INSERT INTO t (k, v) VALUES (:1, 'a')", {large}).ok());
  ASSERT_TRUE(Run("INSERT INTO t (k, v) VALUES (:1, '17')", {large + 1}).ok());
  auto full =
      Ask("SELECT count(*), CAST(sum(k) AS INTEGER), max(v), COALESCE(max(k), 0), k + 1, v || 'z', "
          "'lit' "
          "FROM t GROUP BY k, v ORDER BY k DESC");
  ASSERT_TRUE(full.ok()) << full.error().message();
  const Row& row = full->front();
  EXPECT_EQ(row.integer(0), 1);
  EXPECT_EQ(row.integer(1), large + 1);
  EXPECT_EQ(row.text(2), "17");
  EXPECT_EQ(row.integer(3), large + 1);
  EXPECT_EQ(row.integer(4), large + 2);
  EXPECT_EQ(row.text(5), "17z");
  EXPECT_EQ(row.text(6), "lit");
}

TEST_P(DatabaseContract, TheSameStatementTakesOtherTypesNextTime) {
  const char* sql = "INSERT INTO t (k, v) VALUES (:1, :2)";
  for (int64_t k = 0; k < 3; ++k) {
    ASSERT_TRUE(Run(sql, {k, k == 1 ? Value(std::monostate()) : Value("v")}).ok());
  }
  auto rows = Ask("SELECT v FROM t ORDER BY k");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ((*rows)[0].text(0), "v");
  EXPECT_TRUE((*rows)[1].null(0));
  EXPECT_EQ((*rows)[2].text(0), "v");
}

TEST_P(DatabaseContract, CountsTheRowsChanged) {
  ASSERT_TRUE(
      db().Transact([&](Transaction& tx) -> Status {
            EXPECT_EQ(*tx.Execute("INSERT INTO t (k, v) VALUES (1, 'a')"), 1);
            EXPECT_EQ(*tx.Execute("INSERT INTO t (k, v) VALUES (2, 'a')"), 1);
            EXPECT_EQ(*tx.Execute("CREATE TABLE other (k INTEGER)"), 0);
            EXPECT_EQ(*tx.Execute("UPDATE t SET v = 'b'"), 2);
            EXPECT_EQ(*tx.Execute("DELETE FROM t WHERE k = 9"), 0);
            EXPECT_EQ(*tx.Execute("INSERT INTO t (k, v) VALUES (2, 'c') ON CONFLICT (k) DO UPDATE "
                                  "SET v = excluded.v"),
                      1);
            EXPECT_EQ(
                *tx.Execute("INSERT INTO t (k, v) VALUES (2, 'c') ON CONFLICT (k) DO NOTHING"), 0);
            return {};
          })
          .ok());
}

TEST_P(DatabaseContract, RollsBackWhatFails) {
  Status done = db().Transact([&](Transaction& tx) -> Status {
    (void)TRY(tx.Execute("INSERT INTO t (k) VALUES (1)"));
    return Fail(Code::kConflict, "no");
  });
  EXPECT_EQ(done.error().code(), Code::kConflict);
  EXPECT_EQ(done.error().message(), "no");
  EXPECT_EQ(Count(), 0);
  ASSERT_TRUE(Run("INSERT INTO t (k) VALUES (1)").ok());
}

TEST_P(DatabaseContract, ATakenKeyIsKExistsAndTheTransactionMayGoOn) {
  ASSERT_TRUE(db().Transact([&](Transaction& tx) -> Status {
                    (void)TRY(tx.Execute("CREATE TABLE u (a TEXT NOT NULL UNIQUE)"));
                    (void)TRY(tx.Execute("INSERT INTO u (a) VALUES ('x')"));
                    return {};
                  })
                  .ok());
  EXPECT_EQ(Run("INSERT INTO u (a) VALUES ('x')").error().code(), Code::kExists);
  ASSERT_TRUE(Run("INSERT INTO t (k) VALUES (1)").ok());
  EXPECT_EQ(Run("INSERT INTO t (k) VALUES (1)").error().code(), Code::kExists);
}

TEST_P(DatabaseContract, OtherRulesHaveOtherCodes) {
  ASSERT_TRUE(Run("CREATE TABLE c (k INTEGER NOT NULL REFERENCES t (k))").ok());
  EXPECT_EQ(Run("INSERT INTO c (k) VALUES (7)").error().code(), Code::kConflict);
  EXPECT_EQ(Run("INSERT INTO c (k) VALUES (:1)", {std::monostate()}).error().code(),
            Code::kInvalid);
}

TEST_P(DatabaseContract, WrongUseIsToldApart) {
  EXPECT_EQ(Run("SELEC 1").error().code(), Code::kInternal);
  EXPECT_EQ(Run("INSERT INTO t (k) VALUES (:1)").error().code(), Code::kInternal);
  EXPECT_EQ(Run("INSERT INTO t (k) VALUES (1)", {int64_t{1}}).error().code(), Code::kInternal);
  EXPECT_EQ(Run("INSERT INTO t (k) VALUES (1); DELETE FROM t").error().code(), Code::kInternal);
  EXPECT_EQ(Ask("INSERT INTO t (k) VALUES (1)").error().code(), Code::kInternal);
  Status wrote = db().Read([&](Transaction& tx) -> Status {
    (void)TRY(tx.Execute("INSERT INTO t (k) VALUES (1)"));
    return {};
  });
  EXPECT_EQ(wrote.error().code(), Code::kInternal);
  EXPECT_EQ(Count(), 0);
}

TEST_P(DatabaseContract, NestingIsRefusedRatherThanWaitedFor) {
  Status inner_write, inner_read;
  ASSERT_TRUE(db().Transact([&](Transaction&) -> Status {
                    inner_write = db().Transact([](Transaction&) -> Status { return {}; });
                    inner_read = db().Read([](Transaction&) -> Status { return {}; });
                    return {};
                  })
                  .ok());
  EXPECT_EQ(inner_write.error().code(), Code::kInternal);
  EXPECT_EQ(inner_read.error().code(), Code::kInternal);
}

TEST_P(DatabaseContract, HooksFollowTheCommitAndSeeIt) {
  std::vector<std::string> ran;
  ASSERT_TRUE(db().Transact([&](Transaction& tx) -> Status {
                    tx.AfterCommit([&] { ran.push_back("first of " + std::to_string(Count())); });
                    tx.AfterCommit([&] { ran.push_back("second"); });
                    tx.AfterRollback([&] { ran.push_back("rollback"); });
                    (void)TRY(tx.Execute("INSERT INTO t (k) VALUES (1)"));
                    EXPECT_TRUE(ran.empty());
                    return {};
                  })
                  .ok());
  EXPECT_THAT(ran, testing::ElementsAre("first of 1", "second"));
  ran.clear();
  EXPECT_FALSE(db().Transact([&](Transaction& tx) -> Status {
                     tx.AfterCommit([&] { ran.push_back("commit"); });
                     tx.AfterRollback([&] { ran.push_back("rollback"); });
                     return Fail(Code::kInvalid, "no");
                   })
                   .ok());
  EXPECT_THAT(ran, testing::ElementsAre("rollback"));
}

TEST_P(DatabaseContract, AReadSeesOneStateThroughout) {
  if (!db().Read([](Transaction&) -> Status { return {}; }).ok()) FAIL();
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int64_t k = 0; !stop; k += 2) {
      EXPECT_TRUE(db().Transact([&](Transaction& tx) -> Status {
                        (void)TRY(tx.Execute("INSERT INTO t (k) VALUES (:1)", {k}));
                        (void)TRY(tx.Execute("INSERT INTO t (k) VALUES (:1)", {k + 1}));
                        return {};
                      })
                      .ok());
    }
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(db().Read([&](Transaction& tx) -> Status {
                      auto first = TRY(tx.Query("SELECT count(*) FROM t")).front().integer(0);
                      EXPECT_EQ(first % 2, 0);
                      std::this_thread::yield();
                      EXPECT_EQ(TRY(tx.Query("SELECT count(*) FROM t")).front().integer(0), first);
                      return {};
                    })
                    .ok());
  }
  stop = true;
  writer.join();
}

TEST_P(DatabaseContract, WritersOfManyThreadsWaitForEachOther) {
  ASSERT_TRUE(Run("INSERT INTO t (k, v) VALUES (1, '0')").ok());
  std::vector<std::thread> threads;
  std::atomic<int> last_seen = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) {
        Status done = db().Transact([&](Transaction& tx) -> Status {
          int now = std::stoi(TRY(tx.Query("SELECT v FROM t WHERE k = 1")).front().text(0));
          (void)TRY(tx.Execute("UPDATE t SET v = :1 WHERE k = 1", {std::to_string(now + 1)}));
          // Hooks run in the order of the commits.
          tx.AfterCommit([&, now] { EXPECT_EQ(last_seen.exchange(now + 1), now); });
          return {};
        });
        EXPECT_TRUE(done.ok()) << done.error().message();
        EXPECT_EQ(Count(), 1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(Ask("SELECT v FROM t")->front().text(0), "160");
}

TEST_P(DatabaseContract, MigratesOnceAndRefusesWhatIsNewer) {
  std::vector<std::string> steps = {"CREATE TABLE a (k INTEGER)"};
  ASSERT_TRUE(Migrate(db(), "one", steps).ok());
  ASSERT_TRUE(Migrate(db(), "one", steps).ok());
  steps.push_back("INSERT INTO a (k) VALUES (7)");
  ASSERT_TRUE(Migrate(db(), "one", steps).ok());
  ASSERT_TRUE(Migrate(db(), "one", steps).ok());
  ASSERT_TRUE(Migrate(db(), "two", {"CREATE TABLE b (k INTEGER)"}).ok());
  EXPECT_EQ(Ask("SELECT count(*) FROM a")->front().integer(0), 1);
  steps.pop_back();
  EXPECT_EQ(Migrate(db(), "one", steps).error().code(), Code::kNotOffered);
}

TEST_P(DatabaseContract, AMigrationThatFailsLeavesNothing) {
  EXPECT_FALSE(Migrate(db(), "one", {"CREATE TABLE a (k INTEGER)", "NONSENSE"}).ok());
  EXPECT_FALSE(Ask("SELECT count(*) FROM a").ok());
  EXPECT_TRUE(Migrate(db(), "one", {"CREATE TABLE a (k INTEGER)"}).ok());
}

}  // namespace weft::meta
