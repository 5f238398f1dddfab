// SPDX-License-Identifier: Apache-2.0
#include "catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "meta/sqlite.h"
#include "meta/testing/failing_database.h"

namespace weft::catalog {
namespace {

using meta::FailingDatabase;
using testing::ElementsAre;
using testing::Pair;

class CatalogTest : public testing::Test {
 protected:
  CatalogTest() {
    EXPECT_TRUE(meta::Migrate(*database_, "catalog", Catalog::Migrations()).ok());
    catalog_ = std::make_unique<Catalog>(failing_);
  }

  template <class Work>
  Status Do(Work work) {
    return failing_.Transact([&](meta::Transaction& tx) -> Status { return work(tx); });
  }
  Result<Table> Create(const TableName& name, const AccountId& account,
                       const Positions& positions = {}) {
    Table table;
    Status done = Do([&](meta::Transaction& tx) -> Status {
      table =
          TRY(catalog_->Create(tx, name, account, "s3://bucket/" + name.text(), "v0", positions));
      return {};
    });
    TRY(done);
    return table;
  }
  Status Advance(int64_t id, const std::string& from, const std::string& to,
                 const Positions& positions = {}) {
    return Do(
        [&](meta::Transaction& tx) { return catalog_->Advance(tx, id, from, to, positions); });
  }
  Status Drop(const TableName& name) {
    return Do([&](meta::Transaction& tx) { return catalog_->Drop(tx, name); });
  }
  Status Purge(const TableName& name, const AccountId& account) {
    return Do([&](meta::Transaction& tx) { return catalog_->Purge(tx, name, account); });
  }
  Result<std::optional<Table>> Undrop(const TableName& name, const AccountId& account) {
    std::optional<Table> table;
    Status done = Do([&](meta::Transaction& tx) -> Status {
      table = TRY(catalog_->Undrop(tx, name, account));
      return {};
    });
    TRY(done);
    return table;
  }
  // As a new process would see it.
  TableState Stored(const TableName& name) {
    auto state = Catalog(*database_).Find(name);
    EXPECT_TRUE(state.ok());
    return state.ok() ? *state : TableState();
  }

  const AccountId sales_{"111111111111"}, marketing_{"222222222222"};
  const TableName orders_{"sales", "orders"};
  std::unique_ptr<meta::Database> database_ = *meta::OpenSqlite({.path = ""});
  FailingDatabase failing_{*database_};
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(CatalogTest, CreatesAndFinds) {
  auto made = Create(orders_, sales_, {{0, 5}, {1, -1}});
  ASSERT_TRUE(made.ok()) << made.error().message();
  auto found = catalog_->Find(orders_);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->table.id, made->id);
  EXPECT_EQ(found->table.account, sales_);
  EXPECT_EQ(found->table.location, "s3://bucket/sales.orders");
  EXPECT_EQ(found->table.metadata_location, "v0");
  EXPECT_THAT(found->positions, ElementsAre(Pair(0, 5), Pair(1, -1)));
  EXPECT_EQ(catalog_->FindById(made->id)->table.name, orders_);
  EXPECT_EQ(catalog_->Find({"sales", "nothing"}).error().code(), Code::kNotFound);
  EXPECT_EQ(catalog_->FindById(made->id + 1).error().code(), Code::kNotFound);
}

TEST_F(CatalogTest, ANameIsTakenOnce) {
  ASSERT_TRUE(Create(orders_, sales_).ok());
  EXPECT_EQ(Create(orders_, sales_).error().code(), Code::kExists);
}

TEST_F(CatalogTest, ADatabaseBelongsToOneAccountUntilItsLastTableIsGone) {
  ASSERT_TRUE(Create(orders_, sales_).ok());
  EXPECT_EQ(Create({"sales", "leads"}, marketing_).error().code(), Code::kDenied);
  ASSERT_TRUE(Drop(orders_).ok());
  EXPECT_EQ(Create({"sales", "leads"}, marketing_).error().code(), Code::kDenied);
  ASSERT_TRUE(Purge(orders_, sales_).ok());
  EXPECT_TRUE(Create({"sales", "leads"}, marketing_).ok());
}

TEST_F(CatalogTest, RefusesNamesThatAreNone) {
  for (const char* name : {"", "a.b", "a/b", "a b", "a\"b", "a\nb"}) {
    EXPECT_EQ(Create({"sales", name}, sales_).error().code(), Code::kInvalid) << name;
    EXPECT_EQ(Create({name, "orders"}, sales_).error().code(), Code::kInvalid) << name;
  }
  EXPECT_EQ(ParseTableName("sales.orders")->table, "orders");
  for (const char* text : {"", ".", "orders", "sales.", ".orders", "a.b.c"}) {
    EXPECT_EQ(ParseTableName(text).error().code(), Code::kInvalid) << text;
  }
}

TEST_F(CatalogTest, AdvanceMovesPointerAndPositionsTogether) {
  const int64_t id = Create(orders_, sales_, {{0, 1}})->id;
  ASSERT_TRUE(Advance(id, "v0", "v1", {{0, 10}, {1, 3}}).ok());
  for (const TableState& state : {*catalog_->Find(orders_), Stored(orders_)}) {
    EXPECT_EQ(state.table.metadata_location, "v1");
    EXPECT_EQ(state.table.version, 1);
    EXPECT_THAT(state.positions, ElementsAre(Pair(0, 10), Pair(1, 3)));
  }
  EXPECT_EQ(Advance(id, "v0", "v2", {{0, 11}}).error().code(), Code::kConflict);
  EXPECT_EQ(Advance(id + 1, "v0", "v2").error().code(), Code::kNotFound);
  EXPECT_EQ(Advance(id, "v1", "v2", {{0, 20}, {1, 2}}).error().code(), Code::kConflict);
  EXPECT_EQ(Stored(orders_).table.metadata_location, "v1");
  EXPECT_THAT(Stored(orders_).positions, ElementsAre(Pair(0, 10), Pair(1, 3)));
  EXPECT_THAT(catalog_->Find(orders_)->positions, ElementsAre(Pair(0, 10), Pair(1, 3)));
}

TEST_F(CatalogTest, PositionsMoveAlone) {
  const int64_t id = Create(orders_, sales_, {{0, 1}})->id;
  auto move = [&](const Positions& to) {
    return Do([&](meta::Transaction& tx) { return catalog_->AdvancePositions(tx, id, to); });
  };
  ASSERT_TRUE(move({{0, 7}}).ok());
  EXPECT_EQ(move({{0, 6}}).error().code(), Code::kConflict);
  EXPECT_TRUE(move({{0, 7}}).ok());
  EXPECT_EQ(catalog_->Find(orders_)->table.version, 0);
  EXPECT_THAT(catalog_->Find(orders_)->positions, ElementsAre(Pair(0, 7)));
  EXPECT_THAT(Stored(orders_).positions, ElementsAre(Pair(0, 7)));
}

TEST_F(CatalogTest, ADroppedTableIsHiddenAndComesBackAsItWas) {
  const int64_t id = Create(orders_, sales_)->id;
  ASSERT_TRUE(Advance(id, "v0", "v1", {{0, 10}}).ok());
  ASSERT_TRUE(Drop(orders_).ok());
  EXPECT_EQ(catalog_->Find(orders_).error().code(), Code::kNotFound);
  EXPECT_EQ(catalog_->FindById(id).error().code(), Code::kNotFound);
  EXPECT_TRUE(catalog_->Tables().empty());
  EXPECT_EQ(Drop(orders_).error().code(), Code::kNotFound);
  EXPECT_EQ(Advance(id, "v1", "v2").error().code(), Code::kNotFound);
  EXPECT_EQ(Create(orders_, sales_).error().code(), Code::kExists);
  EXPECT_FALSE(Undrop(orders_, marketing_)->has_value());
  auto back = Undrop(orders_, sales_);
  ASSERT_TRUE(back.ok() && back->has_value());
  EXPECT_EQ((*back)->id, id);
  EXPECT_FALSE(Undrop(orders_, sales_)->has_value());
  EXPECT_EQ(catalog_->Find(orders_)->table.metadata_location, "v1");
  EXPECT_THAT(catalog_->Find(orders_)->positions, ElementsAre(Pair(0, 10)));
}

TEST_F(CatalogTest, APurgedTableIsGoneAndItsIdIsNotUsedAgain) {
  const int64_t id = Create(orders_, sales_, {{0, 9}})->id;
  EXPECT_EQ(Purge(orders_, marketing_).error().code(), Code::kNotFound);
  ASSERT_TRUE(Purge(orders_, sales_).ok());
  EXPECT_EQ(Purge(orders_, sales_).error().code(), Code::kNotFound);
  auto again = Create(orders_, sales_);
  ASSERT_TRUE(again.ok());
  EXPECT_GT(again->id, id);
  EXPECT_TRUE(catalog_->Find(orders_)->positions.empty());
}

TEST_F(CatalogTest, ListsByName) {
  ASSERT_TRUE(Create({"b", "a"}, sales_).ok());
  ASSERT_TRUE(Create({"a", "z"}, sales_).ok());
  ASSERT_TRUE(Create({"a", "b"}, sales_).ok());
  std::vector<std::string> names;
  for (const Table& table : catalog_->Tables()) names.push_back(table.name.text());
  EXPECT_THAT(names, ElementsAre("a.b", "a.z", "b.a"));
}

TEST_F(CatalogTest, NothingShowsBeforeTheCommitNorAfterARollback) {
  const int64_t id = Create(orders_, sales_)->id;
  Status done = Do([&](meta::Transaction& tx) -> Status {
    TRY(catalog_->Advance(tx, id, "v0", "v1", {{0, 3}}));
    TRY(catalog_->Advance(tx, id, "v1", "v2", {{0, 4}}));
    (void)TRY(catalog_->Create(tx, {"sales", "other"}, sales_, "l", "m", {}));
    EXPECT_EQ(catalog_->Find(orders_)->table.metadata_location, "v0");
    return Fail(Code::kInvalid, "no");
  });
  EXPECT_EQ(done.error().code(), Code::kInvalid);
  EXPECT_EQ(catalog_->Find(orders_)->table.metadata_location, "v0");
  EXPECT_EQ(catalog_->Tables().size(), 1U);
}

TEST_F(CatalogTest, WhereverTheDatabaseFailsPictureAndDatabaseAgree) {
  const int64_t id = Create(orders_, sales_)->id;
  std::string at = "v0";
  int failed = 0;
  for (int nth = 1;; ++nth) {
    failing_.FailNth(FailingDatabase::Call::kAny, nth);
    const std::string next = "n" + std::to_string(nth);
    Status done = Do([&](meta::Transaction& tx) -> Status {
      TRY(catalog_->Advance(tx, id, at, next, {{0, nth}}));
      (void)TRY(catalog_->Create(tx, {"sales", "t" + std::to_string(nth)}, sales_, "l", "m", {}));
      return {};
    });
    const bool spared = failing_.armed();
    failing_.FailNth(FailingDatabase::Call::kAny, 0);
    if (done.ok()) at = next;
    failed += done.ok() ? 0 : 1;
    EXPECT_EQ(catalog_->Find(orders_)->table.metadata_location, at) << nth;
    EXPECT_EQ(Stored(orders_).table.metadata_location, at) << nth;
    EXPECT_EQ(catalog_->Find({"sales", "t" + std::to_string(nth)}).ok(), done.ok()) << nth;
    if (spared) break;
  }
  EXPECT_GT(failed, 8);
}

TEST_F(CatalogTest, ReadersSeePointerAndPositionsOfOneMoment) {
  const int64_t id = Create(orders_, sales_, {{0, 0}})->id;
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      int64_t last = 0;
      while (!stop) {
        TableState state = *catalog_->Find(orders_);
        EXPECT_EQ(state.table.version, state.positions.at(0));
        EXPECT_EQ(state.table.metadata_location, "v" + std::to_string(state.table.version));
        EXPECT_GE(state.table.version, last);
        last = state.table.version;
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(
        Advance(id, "v" + std::to_string(i), "v" + std::to_string(i + 1), {{0, i + 1}}).ok());
    if (i % 20 == 0) {
      EXPECT_TRUE(Create({"sales", "t" + std::to_string(i)}, sales_).ok());
    }
  }
  stop = true;
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace weft::catalog
