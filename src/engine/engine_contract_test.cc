// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/engine_contract.h"

#include "base/metrics.h"
#include "engine/duckdb_engine.h"
#include "engine/testing/failing_engine.h"
#include "engine/testing/memory_engine.h"
#include "engine/testing/sample_mesh.h"
#include "objects/testing/memory_store.h"

namespace weft::engine {
namespace {

using testing::FailingEngine;
using testing::MakeField;
using testing::MemoryEngine;

EngineMaker DuckDb() {
  auto make = [](objects::ObjectStore& store, const std::string& root) -> std::unique_ptr<Engine> {
    static Metrics metrics;
    auto engine = OpenDuckDb({.workers = 1, .objects_root = root}, store, SystemClock(), metrics);
    return engine.ok() ? std::move(*engine) : nullptr;
  };
  return {.make = make, .queries = true};
}

EngineMaker Memory() {
  auto make = [](objects::ObjectStore& store, const std::string&) -> std::unique_ptr<Engine> {
    return std::make_unique<MemoryEngine>(store);
  };
  return {.make = make, .queries = false};
}

std::string Name(const ::testing::TestParamInfo<EngineMaker>& info) {
  return info.param.queries ? "DuckDb" : "Memory";
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineContract, ::testing::Values(DuckDb(), Memory()), Name);

TEST(FailingEngineTest, FailsTheCallItIsToldToAndNoOther) {
  auto store = objects::OpenMemoryStore();
  MemoryEngine memory(*store);
  FailingEngine engine(memory);
  WriteRequest request;
  request.schema.fields = {MakeField(1, "n", iceberg::TypeKind::kLong)};
  request.rows = {{testing::Rows(request.schema.fields, "1\n2\n"), 0, 2}};
  request.location = "s3://mesh/t/data";
  request.name = "a";
  engine.FailNth(FailingEngine::Call::kWriteParquet, 2);
  EXPECT_TRUE(engine.WriteParquet(request).ok());
  EXPECT_TRUE(engine.armed());
  request.name = "b";
  auto failed = engine.WriteParquet(request);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::kUnavailable);
  EXPECT_FALSE(engine.armed());
  EXPECT_FALSE(store->Head({.bucket = "mesh", .key = "t/data/b-0.parquet"}).ok());

  engine.FailNth(FailingEngine::Call::kAny, 1, Code::kInternal, FailingEngine::Effect::kDone);
  failed = engine.WriteParquet(request);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::kInternal);
  EXPECT_TRUE(store->Head({.bucket = "mesh", .key = "t/data/b-0.parquet"}).ok())
      << "done, though said to have failed";
  EXPECT_TRUE(engine.WriteParquet(request).ok());

  engine.FailNth(FailingEngine::Call::kQuery, 1, Code::kThrottled);
  EXPECT_TRUE(engine.WriteParquet(request).ok());
  testing::Relations relations;
  testing::TextSink sink;
  auto done = engine.Query({.sql = "select 1"}, relations, sink);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Code::kThrottled);
}

}  // namespace
}  // namespace weft::engine
