// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing/sample_mesh.h"

namespace weft::engine {
namespace {

using iceberg::TypeKind;
using ::testing::HasSubstr;
using testing::MakeField;
using ::testing::Not;
using testing::SampleMesh;
using ::testing::StartsWith;
using testing::TextSink;

class QueryTest : public ::testing::Test {
 protected:
  // sales.orders: two files and a tail; email is a column that nobody was granted.
  static void SetUpTestSuite() {
    mesh_ = new SampleMesh();
    std::vector<iceberg::Field> fields = {MakeField(1, "order_id", TypeKind::kString),
                                          MakeField(2, "country", TypeKind::kString),
                                          MakeField(3, "total", TypeKind::kDouble),
                                          MakeField(4, "email", TypeKind::kString),
                                          MakeField(5, "day", TypeKind::kDate),
                                          MakeField(6, "n", TypeKind::kLong),
                                          MakeField(90, "_id", TypeKind::kString),
                                          MakeField(91, "_arrival", TypeKind::kTimestampTz)};
    iceberg::Schema schema;
    schema.fields = fields;
    auto first = testing::Rows(
        fields, "a1,CH,1.5,x@y,20000,1,id1,1000000\na2,DE,2.5,x@y,20001,2,id2,2000000\n");
    auto second =
        testing::Rows(fields, "b1,CH,10.5,x@y,20100,11,id3,3000000\nb2,,,x@y,,,id4,4000000\n");
    auto tail = testing::Rows(
        fields, "t1,FR,100,x@y,20200,21,id5,5000000\nt2,CH,200,x@y,20201,22,id6,6000000\n");
    auto files = std::make_shared<std::vector<iceberg::DataFile>>();
    for (const auto& chunk : {first, second}) {
      auto made = mesh_->Write(schema, {}, {{chunk, 0, chunk->rows()}},
                               "f" + std::to_string(files->size()));
      ASSERT_TRUE(made.ok()) << made.error().message();
      files->insert(files->end(), made->begin(), made->end());
    }
    Relation relation;
    for (const auto& field : fields) {
      if (field.id < 90 && field.name != "email") relation.columns.push_back(field);
      if (field.id >= 90) relation.hidden.push_back(field);
    }
    relation.files = files;
    relation.tail = {{tail, 0, 2}};
    mesh_->relations.all[{"sales", "orders"}] = relation;
    Relation only_tail;
    only_tail.columns = relation.columns;
    only_tail.tail = {{tail, 1, 2}};
    mesh_->relations.all[{"sales", "late"}] = only_tail;
    mesh_->relations.all[{"other", "late"}] = only_tail;
  }
  static void TearDownTestSuite() {
    delete mesh_;
    mesh_ = nullptr;
  }
  static std::string Ask(const std::string& sql, ResultFormat format = ResultFormat::kNdjson) {
    return mesh_->Ask(sql, format);
  }
  static SampleMesh* mesh_;
};
SampleMesh* QueryTest::mesh_ = nullptr;

TEST_F(QueryTest, ReadsFilesAndTailAsOneTable) {
  EXPECT_EQ(
      Ask("select order_id from sales.orders order by 1"),
      "{\"order_id\":\"a1\"}\n{\"order_id\":\"a2\"}\n{\"order_id\":\"b1\"}\n{\"order_id\":\"b2\"}\n"
      "{\"order_id\":\"t1\"}\n{\"order_id\":\"t2\"}\n");
  EXPECT_EQ(Ask("select count(*) n from orders"), "{\"n\":6}\n");
  EXPECT_EQ(Ask("from orders select sum(n) s, count(country) c"), "{\"s\":\"57\",\"c\":5}\n");
}

TEST_F(QueryTest, FiltersFilesAndTailAlike) {
  EXPECT_EQ(Ask("select order_id from orders where n > 11 order by 1"),
            "{\"order_id\":\"t1\"}\n{\"order_id\":\"t2\"}\n");
  EXPECT_EQ(Ask("select count(*) c from orders where country = 'CH'"), "{\"c\":3}\n");
  EXPECT_EQ(Ask("select count(*) c from orders where country is null"), "{\"c\":1}\n");
  EXPECT_EQ(Ask("select count(*) c from orders where country in ('FR', 'DE') or n = 11"),
            "{\"c\":3}\n");
  EXPECT_EQ(Ask("select order_id from orders where day = date '2024-10-04'"),
            "{\"order_id\":\"a1\"}\n");
  EXPECT_EQ(Ask("select order_id from orders where total between 2 and 11 order by total"),
            "{\"order_id\":\"a2\"}\n{\"order_id\":\"b1\"}\n");
  EXPECT_EQ(Ask("select order_id from orders where n::varchar like '2%' order by 1"),
            "{\"order_id\":\"a2\"}\n{\"order_id\":\"t1\"}\n{\"order_id\":\"t2\"}\n");
  EXPECT_EQ(Ask("select count(*) c from orders a join orders b using (order_id) where b.n < 3"),
            "{\"c\":2}\n");
  EXPECT_EQ(Ask("select order_id from orders order by n desc nulls last limit 1"),
            "{\"order_id\":\"t2\"}\n");
}

TEST_F(QueryTest, HiddenColumnsAreReachedByNameOnly) {
  EXPECT_THAT(Ask("select * from orders"), Not(HasSubstr("_id\":\"id")));
  EXPECT_EQ(Ask("select _id, _arrival from orders where _id >= 'id4' order by _id limit 1"),
            "{\"_id\":\"id4\",\"_arrival\":\"1970-01-01T00:00:04.000000Z\"}\n");
  EXPECT_EQ(Ask("select max(_id) m, count(distinct _arrival) c from orders"),
            "{\"m\":\"id6\",\"c\":6}\n");
}

TEST_F(QueryTest, AColumnThatIsNotGrantedDoesNotExist) {
  auto said = Ask("select email from orders");
  EXPECT_THAT(said, StartsWith("invalid"));
  EXPECT_THAT(said, Not(HasSubstr("x@y")));
  EXPECT_THAT(Ask("select emai from orders"), Not(HasSubstr("email")));
  EXPECT_THAT(Ask("select * from orders"), Not(HasSubstr("x@y")));
  EXPECT_THAT(Ask("describe orders"), Not(HasSubstr("email")));
  EXPECT_THAT(Ask("select columns('.*') from orders limit 1"), Not(HasSubstr("email")));
}

TEST_F(QueryTest, TheDatabaseForNamesWithoutOneMustBeOne) {
  const auto ask = [](const std::string& sql, const std::string& database) {
    TextSink sink;
    auto done = mesh_->Run({.sql = sql, .default_database = database}, sink);
    return done.ok() ? sink.text : done.error().message();
  };
  EXPECT_EQ(ask("select order_id from late", "other"), "{\"order_id\":\"t2\"}\n");
  EXPECT_EQ(ask("select count(*) c from orders", "OTHER"), "{\"c\":6}\n");
  EXPECT_EQ(ask("select 1 a", "sales"), "{\"a\":1}\n");
  for (const char* sql : {"select 1 a", "select count(*) c from orders", "show tables",
                          "select count(*) c from sales.orders"}) {
    EXPECT_EQ(ask(sql, "sale"),
              "there is no database \"sale\" of which you may read a table; did you mean "
              "\"sales\"?");
  }
}

TEST_F(QueryTest, NamesAreTheMeshs) {
  EXPECT_EQ(Ask("select order_id from sales.late"), "{\"order_id\":\"t2\"}\n");
  EXPECT_EQ(Ask("select sales.late.order_id from sales.late"), "{\"order_id\":\"t2\"}\n");
  EXPECT_THAT(Ask("select * from late"), HasSubstr("more than one database"));
  EXPECT_THAT(Ask("select * from oders"), HasSubstr("did you mean"));
  EXPECT_EQ(
      Ask("show tables"),
      "{\"database\":\"other\",\"name\":\"late\"}\n{\"database\":\"sales\",\"name\":\"late\"}\n"
      "{\"database\":\"sales\",\"name\":\"orders\"}\n");
  EXPECT_EQ(Ask("select table_name from information_schema.tables where table_schema = 'other'"),
            "{\"table_name\":\"late\"}\n");
  EXPECT_EQ(Ask("select count(*) c from information_schema.columns where table_name = 'orders'"),
            "{\"c\":5}\n");
  EXPECT_EQ(Ask("select schema_name from information_schema.schemata order by 1"),
            "{\"schema_name\":\"other\"}\n{\"schema_name\":\"sales\"}\n");
  EXPECT_EQ(Ask("with orders as (select 1 one) select * from orders"), "{\"one\":1}\n");
  EXPECT_THAT(Ask("with duckdb_views as (select * from duckdb_views) select * from duckdb_views"),
              HasSubstr("no table"));
}

TEST_F(QueryTest, DescribesSummarizesAndExplains) {
  EXPECT_THAT(Ask("describe orders"), HasSubstr("\"column_name\":\"order_id\""));
  EXPECT_THAT(Ask("summarize orders"), HasSubstr("\"column_name\":\"order_id\""));
  auto plan = Ask("explain analyze select * from orders where n > 1");
  EXPECT_THAT(plan, HasSubstr("explain"));
  EXPECT_THAT(plan, Not(HasSubstr("parquet")));
  EXPECT_THAT(plan, Not(HasSubstr("weft-")));
}

TEST_F(QueryTest, PrintsValuesInTheirDocumentedForms) {
  EXPECT_EQ(Ask("select 9223372036854775807 a, 170141183460469231731687303715884105727::hugeint b, "
                "1.50::decimal(38,2) c, "
                "'NaN'::double d, '-inf'::double e, timestamp '2026-11-01 10:00:00' f, "
                "'2026-11-01 10:00:00+00'::timestamptz g, date '2026-11-01' h, '\\xAB'::blob i, "
                "{'k': [1, null]} j, "
                "map {1: 'x'} k, null l, true m, 0.1::double n, 'a\"\n' o"),
            "{\"a\":9223372036854775807,\"b\":\"170141183460469231731687303715884105727\",\"c\":1."
            "50,\"d\":\"NaN\","
            "\"e\":\"-Infinity\",\"f\":\"2026-11-01T10:00:00.000000\",\"g\":\"2026-11-01T10:00:00."
            "000000Z\","
            "\"h\":\"2026-11-01\",\"i\":\"qw==\",\"j\":{\"k\":[1,null]},\"k\":{\"1\":\"x\"},\"l\":"
            "null,\"m\":true,"
            "\"n\":0.1,\"o\":\"a\\\"\\n\"}\n");
  EXPECT_EQ(Ask("select 1 a, 2 a, 3 a_1"), "{\"a\":1,\"a_2\":2,\"a_1\":3}\n");
  EXPECT_EQ(Ask("select 1 a, 'x,\"y' b, null c, '' d", ResultFormat::kCsv),
            "a,b,c,d\r\n1,\"x,\"\"y\",,\"\"\r\n");
  EXPECT_EQ(Ask("select * from range(2) t(i)", ResultFormat::kJson), "[{\"i\":0},\n{\"i\":1}]\n");
  EXPECT_EQ(Ask("select 1 where false", ResultFormat::kJson), "[]\n");
}

TEST_F(QueryTest, StreamsInOrderInPiecesOfAtMostAMebibyte) {
  TextSink sink;
  ASSERT_TRUE(mesh_->Run({.sql = "select i, repeat('x', 100) from range(50000) t(i)"}, sink).ok());
  EXPECT_EQ(sink.rows, 50000);
  EXPECT_GT(sink.pieces.size(), 4U);
  for (auto bytes : sink.pieces) EXPECT_LE(bytes, 1 << 20);
  size_t at = 0;
  for (int i = 0; i < 50000; i += 1000) {
    at = sink.text.find("{\"i\":" + std::to_string(i) + ",", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(QueryTest, LooksEachTableUpOnce) {
  mesh_->relations.finds = 0;
  Ask("select count(*) from sales.orders a, sales.orders b where a.n in (select n from "
      "sales.orders)");
  EXPECT_EQ(mesh_->relations.finds, 1);
}

}  // namespace
}  // namespace weft::engine
