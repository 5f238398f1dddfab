// SPDX-License-Identifier: Apache-2.0
#include "query/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/disk.h"
#include "base/random.h"
#include "engine/duckdb_engine.h"
#include "engine/testing/sample_mesh.h"
#include "objects/local_store.h"
#include "tail/testing/ground.h"

namespace weft::query {
namespace {

using engine::testing::TextSink;
using identity::Principal;
using identity::PrincipalRef;
using testing::HasSubstr;

const AccountId kAccount("111122223333");

Principal User(const std::string& name, bool administrator = false) {
  return {.account = kAccount,
          .name = name,
          .arn = "arn:aws:iam::111122223333:user/" + name,
          .groups = {},
          .access_key_id = "",
          .administrator = administrator};
}

class QueryTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() /
              fmt::format("weft-query-{}", SystemRandom().NextUuid());
    store_ = *objects::OpenLocalStore({.root = folder_.string(), .free_bytes_min = 0}, SystemDisk(),
                                      SystemClock());
    metrics_ = std::make_unique<Metrics>();
    engine_ =
        *engine::OpenDuckDb({.objects_root = folder_.string()}, *store_, SystemClock(), *metrics_);
  }
  static void TearDownTestSuite() {
    engine_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  QueryTest() {
    meta::Database& database = *ground_.kept_database;
    EXPECT_TRUE(meta::Migrate(database, "identity", identity::Directory::Migrations()).ok());
    EXPECT_TRUE(meta::Migrate(database, "govern", govern::Govern::Migrations()).ok());
    directory_ = std::make_unique<identity::Directory>(
        identity::Directory::Options{.master_key = Bytes(32, 'k')}, database, SystemClock(),
        SystemRandom());
    govern_ = std::make_unique<govern::Govern>(database, *directory_);
    modules_ = std::make_unique<tail::Modules>(ground_, tail::Tail::Options{}, store_.get());
    // Tests share the engine, so each has a product of its own name.
    product_ = fmt::format("orders_{}", SystemRandom().NextText(8, "abcdefgh"));
    feed_ = tail::MakeProduct(*modules_, product_,
                              tail::MakeContract(product_, {{"n", "int"}, {"secret", "string"}}))
                .front();
    query_ = std::make_unique<Query>(Query::Dependencies{.catalog = modules_->catalog,
                                                         .govern = *govern_,
                                                         .tables = modules_->tables,
                                                         .feeds = modules_->feeds,
                                                         .tail = modules_->tail,
                                                         .engine = *engine_,
                                                         .clock = SystemClock(),
                                                         .metrics = modules_->metrics});
  }

  void Grant(const std::string& user, const std::vector<std::string>& columns) {
    const Status granted = modules_->database.Transact([&](meta::Transaction& tx) {
      return govern_->PutGrant(tx, {.id = "test/" + user,
                                    .to = {PrincipalRef::Kind::kUser, kAccount, user},
                                    .table = {"sales", product_},
                                    .columns = columns});
    });
    ASSERT_TRUE(granted.ok()) << granted.error().message();
  }
  void Append(int first, int count, const std::string& secret = "s") {
    std::vector<std::string> records;
    for (int n = first; n < first + count; ++n) {
      records.push_back(fmt::format(R"({{"n":{},"secret":"{}"}})", n, secret));
    }
    ASSERT_TRUE(tail::AppendRecords(*modules_, feed_, 1, records).ok());
  }
  // What delivery does.
  Status Deliver() {
    const auto state = TRY(modules_->catalog.FindById(feed_.table_id));
    const auto version = TRY(modules_->tables.Load(state.table.metadata_location));
    const std::shared_ptr<const iceberg::Schema> schema{version.metadata,
                                                        &version.metadata->schema()};
    auto rows = TRY(modules_->tail.Rows(feed_, schema, state.positions, 1));
    if (rows.rows == 0) return {};
    const auto files = TRY(engine_->WriteParquet({.schema = *schema,
                                                  .spec = version.metadata->spec(),
                                                  .rows = rows.slices,
                                                  .merged_files = {},
                                                  .location = state.table.location + "/data",
                                                  .name = SystemRandom().NextUuid()}));
    const auto next = TRY(modules_->tables.Append(version, files, {}));
    TRY(modules_->database.Transact([&](meta::Transaction& tx) {
      return modules_->catalog.Advance(tx, feed_.table_id, state.table.metadata_location,
                                       next.metadata_location, rows.end);
    }));
    modules_->tail.Release(feed_.table_id, rows.end);
    return {};
  }
  // The answer, or "code: message"; TABLE stands for the table.
  std::string Ask(const Principal& principal, std::string sql) {
    for (size_t at = 0; (at = sql.find("TABLE", at)) != std::string::npos;) {
      sql.replace(at, 5, "sales." + product_);
    }
    TextSink sink;
    const Status done = query_->Run(principal, sql, {}, sink);
    if (done.ok()) return sink.text;
    return fmt::format("{}: {}", CodeName(done.error().code()), done.error().message());
  }

  static inline std::filesystem::path folder_;
  static inline std::unique_ptr<objects::ObjectStore> store_;
  static inline std::unique_ptr<Metrics> metrics_;
  static inline std::unique_ptr<engine::Engine> engine_;

  tail::Ground ground_;
  std::unique_ptr<identity::Directory> directory_;
  std::unique_ptr<govern::Govern> govern_;
  std::unique_ptr<tail::Modules> modules_;
  std::string product_;
  tail::Feed feed_;
  std::unique_ptr<Query> query_;
};

TEST_F(QueryTest, SeesFilesAndTailAsOneRelation) {
  const Principal admin = User("admin", true);
  EXPECT_EQ(Ask(admin, "select count(*) as c from TABLE"), "{\"c\":0}\n");
  Append(0, 3);
  EXPECT_EQ(Ask(admin, "select count(*) as c, max(n) as s from TABLE"), "{\"c\":3,\"s\":2}\n");
  const Status delivered = Deliver();
  ASSERT_TRUE(delivered.ok()) << delivered.error().message();
  EXPECT_EQ(Ask(admin, "select count(*) as c, max(n) as s from TABLE"), "{\"c\":3,\"s\":2}\n");
  Append(3, 1);
  EXPECT_EQ(Ask(admin, "select n from TABLE order by n"),
            "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
  EXPECT_EQ(Ask(admin, "select count(distinct _id) as c from TABLE"), "{\"c\":4}\n");
  EXPECT_THAT(Ask(admin, "select * from TABLE limit 1"), testing::Not(HasSubstr("_id")));
}

TEST_F(QueryTest, OnlyGrantedTablesAndColumnsExist) {
  Append(0, 1, "hidden");
  EXPECT_THAT(Ask(User("eve"), "select n from TABLE"), HasSubstr("no table"));
  Grant("ada", {"n"});
  EXPECT_EQ(Ask(User("ada"), "select * from TABLE"), "{\"n\":0}\n");
  EXPECT_THAT(Ask(User("ada"), "select secret from TABLE"), HasSubstr("secret"));
  EXPECT_THAT(Ask(User("ada"), "select secret from TABLE"), HasSubstr("invalid"));
  Grant("bob", {});
  EXPECT_EQ(Ask(User("bob"), "select secret from TABLE"), "{\"secret\":\"hidden\"}\n");
  EXPECT_THAT(Ask(User("ada"), "select column_name from information_schema.columns"),
              testing::Not(HasSubstr("secret")));
}

TEST_F(QueryTest, NamesCompareWithoutCase) {
  Append(0, 1);
  Grant("ada", {});
  std::string upper = product_;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(Ask(User("ada"), "select N from SALES." + upper), "{\"n\":0}\n");
}

TEST_F(QueryTest, OldRowsAreNullInAColumnAddedLater) {
  Append(0, 1);
  ASSERT_TRUE(Deliver().ok());
  Append(1, 1);
  tail::ChangeContract(
      *modules_, feed_,
      tail::MakeContract(product_, {{"n", "int"}, {"secret", "string"}, {"colour", "string"}}));
  ASSERT_TRUE(tail::AppendRecords(*modules_, feed_, 2, {R"({"n":2,"colour":"red"})"}).ok());
  const std::string expected =
      "{\"n\":0,\"colour\":null}\n{\"n\":1,\"colour\":null}\n{\"n\":2,\"colour\":\"red\"}\n";
  EXPECT_EQ(Ask(User("admin", true), "select n, colour from TABLE order by n"), expected);
  const Status delivered = Deliver();
  ASSERT_TRUE(delivered.ok()) << delivered.error().message();
  EXPECT_EQ(Ask(User("admin", true), "select n, colour from TABLE order by n"), expected);
}

TEST_F(QueryTest, DescribeShowsWhatThePrincipalMaySee) {
  Grant("ada", {"n"});
  auto view = query_->Describe(User("ada"), {"sales", product_});
  ASSERT_TRUE(view.ok());
  ASSERT_EQ(view->columns.size(), 1u);
  EXPECT_EQ(view->columns.front().name, "n");
  EXPECT_EQ(query_->Describe(User("eve"), {"sales", product_}).error().code(), Code::kNotFound);
  EXPECT_EQ(query_->Describe(User("admin", true), {"sales", "none"}).error().code(),
            Code::kNotFound);
}

// Every query sees each acknowledged record once, while delivery moves the table beneath it.
TEST_F(QueryTest, ExactlyOnceWhileDelivering) {
  std::atomic<bool> done = false;
  std::atomic<int> acknowledged = 0;
  std::thread writing([&] {
    for (int n = 0; n < 400 && !done; n += 4) {
      Append(n, 4);
      acknowledged = n + 4;
      std::this_thread::sleep_for(milliseconds(2));
    }
    done = true;
  });
  std::thread delivering([&] {
    while (!done) {
      const Status delivered = Deliver();
      EXPECT_TRUE(delivered.ok()) << delivered.error().message();
    }
  });
  while (!done) {
    const int least = acknowledged;
    TextSink sink;
    const Status asked = query_->Run(
        User("admin", true),
        fmt::format("select count(*) as c, count(distinct _id) as d, coalesce(max(n), -1) + 1 as m "
                    "from sales.{}",
                    product_),
        {.format = engine::ResultFormat::kCsv, .default_database = {}}, sink);
    EXPECT_TRUE(asked.ok()) << asked.error().message();
    if (!asked.ok()) break;
    long long c = 0, d = 0, m = 0;
    const std::string row = sink.text.substr(sink.text.find('\n') + 1);
    EXPECT_EQ(std::sscanf(row.c_str(), "%lld,%lld,%lld", &c, &d, &m), 3) << sink.text;
    EXPECT_GE(c, least);
    EXPECT_EQ(c, d);
    EXPECT_EQ(c, m);
  }
  done = true;
  writing.join();
  delivering.join();
}

}  // namespace
}  // namespace weft::query

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "worker") == 0) {
    return weft::engine::RunWorker(argc, argv);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
