// SPDX-License-Identifier: Apache-2.0
// Statements made to break the engine, stores that fail, files that are not what they were: each is
// answered, nothing is told that is not the user's business, and the next statement runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "engine/testing/sample_mesh.h"
#include "objects/testing/failing_store.h"

namespace weft::engine {
namespace {

using iceberg::TypeKind;
using objects::FailingStore;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::MakeField;
using ::testing::Not;
using testing::SampleMesh;
using ::testing::StartsWith;
using testing::TextSink;

std::string Times(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

void ExpectNothingToldOf(const SampleMesh& mesh, const std::string& said) {
  EXPECT_THAT(said, Not(HasSubstr(mesh.root())));
  EXPECT_THAT(said, Not(HasSubstr("weft-")));
  EXPECT_THAT(said, Not(HasSubstr("/objects")));
  EXPECT_THAT(said, Not(HasSubstr("s3://")));
  EXPECT_THAT(said, Not(HasSubstr(".parquet")));
  EXPECT_THAT(said, Not(HasSubstr("Stack Trace")));
}

// Runs each; what matters is that the next statement runs.
void Survives(SampleMesh& mesh, const std::vector<std::string>& statements) {
  for (const auto& sql : statements) {
    TextSink sink;
    auto done = mesh.Run(
        {.sql = sql, .time_max = milliseconds(500), .memory_bytes_max = int64_t{1} << 29}, sink);
    auto shown = sql.substr(0, 80);
    if (!done.ok()) ExpectNothingToldOf(mesh, done.error().message());
    EXPECT_EQ(mesh.Ask("select 1 a"), "{\"a\":1}\n") << shown;
  }
}

TEST(HostileStatementTest, LongStatementsAreAnswered) {
  SampleMesh mesh({.workers = 1});
  EXPECT_EQ(mesh.Ask("select 1 a --" + std::string(1 << 20, 'x')), "{\"a\":1}\n");
  EXPECT_EQ(mesh.Ask("select length('" + std::string(1 << 20, 'x') + "') n"), "{\"n\":1048576}\n");
  EXPECT_EQ(mesh.Ask(std::string(1 << 20, ' ') + "select 1 a"), "{\"a\":1}\n");
  EXPECT_EQ(mesh.Ask("select count(*) c from (values (1)" + Times(", (1)", 20'000) + ")"),
            "{\"c\":20001}\n");
  auto wide = mesh.Ask("select 1" + Times(", 1", 3'000));
  EXPECT_THAT(wide, HasSubstr("\"1_3000\":1}"));
  EXPECT_THAT(mesh.Ask("select '" + std::string(1 << 20, 'x')), StartsWith("invalid"));
}

TEST(HostileStatementTest, DeepStatementsAreAnswered) {
  SampleMesh mesh({.workers = 1});
  std::string inner = "select 1 a";
  for (int i = 0; i < 2'000; ++i) inner = "select * from (" + inner + ")";
  Survives(mesh,
           {inner, "select " + Times("[", 5'000) + Times("]", 5'000),
            "select 1" + Times(" union all select 1", 5'000),
            "select true" + Times(" and true", 20'000), "select 'a'" + Times(" || 'a'", 20'000),
            "select " + Times("abs(", 5'000) + "1" + Times(")", 5'000),
            "select " + Times("case when true then ", 3'000) + "1" + Times(" end", 3'000),
            "select " + Times("(select ", 2'000) + "1" + Times(")", 2'000),
            "select * from " + Times("range(1) cross join ", 2'000) + "range(1)",
            "select 1" + Times("::varchar", 20'000),
            "with a0 as (select 1) select * from a0" + Times(", a0", 3'000),
            "select '" + Times("[", 100'000) + "'::json", "select $$" + Times("[", 5'000),
            "select json_extract('" + Times("{\"a\":", 50'000) + "', '$.a')"});
}

TEST(HostileStatementTest, ErrorsAreShortAndHintAtNothingThatIsNotOffered) {
  SampleMesh mesh({.workers = 1});
  auto said = mesh.Ask("select error(repeat('\xc3\xbc', 100000))");
  EXPECT_THAT(said, StartsWith("invalid: \xc3\xbc"));
  EXPECT_LE(said.size(), 5'000U);
  EXPECT_TRUE(said.ends_with("\xc3\xbc"));
  EXPECT_EQ(mesh.Ask("select " + Times("abs(", 5'000) + "1" + Times(")", 5'000)),
            "invalid: the statement is nested too deeply");
  EXPECT_THAT(mesh.Ask("select 1" + Times(" + 1", 5'000)), Not(HasSubstr("SET")));
}

TEST(HostileStatementTest, BombsGoOffInTheWorkerOnly) {
  SampleMesh mesh({.workers = 1});
  // These are linear in their input, or refused.
  EXPECT_EQ(mesh.Ask("select regexp_matches(repeat('a', 100000) || '!', '^(a+)+$') m"),
            "{\"m\":false}\n");
  EXPECT_THAT(mesh.Ask("select regexp_matches('a', '((a{1000}){1000}){1000}')"),
              StartsWith("invalid"));
  Survives(
      mesh,
      {"select repeat('a', 200000) like repeat('%a', 100) || '%b'",
       "select levenshtein(repeat('a', 1000000), repeat('b', 1000000))",
       "select count(*) from range(100000) a, range(100000) b, range(100000) c where "
       "a.range * b.range * c.range = -1",
       "select lpad('x', 2000000000, 'y')",
       "select format('{:2000000000}', 1)",
       "select printf('%2000000000d', 1)",
       "select list_resize([1], 100000000000)",
       "select range(10000000000)",
       "select bar(1, 0, 1, 100000000)",
       "select len(list(r)) from range(200000000) t(r)",
       "select string_agg(repeat('x', 100000), '') from range(1000000)",
       "with recursive r as (select 'x' a union all select a || a from r) select max(a) from r",
       "select unnest(range(100000000)), unnest(range(100000000))",
       "select * from range(1000000000) order by hash(range)",
       "select factorial(1000000)",
       "select 10::hugeint ^ 1000",
       "select list_reduce(range(100000), lambda x, y: x * y)",
       "select count(distinct r || 'some more text') from range(1000000000) t(r)",
       "select json_group_array(r) from range(100000000) t(r)",
       "select map_from_entries([(x, x) for x in range(10000000)])"});
}

Relation InFiles(const std::vector<iceberg::Field>& fields,
                 const std::vector<iceberg::DataFile>& files) {
  Relation relation;
  relation.columns = fields;
  relation.files = std::make_shared<const std::vector<iceberg::DataFile>>(files);
  return relation;
}

TEST(HostileFileTest, AFileThatIsNotWhatItWasTellsNothingOfItself) {
  SampleMesh mesh({.workers = 1});
  std::vector<iceberg::Field> fields = {MakeField(1, "a", TypeKind::kString)};
  iceberg::Schema schema;
  schema.fields = fields;
  auto rows = testing::Rows(fields, "x\ny\n");
  std::vector<std::function<void(Bytes&)>> damages = {
      [](Bytes& body) { body.clear(); },
      [](Bytes& body) { body = "PAR1"; },
      [](Bytes& body) { body = Bytes(5000, 'x'); },
      [](Bytes& body) { body.resize(body.size() / 2); },
      [](Bytes& body) { body.insert(4, "zz"); },
      [](Bytes& body) { std::fill(body.begin() + 4, body.begin() + 30, '\xff'); },
      [](Bytes& body) { std::fill(body.end() - 60, body.end() - 8, '\x15'); },
      [](Bytes& body) { std::fill(body.end() - 8, body.end() - 4, '\x7f'); }};
  for (size_t i = 0; i < damages.size(); ++i) {
    auto files = mesh.Write(schema, {}, {{rows, 0, 2}}, "f" + std::to_string(i));
    ASSERT_TRUE(files.ok()) << files.error().message();
    auto key = *objects::ParseLocation((*files)[0].location);
    auto body = mesh.store().Get(key);
    ASSERT_TRUE(body.ok());
    damages[i](*body);
    ASSERT_TRUE(mesh.store().Put(key, *body).ok());
    mesh.relations.all[{"d", "t"}] = InFiles(fields, *files);
    auto said = mesh.Ask("select a, count(*) c from d.t group by a");
    EXPECT_THAT(said,
                AnyOf(StartsWith("corrupt"), StartsWith("unavailable"), StartsWith("invalid")))
        << "damage " << i;
    ExpectNothingToldOf(mesh, said);
    EXPECT_EQ(mesh.Ask("select 1 a"), "{\"a\":1}\n");
  }
}

TEST(HostileFileTest, PlansTellNothingOfFiles) {
  SampleMesh mesh({.workers = 1});
  iceberg::Schema schema;
  schema.fields = {MakeField(1, "a", TypeKind::kString)};
  auto files = mesh.Write(schema, {}, {{testing::Rows(schema.fields, "x\ny\n"), 0, 2}}, "f");
  ASSERT_TRUE(files.ok()) << files.error().message();
  mesh.relations.all[{"d", "t"}] = InFiles(schema.fields, *files);
  for (const char* kind :
       {"explain", "explain analyze", "explain (format json)", "explain (analyze, format json)",
        "explain (format html)", "explain (format graphviz)", "explain (analyze, format html)"}) {
    auto said = mesh.Ask(std::string(kind) + " select a from d.t where a > 'b' limit 1");
    EXPECT_THAT(said, StartsWith("{\"explain_key\"")) << kind;
    ExpectNothingToldOf(mesh, said);
  }
}

TEST(HostileFileTest, ErrorsNameNoTableOfOthers) {
  SampleMesh mesh({.workers = 1});
  std::vector<iceberg::Field> fields = {MakeField(1, "salary", TypeKind::kLong)};
  Relation relation;
  relation.columns = fields;
  relation.tail = {{testing::Rows(fields, "1\n"), 0, 1}};
  mesh.relations.all[{"staff", "pay"}] = relation;
  EXPECT_EQ(mesh.Ask("from staff.pay"), "{\"salary\":1}\n");
  // The next principal, at the same worker, was granted nothing of it.
  mesh.relations.all.clear();
  relation.columns = {MakeField(2, "x", TypeKind::kLong)};
  relation.tail.clear();
  mesh.relations.all[{"d", "t"}] = relation;
  for (const char* sql : {"from staff.pay", "from pay", "from staff.pai", "from staff.pay, d.t",
                          "select salary from d.t", "select salar from d.t",
                          "select pay.salary from d.t", "select staff.pay.salary from d.t",
                          "show tables from staff", "describe staff.pay", "from mesh.staff.pay",
                          "select * from information_schema.columns where table_name = 'pay'"}) {
    auto said = mesh.Ask(sql);
    EXPECT_THAT(said, Not(HasSubstr("mean"))) << sql;
    EXPECT_THAT(said, Not(HasSubstr("salary\":"))) << sql;
    ExpectNothingToldOf(mesh, said);
  }
}

class FailingWriteTest : public ::testing::Test {
 protected:
  FailingWriteTest() : failing_(mesh_.store()) {
    auto engine = OpenDuckDb({.workers = 1}, failing_, SystemClock(), metrics_);
    EXPECT_TRUE(engine.ok());
    engine_ = std::move(*engine);
    request_.schema.fields = {MakeField(1, "n", TypeKind::kLong)};
    request_.spec.fields = {iceberg::MakePartitionField(request_.schema.fields[0],
                                                        iceberg::Transform::kIdentity, 1000)};
    request_.rows = {{testing::Rows(request_.schema.fields, "1\n2\n3\n"), 0, 3}};
    request_.location = "s3://mesh/w/data";
  }
  Result<std::vector<iceberg::DataFile>> Write(const std::string& name) {
    request_.name = name;
    return engine_->WriteParquet(request_);
  }
  SampleMesh mesh_;
  Metrics metrics_;
  FailingStore failing_;
  std::unique_ptr<Engine> engine_;
  WriteRequest request_;
};

TEST_F(FailingWriteTest, AFailureOfTheStoreAnywhereIsAFailureOfTheWriteAndNoMore) {
  int failures = 0;
  for (auto call :
       {FailingStore::Call::kCreate, FailingStore::Call::kWrite, FailingStore::Call::kCommit}) {
    for (auto effect : {FailingStore::Effect::kNone, FailingStore::Effect::kDone}) {
      for (int nth = 1; nth <= 3; ++nth) {
        failing_.FailNth(call, nth, Code::kUnavailable, effect);
        auto files = Write(fmt::format("f{}", failures++));
        EXPECT_FALSE(failing_.armed());
        ASSERT_FALSE(files.ok()) << "call " << static_cast<int>(call) << " number " << nth;
        EXPECT_EQ(files.error().code(), Code::kUnavailable) << files.error().message();
        ExpectNothingToldOf(mesh_, files.error().message());
        files = Write(fmt::format("again{}", failures));
        ASSERT_TRUE(files.ok()) << files.error().message();
        EXPECT_EQ(files->size(), 3U);
      }
    }
  }
}

TEST_F(FailingWriteTest, AFailureWhileFilesAreMergedIsAFailureOfTheWrite) {
  auto files = Write("one");
  ASSERT_TRUE(files.ok());
  request_.rows.clear();
  request_.merged_files = {(*files)[0]};
  int failures = 0;
  for (auto call :
       {FailingStore::Call::kGetRange, FailingStore::Call::kHead, FailingStore::Call::kCommit}) {
    failing_.FailNth(call, 1);
    auto merged = Write(fmt::format("merged{}", failures++));
    EXPECT_EQ(merged.ok(), failing_.armed()) << "call " << static_cast<int>(call);
    if (!merged.ok()) ExpectNothingToldOf(mesh_, merged.error().message());
  }
  failing_.FailNth(FailingStore::Call::kAny, 1'000'000);
  auto merged = Write("at-last");
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  EXPECT_EQ((*merged)[0].record_count, 1);
}

int64_t ResidentKib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  }
  return 0;
}

TEST_F(FailingWriteTest, ThousandsOfPartitionsTakeBoundedMemoryAndLeaveNoFileOpen) {
  request_.schema.fields = {MakeField(1, "n", TypeKind::kLong),
                            MakeField(2, "s", TypeKind::kString)};
  std::string csv;
  for (int i = 0; i < 8'000; ++i) csv += fmt::format("{},row {}\n", i % 1'000, i);
  request_.rows = {{testing::Rows(request_.schema.fields, csv), 0, 8'000}};
  ASSERT_TRUE(Write("warm").ok());
  auto open = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  auto open_before = open();
  [[maybe_unused]] auto before = ResidentKib();
  auto files = Write("many");
  ASSERT_TRUE(files.ok()) << files.error().message();
  EXPECT_EQ(files->size(), 1'000U);
  for (const auto& file : *files) EXPECT_EQ(file.record_count, 8);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(ResidentKib() - before, 100 << 10);
#endif
  EXPECT_EQ(open(), open_before);
}

}  // namespace
}  // namespace weft::engine
