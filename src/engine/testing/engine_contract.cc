// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/engine_contract.h"

#include <stdlib.h>

#include <filesystem>
#include <set>
#include <thread>

#include "engine/testing/sample_mesh.h"
#include "objects/local_store.h"

namespace weft::engine {

using ::testing::IsEmpty;
using testing::MakeField;
using testing::Relations;
using ::testing::SizeIs;
using ::testing::StartsWith;
using testing::TextSink;

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EngineContract);

bool LinkEngineContract() { return true; }

void EngineContract::SetUp() {
  char folder[] = "/tmp/weft-engine-XXXXXX";
  root_ = ::mkdtemp(folder);
  auto store = objects::OpenLocalStore({.root = root_}, SystemDisk(), SystemClock());
  ASSERT_TRUE(store.ok());
  store_ = std::move(*store);
  engine_ = GetParam().make(*store_, root_);
  ASSERT_NE(engine_, nullptr);
}

void EngineContract::TearDown() {
  engine_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

WriteRequest EngineContract::Write(const std::string& csv, bool parted) {
  WriteRequest request;
  request.schema.fields = {MakeField(1, "country", iceberg::TypeKind::kString),
                           MakeField(2, "n", iceberg::TypeKind::kLong)};
  if (parted) {
    request.spec.spec_id = 3;
    request.spec.fields = {
        iceberg::MakePartitionField(request.schema.fields[0], iceberg::Transform::kIdentity, 1000)};
  }
  auto rows = testing::Rows(request.schema.fields, csv);
  request.rows = {{rows, 0, rows->rows()}};
  request.location = "s3://mesh/sales/data";
  request.name = "part";
  return request;
}

TEST_P(EngineContract, TheRowsAreInTheFilesAndTheFilesAreThere) {
  auto request = Write("CH,1\nDE,2\nFR,3\nCH,4\n");
  // One chunk twice, in parts: only the slices' rows count.
  request.rows = {{request.rows[0].chunk, 1, 3}, {request.rows[0].chunk, 3, 4}};
  auto files = engine().WriteParquet(request);
  ASSERT_TRUE(files.ok()) << files.error().message();
  int64_t rows = 0;
  for (const auto& file : *files) {
    rows += file.record_count;
    EXPECT_THAT(file.location, StartsWith("s3://mesh/sales/data/part"));
    EXPECT_THAT(file.partition, IsEmpty());
    auto head = store().Head(*objects::ParseLocation(file.location));
    ASSERT_TRUE(head.ok()) << file.location;
    EXPECT_EQ(head->bytes, file.file_bytes);
  }
  EXPECT_EQ(rows, 3);
}

TEST_P(EngineContract, NoRowsMakeNoFiles) {
  auto request = Write("CH,1\n");
  request.rows[0].end_row = 0;
  auto files = engine().WriteParquet(request);
  ASSERT_TRUE(files.ok()) << files.error().message();
  EXPECT_THAT(*files, IsEmpty());
  request.rows.clear();
  files = engine().WriteParquet(request);
  ASSERT_TRUE(files.ok()) << files.error().message();
  EXPECT_THAT(*files, IsEmpty());
}

TEST_P(EngineContract, AFileHoldsRowsOfOnePartition) {
  auto files = engine().WriteParquet(Write("CH,1\nDE,2\n,3\nCH,4\nC/H,5\nC:H,6\n", true));
  ASSERT_TRUE(files.ok()) << files.error().message();
  std::map<iceberg::SingleValue, int64_t> rows;
  std::set<std::string> places;
  for (const auto& file : *files) {
    ASSERT_THAT(file.partition, SizeIs(1));
    EXPECT_EQ(file.spec_id, 3);
    rows[file.partition[0]] += file.record_count;
    places.insert(file.location);
  }
  EXPECT_EQ(rows, (std::map<iceberg::SingleValue, int64_t>{{iceberg::SingleValue(), 1},
                                                           {iceberg::SingleValue("CH"), 2},
                                                           {iceberg::SingleValue("DE"), 1},
                                                           {iceberg::SingleValue("C/H"), 1},
                                                           {iceberg::SingleValue("C:H"), 1}}));
  // Two values may share a path, their files never a name.
  EXPECT_EQ(places.size(), files->size());
}

TEST_P(EngineContract, MergedFilesHoldAllTheirRowsOnceInTheSamePartition) {
  auto first = engine().WriteParquet(Write("CH,1\nCH,2\n", true));
  auto more = Write("CH,3\n", true);
  more.name = "more";
  auto second = engine().WriteParquet(more);
  ASSERT_TRUE(first.ok() && second.ok());
  auto request = Write("", true);
  request.rows.clear();
  request.merged_files = *first;
  request.merged_files.insert(request.merged_files.end(), second->begin(), second->end());
  request.name = "merged";
  auto merged = engine().WriteParquet(request);
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  ASSERT_THAT(*merged, SizeIs(1));
  EXPECT_EQ((*merged)[0].record_count, 3);
  EXPECT_EQ((*merged)[0].partition, (*first)[0].partition);
  EXPECT_EQ((*merged)[0].spec_id, 3);
  // Those that were merged are the caller's to remove.
  for (const auto& file : request.merged_files)
    EXPECT_TRUE(store().Head(*objects::ParseLocation(file.location)).ok());
  ASSERT_TRUE(store().Delete(*objects::ParseLocation((*second)[0].location)).ok());
  request.name = "again";
  EXPECT_FALSE(engine().WriteParquet(request).ok()) << "a file that is gone must not be missed";
}

TEST_P(EngineContract, WritesFromManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int64_t> rows = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      auto request = Write("CH,1\nDE,2\nCH,3\n", true);
      request.name = "t" + std::to_string(i);
      auto files = engine().WriteParquet(request);
      if (!files.ok()) return;
      for (const auto& file : *files) rows += file.record_count;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(rows, 18);
}

TEST_P(EngineContract, AStatementIsAnsweredOrNotOffered) {
  Relations relations;
  TextSink sink;
  auto done = engine().Query({.sql = "select 1 a"}, relations, sink);
  if (!GetParam().queries) {
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code(), Code::kNotOffered);
    EXPECT_EQ(sink.text, "");
    return;
  }
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(sink.text, "{\"a\":1}\n");
}

TEST_P(EngineContract, AQueryIsTheFilesAndTheTailWithoutGapOrDouble) {
  if (!GetParam().queries) GTEST_SKIP() << "this engine understands no SQL";
  auto request = Write("CH,1\nDE,2\n", true);
  auto files = engine().WriteParquet(request);
  ASSERT_TRUE(files.ok()) << files.error().message();
  Relation relation;
  relation.columns = {request.schema.fields[1]};
  relation.hidden = {request.schema.fields[0]};
  relation.spec = request.spec;
  relation.files = std::make_shared<const std::vector<iceberg::DataFile>>(*files);
  relation.tail = {{testing::Rows(request.schema.fields, "FR,3\nIT,4\nAT,5\n"), 1, 2}};
  Relations relations;
  relations.all[{"sales", "orders"}] = relation;
  TextSink sink;
  auto done = engine().Query({.sql = "select * from sales.orders order by n"}, relations, sink);
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(sink.text, "{\"n\":1}\n{\"n\":2}\n{\"n\":4}\n");
  EXPECT_EQ(sink.rows, 3);
  ASSERT_THAT(sink.columns, SizeIs(1));
  EXPECT_EQ(sink.columns[0].name, "n");
  EXPECT_EQ(sink.columns[0].type, "BIGINT");
}

TEST_P(EngineContract, AFailureSaysWhatToDoNext) {
  if (!GetParam().queries) GTEST_SKIP() << "this engine understands no SQL";
  Relations relations;
  auto code = [&](QueryRequest request) {
    TextSink sink;
    auto done = engine().Query(request, relations, sink);
    return done.ok() ? Code::kInternal : done.error().code();
  };
  EXPECT_EQ(code({.sql = "selec 1"}), Code::kInvalid);
  EXPECT_EQ(code({.sql = ""}), Code::kInvalid);
  EXPECT_EQ(code({.sql = "from nowhere"}), Code::kInvalid);
  EXPECT_EQ(code({.sql = "from range(3)", .rows_max = 2}), Code::kInvalid);
  EXPECT_EQ(code({.sql = "create table t (i int)"}), Code::kNotOffered);
  EXPECT_EQ(code({.sql = "select getenv('HOME')"}), Code::kNotOffered);
  EXPECT_EQ(code({.sql = "select count(*) from range(1000000000) a, range(1000000000) b where "
                         "a.range * b.range = 7",
                  .time_max = milliseconds(300)}),
            Code::kThrottled);
}

TEST_P(EngineContract, StopEndsQueries) {
  Relations relations;
  engine().Stop();
  TextSink sink;
  auto done = engine().Query({.sql = "select 1"}, relations, sink);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Code::kUnavailable);
  engine().Stop();
}

}  // namespace weft::engine
