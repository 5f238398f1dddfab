// SPDX-License-Identifier: Apache-2.0
// Every function that this DuckDB has was judged; what was refused cannot be called anyhow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "engine/function_list_internal.h"
#include "engine/mesh_catalog_internal.h"
#include "engine/mesh_database_internal.h"
#include "engine/testing/sample_mesh.h"
#include "objects/testing/memory_store.h"

namespace weft::engine {
namespace {

using ::testing::HasSubstr;
using testing::SampleMesh;
using ::testing::StartsWith;

// Kinds ("scalar", "aggregate", "macro", "table", "table_macro", "pragma") by name.
const std::map<std::string, std::set<std::string>>& Functions() {
  static const auto kAll = [] {
    auto store = objects::OpenMemoryStore();
    MeshDatabase database({.threads = 1, .temporary_folder = "", .local_root = "", .locked = true},
                          *store);
    duckdb::Connection connection(database.database());
    StatementTables::Attach(*connection.context, database.paths());
    auto result = connection.Query(
        "select distinct lower(function_name), function_type from "
        "duckdb_functions()");
    std::map<std::string, std::set<std::string>> all;
    for (duckdb::idx_t row = 0; !result->HasError() && row < result->RowCount(); ++row)
      all[result->GetValue(0, row).ToString()].insert(result->GetValue(1, row).ToString());
    return all;
  }();
  return kAll;
}

// Those that DuckDB's catalog of functions leaves out: window functions.
const std::set<std::string>& WindowFunctions() {
  static const std::set<std::string> kNames = {
      "cume_dist", "dense_rank", "fill",         "first_value", "lag",        "last_value", "lead",
      "nth_value", "ntile",      "percent_rank", "rank",        "rank_dense", "row_number"};
  return kNames;
}

TEST(FunctionListTest, EveryFunctionOfThisDuckDbWasJudgedOnce) {
  ASSERT_GT(Functions().size(), 800U);
  for (const auto& [name, kinds] : Functions()) {
    bool in_expressions = FunctionAllowed(name), in_from = TableFunctionAllowed(name);
    EXPECT_NE(in_expressions || in_from, FunctionRefused(name)) << name;
    bool expression =
        kinds.contains("scalar") || kinds.contains("aggregate") || kinds.contains("macro");
    bool table = kinds.contains("table") || kinds.contains("table_macro");
    // unnest is a keyword of both; the catalog knows it in FROM only.
    EXPECT_TRUE(expression || !in_expressions || name == "unnest") << name;
    EXPECT_TRUE(table || !in_from) << name;
  }
  for (const auto& name : AllowedFunctions())
    EXPECT_TRUE(Functions().contains(name) || WindowFunctions().contains(name))
        << name << " is not there any more";
}

// list_aggregate takes an aggregate's name as text, which no walk over the statement sees.
TEST(FunctionListTest, EveryAggregateIsHarmless) {
  for (const auto& [name, kinds] : Functions()) {
    if (kinds.contains("aggregate")) {
      EXPECT_TRUE(FunctionAllowed(name)) << name;
    }
  }
}

// Names that would be a way out, whatever the catalog says of them.
TEST(FunctionListTest, NothingOutsideTheStatementIsWithinReach) {
  for (const auto& name : AllowedFunctions()) {
    for (const char* prefix : {"read_",          "duckdb_",
                               "pragma_",        "parquet_",
                               "current_s",      "current_u",
                               "current_q",      "current_c",
                               "has_",           "write_",
                               "query",          "copy",
                               "glob",           "sniff",
                               "getenv",         "getvar",
                               "nextval",        "currval",
                               "txid",           "inet_",
                               "which_",         "checkpoint",
                               "enable",         "disable",
                               "json_serialize", "json_deserialize",
                               "json_execute",   "load",
                               "install",        "attach",
                               "http",           "arrow_",
                               "seq_",           "test_",
                               "set_seed",       "setseed",
                               "icu_",           "session",
                               "__internal",     "create_",
                               "add_parquet",    "truncate_",
                               "sql_",           "pg_get",
                               "force"}) {
      EXPECT_FALSE(name.starts_with(prefix)) << name;
    }
  }
}

TEST(FunctionListTest, WhatWasRefusedCannotBeCalled) {
  SampleMesh mesh({.workers = 1});
  for (const auto& [name, kinds] : Functions()) {
    if (!FunctionRefused(name)) continue;
    for (const char* form :
         {"select \"{}\"()", "from \"{}\"()", "select ('a').\"{}\"()", "select main.\"{}\"('a')",
          "select system.main.\"{}\"('a')", "select \"{}\"('a') over ()"}) {
      auto said = mesh.Ask(fmt::format(fmt::runtime(form), name));
      EXPECT_THAT(said, StartsWith("not_offered")) << name << " in " << form;
      if (!said.starts_with("not_offered")) break;
    }
  }
  EXPECT_THAT(mesh.Ask("call pragma_version()"), StartsWith("not_offered"));
  EXPECT_THAT(mesh.Ask("pragma show_tables"), StartsWith("not_offered"));
}

TEST(FunctionListTest, AnAggregatesStateIsNotGivenAway) {
  SampleMesh mesh({.workers = 1});
  EXPECT_THAT(mesh.Ask("select sum(1) export_state"), StartsWith("not_offered"));
  EXPECT_THAT(mesh.Ask("select list_aggregate([1], 'histogram_values')"), StartsWith("invalid"));
  EXPECT_THAT(mesh.Ask("select list_aggregate(['a'], 'getenv')"), StartsWith("invalid"));
  EXPECT_THAT(mesh.Ask("from json_each(getenv('HOME'))"), HasSubstr("getenv"));
}

}  // namespace
}  // namespace weft::engine
