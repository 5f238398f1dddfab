// SPDX-License-Identifier: Apache-2.0
#include "iceberg/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::iceberg {
namespace {

constexpr const char* kEveryType =
    R"json({"type":"struct","schema-id":3,"identifier-field-ids":[1],"fields":[
  {"id":1,"name":"a","required":true,"type":"long","doc":"the key"},
  {"id":2,"name":"b","required":false,"type":"decimal(12, 2)"},
  {"id":3,"name":"c","required":false,"type":"fixed[16]"},
  {"id":4,"name":"d","required":false,"type":{"type":"list","element-id":5,"element-required":true,
    "element":{"type":"struct","fields":[{"id":6,"name":"x","required":false,"type":"timestamptz"}]}}},
  {"id":7,"name":"e","required":false,"type":{"type":"map","key-id":8,"key":"string","value-id":9,
    "value-required":false,"value":"uuid"}},
  {"id":10,"name":"f","required":false,"type":"boolean"}, {"id":11,"name":"g","required":false,"type":"int"},
  {"id":12,"name":"h","required":false,"type":"float"}, {"id":13,"name":"i","required":false,"type":"double"},
  {"id":14,"name":"j","required":false,"type":"date"}, {"id":15,"name":"k","required":false,"type":"time"},
  {"id":16,"name":"l","required":false,"type":"timestamp"}, {"id":17,"name":"m","required":false,"type":"binary"}]})json";

TEST(Schema, IsTheSameAfterJson) {
  auto schema = SchemaFromJson(kEveryType);
  ASSERT_TRUE(schema.ok()) << schema.error().message();
  EXPECT_EQ(schema->schema_id, 3);
  EXPECT_THAT(schema->identifier_field_ids, testing::ElementsAre(1));
  EXPECT_EQ(schema->fields[0].doc, "the key");
  EXPECT_EQ(schema->fields[1].type.precision, 12);
  EXPECT_EQ(schema->fields[3].type.fields[0].id, 5);
  EXPECT_TRUE(schema->fields[4].type.fields[0].required);
  auto again = SchemaFromJson(SchemaToJson(*schema));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->fields, schema->fields);
  EXPECT_EQ(again->identifier_field_ids, schema->identifier_field_ids);
}

TEST(Schema, SaysItsTypes) {
  auto schema = SchemaFromJson(kEveryType);
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(TypeText(schema->fields[1].type), "decimal(12,2)");
  EXPECT_EQ(TypeText(schema->fields[2].type), "fixed[16]");
  EXPECT_EQ(TypeText(schema->fields[3].type), "list<struct<x: timestamptz>>");
  EXPECT_EQ(TypeText(schema->fields[4].type), "map<string, uuid>");
}

TEST(Schema, GivesIdsLevelByLevel) {
  auto schema = SchemaFromJson(R"json({"type":"struct","fields":[
    {"id":0,"name":"a","required":false,"type":{"type":"struct","fields":[
      {"id":0,"name":"x","required":false,"type":{"type":"list","element-id":0,"element-required":false,
       "element":"int"}}]}},
    {"id":4,"name":"kept","required":false,"type":"int"},
    {"id":0,"name":"b","required":false,"type":{"type":"map","key-id":0,"key":"string","value-id":0,
     "value-required":false,"value":"int"}}]})json");
  ASSERT_TRUE(schema.ok()) << schema.error().message();
  int last = 10;
  AssignIds(schema->fields, last);
  EXPECT_EQ(schema->fields[0].id, 11);
  EXPECT_EQ(schema->fields[1].id, 4);
  EXPECT_EQ(schema->fields[2].id, 12);
  EXPECT_EQ(schema->fields[0].type.fields[0].id, 13);
  EXPECT_EQ(schema->fields[2].type.fields[0].id, 14);
  EXPECT_EQ(schema->fields[2].type.fields[1].id, 15);
  EXPECT_EQ(schema->fields[0].type.fields[0].type.fields[0].id, 16);
  EXPECT_EQ(last, 16);
}

TEST(Schema, RefusesWhatIsNoSchema) {
  for (
      const char* json :
      {"", "[]", "{}", R"json({"fields":{}})json", R"json({"fields":[1]})json",
       R"json({"fields":[{"id":"1","name":"a","required":true,"type":"int"}]})json",
       R"json({"fields":[{"id":1,"name":"a","required":true,"type":"integer"}]})json",
       R"json({"fields":[{"id":1,"name":"a","required":true}]})json",
       R"json({"fields":[{"id":1,"name":"a","required":true,"type":"decimal(39,0)"}]})json",
       R"json({"fields":[{"id":1,"name":"a","required":true,"type":"decimal(5,9)"}]})json",
       R"json({"fields":[{"id":1,"name":"a","required":true,"type":"fixed[0]"}]})json",
       R"json({"fields":[{"id":1,"name":"a","required":true,"type":"fixed[99999999999]"}]})json",
       R"json({"fields":[{"id":1,"name":"a","required":true,"type":{"type":"list"}}]})json",
       R"json({"fields":[{"id":1,"name":"a","required":true,"type":"int"},{"id":1,"name":"b","required":true,"type":"int"}]})json"}) {
    auto schema = SchemaFromJson(json);
    ASSERT_FALSE(schema.ok()) << json;
    EXPECT_EQ(schema.error().code(), Code::kCorrupt) << json;
  }
  EXPECT_EQ(SchemaFromJson(
                R"json({"fields":[{"id":1,"name":"a","required":true,"type":"timestamp_ns"}]})json")
                .error()
                .code(),
            Code::kNotOffered);
}

TEST(Schema, RefusesEndlessNesting) {
  std::string json = R"json({"fields":[{"id":1,"name":"a","required":true,"type":)json";
  for (int depth = 0; depth < 100'000; ++depth) {
    json += R"json({"type":"list","element-id":0,"element-required":true,"element":)json";
  }
  EXPECT_EQ(SchemaFromJson(json).error().code(), Code::kCorrupt);
  std::string closed = R"json({"fields":[{"id":1,"name":"a","required":true,"type":)json";
  for (int depth = 0; depth < 90; ++depth) {
    closed += R"json({"type":"list","element-id":0,"element-required":true,"element":)json";
  }
  closed += "\"int\"" + std::string(90, '}') + "}]}";
  EXPECT_EQ(SchemaFromJson(closed).error().code(), Code::kCorrupt);
}

}  // namespace
}  // namespace weft::iceberg
