// SPDX-License-Identifier: Apache-2.0
// What users' SQL cannot do, and how it ends when it wants too much.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "engine/function_list_internal.h"
#include "engine/testing/sample_mesh.h"

namespace weft::engine {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::MakeField;
using ::testing::Not;
using testing::SampleMesh;
using ::testing::StartsWith;
using testing::TextSink;

class GovernanceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    mesh_ = new SampleMesh({.workers = 2});
    iceberg::Schema schema;
    schema.fields = {MakeField(1, "secret", iceberg::TypeKind::kString)};
    auto rows = testing::Rows(schema.fields, "hush\n");
    auto files = mesh_->Write(schema, {}, {{rows, 0, 1}}, "f");
    ASSERT_TRUE(files.ok()) << files.error().message();
    location_ = (*files)[0].location;
    std::ofstream(mesh_->root() + "/plain.csv") << "secret\nhush\n";
    Relation relation;
    relation.columns = {MakeField(7, "x", iceberg::TypeKind::kLong)};
    relation.tail = {{testing::Rows(relation.columns, "1\n2\n"), 0, 2}};
    mesh_->relations.all[{"d", "t"}] = relation;
  }
  static void TearDownTestSuite() { delete mesh_; }
  static std::string Ask(const std::string& sql) { return mesh_->Ask(sql); }
  static SampleMesh* mesh_;
  static std::string location_;
};
SampleMesh* GovernanceTest::mesh_ = nullptr;
std::string GovernanceTest::location_;

TEST_F(GovernanceTest, OnlyReadingStatementsAreOffered) {
  for (const char* sql : {"use d",
                          "pragma version",
                          "set threads = 1",
                          "copy (select 1) to '/tmp/x'",
                          "attach '/tmp/x.db'",
                          "create table a (i int)",
                          "create temp table a as select 1",
                          "create view v as select 1",
                          "insert into d.t values (1)",
                          "update d.t set x = 1",
                          "delete from d.t",
                          "drop table d.t",
                          "call pragma_version()",
                          "export database '/tmp/x'",
                          "load json",
                          "install json",
                          "prepare p as select 1",
                          "execute p",
                          "begin",
                          "commit",
                          "checkpoint",
                          "vacuum",
                          "reset threads",
                          "explain create table a (i int)",
                          "create macro f(x) as x",
                          "select 1; select 2",
                          "detach mesh",
                          "comment on table d.t is 'x'",
                          "alter table d.t add column y int",
                          "create secret (type s3)",
                          "select $1",
                          "show databases",
                          "show variables"}) {
    EXPECT_THAT(Ask(sql), AnyOf(StartsWith("not_offered"), StartsWith("invalid"))) << sql;
  }
  EXPECT_THAT(Ask("create table a (i int)"), HasSubstr("offered are SELECT"));
}

TEST_F(GovernanceTest, NothingOutsideTheMeshIsReached) {
  auto object = mesh_->root() + "/objects/" + location_.substr(5);
  std::vector<std::string> reads;
  for (const auto& path :
       {mesh_->root() + "/plain.csv", object, location_, std::string("/etc/passwd")}) {
    reads.push_back("select * from '" + path + "'");
    reads.push_back("select * from \"" + path + "\"");
    for (const char* function :
         {"read_csv", "read_text", "read_blob", "read_parquet", "parquet_scan", "parquet_metadata",
          "read_json", "sniff_csv", "glob", "parquet_schema"}) {
      reads.push_back(std::string("select * from ") + function + "('" + path + "')");
      reads.push_back(std::string("select * from (values (1)) v, (with q as (from ") + function +
                      "('" + path + "')) select * from q)");
      reads.push_back(std::string("select (select count(*) from ") + function + "('" + path +
                      "'))");
    }
  }
  for (const char* sql : {"select getenv('HOME')",
                          "select current_setting('temp_directory')",
                          "from duckdb_settings()",
                          "from duckdb_tables",
                          "from pg_catalog.pg_class",
                          "from sqlite_master",
                          "from system.main.duckdb_columns",
                          "from memory.main.x",
                          "select * from query('select 1')",
                          "select * from query_table('t')",
                          "select getvariable('x')",
                          "select nextval('x')",
                          "from duckdb_external_file_cache()",
                          "from duckdb_logs()",
                          "select write_log('x')",
                          "from information_schema.views",
                          "from pragma_table_info('t')",
                          "select json_serialize_plan('select 1')",
                          "from json_execute_serialized_sql('{}')",
                          "select x from d.t where (select count(*) from duckdb_secrets()) = 0",
                          "select [getvariable(y) for y in ['a']]",
                          "select list_transform([1], lambda y: current_setting('threads'))",
                          "from d.t order by getenv('HOME')",
                          "select sum(x) over (order by current_setting('threads')) from d.t",
                          "values (current_setting('threads'))",
                          "select x from d.t limit (select count(*) from glob('*'))",
                          "select 'a'.getenv()",
                          "from d.t at (version => 1)",
                          "select main.current_setting('threads')",
                          "select system.main.getvariable('a')",
                          "pivot d.t on x using sum(x)",
                          "with recursive r as (select 1 a union all select a + 1 from r, "
                          "glob('*') where a < 3) from r",
                          "select * from d.t tablesample (getenv('x'))",
                          "from test_all_types()",
                          "from d.t join read_text('/etc/passwd') on true",
                          "select case when true then getenv('HOME') end",
                          "select count(*) filter (getenv('a') = '') from d.t",
                          "describe select getenv('a')",
                          "summarize select * from read_text('/etc/passwd')",
                          "explain analyze select * from read_text('/etc/passwd')",
                          "select exists (from read_text('/etc/passwd'))",
                          "select try(getenv('x'))",
                          "select x from d.t qualify getenv('x') = ''",
                          "select cast(getenv('x') as varchar)"}) {
    reads.push_back(sql);
  }
  for (const auto& sql : reads) {
    auto said = Ask(sql);
    EXPECT_THAT(said, AnyOf(StartsWith("not_offered"), StartsWith("invalid"))) << sql;
    EXPECT_THAT(said, Not(HasSubstr("hush"))) << sql;
    EXPECT_THAT(said, Not(HasSubstr("root:"))) << sql;
  }
}

TEST_F(GovernanceTest, TooMuchEndsWithAnErrorAndTheNextQueryRuns) {
  std::string deep(10'000, '(');
  EXPECT_THAT(Ask("select " + deep + "1" + std::string(10'000, ')')), Not(HasSubstr("{")));
  EXPECT_THAT(Ask("select " + std::string(5'000, '-') + "1"), Not(StartsWith("internal")));
  std::string not_chain = "select ";
  for (int i = 0; i < 5'000; ++i) not_chain += "not ";
  EXPECT_THAT(Ask(not_chain + "true"), Not(HasSubstr("{")));
  std::string long_list = "select 1 in (0";
  for (int i = 0; i < 100'000; ++i) long_list += ", 100000";
  EXPECT_EQ(Ask(long_list + ") a"), "{\"a\":false}\n");
  EXPECT_THAT(Ask(""), StartsWith("invalid"));
  EXPECT_THAT(Ask(std::string("select 1\0, 2", 12)), Not(StartsWith("internal")));
  EXPECT_EQ(Ask("select 1 a"), "{\"a\":1}\n");
}

TEST_F(GovernanceTest, TimeIsUpForEndlessQueries) {
  for (const char* sql :
       {"with recursive r as (select 1 a union all select a + 1 from r) select count(*) from r",
        "select count(*) from range(1000000000) a, range(1000000000) b where a.range + b.range = "
        "7"}) {
    TextSink sink;
    auto done = mesh_->Run({.sql = sql, .time_max = milliseconds(400)}, sink);
    ASSERT_FALSE(done.ok()) << sql;
    EXPECT_EQ(done.error().code(), Code::kThrottled);
    EXPECT_THAT(done.error().message(), HasSubstr("longer than 400 ms"));
  }
  EXPECT_EQ(Ask("select 1 a"), "{\"a\":1}\n");
}

#if !defined(__SANITIZE_ADDRESS__)
TEST_F(GovernanceTest, MemoryIsBoundedByTheKernel) {
  for (const char* sql :
       {"select length(repeat('x', 3000000000))",
        "select length(repeat(repeat('x', 1000000), i::int)) from range(2000, 2010) t(i)",
        "select max(len(l)) from (select list(i) l from range(300000000) t(i))",
        "select string_agg(repeat('y', 1000), '') from range(3000000)"}) {
    TextSink sink;
    auto done = mesh_->Run({.sql = sql, .memory_bytes_max = int64_t{512} << 20}, sink);
    ASSERT_FALSE(done.ok()) << sql << sink.text.substr(0, 100);
    EXPECT_THAT(done.error().code(), AnyOf(Code::kThrottled, Code::kInvalid))
        << sql << done.error().message();
  }
  EXPECT_EQ(Ask("select 1 a"), "{\"a\":1}\n");
}
#endif

TEST_F(GovernanceTest, RowsPastTheLimitFailTheQuery) {
  TextSink sink;
  EXPECT_TRUE(mesh_->Run({.sql = "from range(10)", .rows_max = 10}, sink).ok());
  auto done = mesh_->Run({.sql = "from range(11)", .rows_max = 10}, sink);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Code::kInvalid);
}

TEST_F(GovernanceTest, AFailingSinkEndsTheQuery) {
  class Full : public TextSink {
    Status Write(BytesView, int64_t) override {
      return Fail(Code::kUnavailable, "the client went away");
    }
  } sink;
  auto done = mesh_->Run({.sql = "select repeat('x', 1000) from range(1000000)"}, sink);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message(), "the client went away");
  EXPECT_EQ(Ask("select 1 a"), "{\"a\":1}\n");
}

TEST_F(GovernanceTest, ManyAtOnceAreAllAnswered) {
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 5; ++k) {
        TextSink sink;
        auto done =
            mesh_->Run({.sql = "select sum(x) + " + std::to_string(i) + " s from d.t"}, sink);
        right += done.ok() && sink.text == "{\"s\":\"" + std::to_string(3 + i) + "\"}\n" ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 40);
}

TEST_F(GovernanceTest, NoFunctionIsBothAllowedAndRefused) {
  for (const auto& name : AllowedFunctions())
    EXPECT_FALSE(FunctionRefused(name) && FunctionAllowed(name)) << name;
  for (const char* name : {"read_text", "getenv", "current_setting", "query", "duckdb_settings",
                           "nextval", "write_log"}) {
    EXPECT_FALSE(FunctionAllowed(name)) << name;
    EXPECT_FALSE(TableFunctionAllowed(name)) << name;
  }
}

TEST(EngineStopTest, StopEndsWhatRunsAndRefusesWhatComes) {
  SampleMesh mesh({.workers = 1});
  std::string said;
  std::thread running([&] {
    said = mesh.Ask("with recursive r as (select 1 a union all select a + 1 from r) from r");
  });
  std::this_thread::sleep_for(milliseconds(300));
  mesh.engine().Stop();
  running.join();
  EXPECT_THAT(said, StartsWith("unavailable"));
  EXPECT_THAT(mesh.Ask("select 1"), StartsWith("unavailable"));
}

TEST(EngineQueueTest, AFullQueueRefusesAtOnce) {
  SampleMesh mesh({.workers = 1, .queue_max = 0});
  std::thread running([&] {
    TextSink sink;
    auto done =
        mesh.Run({.sql = "with recursive r as (select 1 a union all select a + 1 from r) from r",
                  .time_max = milliseconds(1000)},
                 sink);
    EXPECT_FALSE(done.ok());
  });
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_THAT(mesh.Ask("select 1"), StartsWith("unavailable"));
  running.join();
  EXPECT_EQ(mesh.Ask("select 1 a"), "{\"a\":1}\n");
}

}  // namespace
}  // namespace weft::engine
