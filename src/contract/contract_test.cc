// SPDX-License-Identifier: Apache-2.0
#include "contract/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace weft::contract {
namespace {

using iceberg::TypeText;
using testing::ElementsAre;
using testing::HasSubstr;

std::string FileText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string Document(const std::string& properties) {
  return "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0\nstatus: active\nschema:\n  "
         "- name: t\n"
         "    properties:\n" +
         properties;
}

std::string Refusal(const std::string& text) {
  auto contract = ParseOdcs(text);
  return contract.ok() ? "accepted" : contract.error().message();
}

std::string RefusalOf(const std::string& property) {
  return Refusal(Document("      - " + property + "\n"));
}

// The type of a single property, as people read it.
std::string TypeOf(const std::string& property) {
  auto contract = ParseOdcs(Document("      - " + property + "\n"));
  if (!contract.ok()) return contract.error().message();
  return TypeText(contract->objects.at(0).columns.at(0).type);
}

TEST(ParseOdcs, TakesEveryExampleOfTheStandard) {
  std::filesystem::path folder = std::filesystem::path(WEFT_SHARED_DATA) / "odcs" / "examples";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    auto text = FileText(entry.path());
    auto contract = ParseOdcs(text);
    EXPECT_TRUE(contract.ok()) << entry.path() << ": "
                               << (contract.ok() ? "" : contract.error().message());
    EXPECT_TRUE(!contract.ok() || contract->text == text);
    ++count;
  }
  EXPECT_GE(count, 18);
}

TEST(ParseOdcs, MakesATableForEachObjectWithProperties) {
  std::filesystem::path folder = std::filesystem::path(WEFT_SHARED_DATA) / "odcs" / "examples";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  auto full = ParseOdcs(FileText(folder / "full-example.odcs.yaml"));
  ASSERT_TRUE(full.ok());
  ASSERT_EQ(full->objects.size(), 2U);
  EXPECT_EQ(full->objects[0].name, "tbl");
  EXPECT_THAT(full->objects[0].partition_columns, ElementsAre("transaction_reference_date"));
  EXPECT_EQ(full->objects[1].columns.size(), 4U);
  auto kafka = ParseOdcs(FileText(folder / "kafka-server.odcs.yaml"));
  ASSERT_TRUE(kafka.ok());
  ASSERT_EQ(kafka->objects.size(), 1U);
  EXPECT_TRUE(kafka->objects[0].columns.empty());
  auto none = ParseOdcs(FileText(folder / "azure-server.odcs.yaml"));
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->objects.empty());
}

TEST(ParseOdcs, KeepsTextAsItIsWritten) {
  auto contract = ParseOdcs(
      "{\"apiVersion\": \"v3.0.2\", \"kind\": \"DataContract\", \"id\": \"007\", \"version\": "
      "1.0,\n"
      " \"status\": \"active\"}");
  ASSERT_TRUE(contract.ok()) << contract.error().message();
  EXPECT_EQ(contract->version, "1.0");
}

TEST(ParseOdcs, TakesJson) {
  auto contract = ParseOdcs(
      "{\n\t\"apiVersion\": \"v3.0.2\", \"kind\": \"DataContract\", \"id\": \"i\",\n"
      "\t\"version\": \"1.0\", \"status\": \"active\", \"name\": \"\\ud83d\\ude00\"}");
  ASSERT_TRUE(contract.ok()) << contract.error().message();
  EXPECT_EQ(contract->name, "\xf0\x9f\x98\x80");
}

TEST(ParseOdcs, NamesTheLineAndTheNearestKey) {
  EXPECT_THAT(
      Refusal("apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1\nstatus: a\nservrs: []\n"),
      AllOf(HasSubstr("line 6"), HasSubstr("'servrs'"), HasSubstr("'servers'")));
  EXPECT_THAT(Refusal("a: [1\nb: 2\n"), HasSubstr("line"));
  EXPECT_THAT(RefusalOf("{ name: a, logicalTyp: string }"),
              AllOf(HasSubstr("line 9"), HasSubstr("did you mean 'logicalType'")));
  EXPECT_THAT(RefusalOf("{ name: a, logicalType: sting }"), HasSubstr("did you mean 'string'"));
}

TEST(ParseOdcs, RefusesWhatIsNotAContract) {
  EXPECT_THAT(Refusal(""), HasSubstr("expected"));
  EXPECT_THAT(Refusal("- 1\n- 2\n"), HasSubstr("not an ODCS document"));
  EXPECT_THAT(Refusal("hello"), HasSubstr("not an ODCS document"));
  EXPECT_THAT(Refusal("apiVersion: v2.2.2\nkind: DataContract\n"), HasSubstr("not offered"));
  EXPECT_THAT(Refusal("apiVersion: v3.1.0\nkind: DataProduct\n"), HasSubstr("not DataContract"));
  EXPECT_THAT(Refusal("apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1\n"),
              HasSubstr("'status'"));
  EXPECT_THAT(Refusal("apiVersion: v3.1.0\nkind: DataContract\nid: x\nid: y\n"),
              HasSubstr("twice"));
  EXPECT_THAT(Refusal("a: \xff\n"), HasSubstr("UTF-8"));
}

TEST(ParseOdcs, IsNotHurtByHostileYaml) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'k'; ++c) {
    bomb += fmt::format("{0}: &{0} [*{1},*{1},*{1},*{1},*{1},*{1},*{1},*{1},*{1},*{1}]\n", c,
                        static_cast<char>(c - 1));
  }
  EXPECT_THAT(Refusal(bomb), HasSubstr("too large"));
  EXPECT_THAT(Refusal(std::string(100'000, '[')), HasSubstr("not YAML"));
  EXPECT_THAT(Refusal(std::string(300, '[') + std::string(300, ']')),
              HasSubstr("nested too deeply"));
  EXPECT_THAT(Refusal("a: &a [*a]\n"), testing::Not("accepted"));
}

TEST(ParseOdcs, RefusesNamesThatNoTableCanHave) {
  EXPECT_THAT(RefusalOf("{ name: _id, logicalType: string }"), HasSubstr("Weft's own"));
  EXPECT_THAT(RefusalOf("{ name: _arrival, logicalType: string }"), HasSubstr("Weft's own"));
  EXPECT_THAT(RefusalOf("{ name: '', logicalType: string }"), HasSubstr("without a name"));
  EXPECT_THAT(Refusal(Document("      - { name: a }\n      - { name: A }\n")), HasSubstr("twice"));
  EXPECT_THAT(RefusalOf("{ name: o, logicalType: object, properties: [{ name: x }, { name: x }] }"),
              HasSubstr("twice"));
  EXPECT_EQ(RefusalOf("{ name: 1xx.hg nginx, logicalType: string }"), "accepted");
}

TEST(ParseOdcs, GivesEachTypeItsColumn) {
  EXPECT_EQ(TypeOf("{ name: a }"), "string");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: string, physicalType: varchar(20) }"), "string");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: string, physicalType: uuid }"), "uuid");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: string, physicalType: BINARY }"), "binary");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: string, physicalType: int }"), "string");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: integer }"), "long");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: integer, physicalType: Int }"), "int");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: integer, physicalType: tinyint }"), "int");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: integer, logicalTypeOptions: { format: u64 } }"),
            "decimal(20,0)");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: integer, logicalTypeOptions: { format: u16 } }"),
            "int");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: integer, physicalType: whatever }"), "long");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: number }"), "double");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: number, logicalTypeOptions: { format: f32 } }"),
            "float");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: number, physicalType: 'decimal(12, 2)' }"),
            "decimal(12,2)");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: number, physicalType: 'NUMERIC(5)' }"), "decimal(5,0)");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: boolean, physicalType: Flag }"), "boolean");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: date }"), "date");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: time }"), "time");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: date, physicalType: timestamp }"), "timestamptz");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: timestamp }"), "timestamptz");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: timestamp, physicalType: timestamp }"), "timestamptz");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: timestamp, physicalType: timestamp_ntz }"),
            "timestamp");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: timestamp, logicalTypeOptions: { timezone: false } }"),
            "timestamp");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: object }"), "string");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: array }"), "string");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: array, items: { logicalType: integer } }"),
            "list<long>");
  EXPECT_EQ(TypeOf("{ name: a, logicalType: object, physicalType: 'map<string,double>' }"),
            "map<string, double>");
  EXPECT_EQ(TypeOf("{ name: a, physicalType: 'decimal(50,2)' }"),
            "line 9: t.a: 'decimal(50,2)': a decimal has 1 to 38 digits, and no larger scale");
}

TEST(ParseOdcs, RefusesLimitsThatDoNotFitTheirType) {
  EXPECT_THAT(RefusalOf("{ name: a, logicalType: integer, logicalTypeOptions: { minimum: 0.5 } }"),
              HasSubstr("fit"));
  EXPECT_THAT(
      RefusalOf(
          "{ name: a, logicalType: integer, logicalTypeOptions: { minimum: 9, maximum: 3 } }"),
      HasSubstr("leave no value"));
  EXPECT_THAT(RefusalOf("{ name: a, logicalType: integer, logicalTypeOptions: { minLength: 3 } }"),
              HasSubstr("unknown"));
  EXPECT_THAT(RefusalOf("{ name: a, logicalType: string, logicalTypeOptions: { minLength: -1 } }"),
              HasSubstr("whole number"));
  EXPECT_THAT(
      RefusalOf("{ name: a, logicalType: date, logicalTypeOptions: { minimum: '2020-02-30' } }"),
      HasSubstr("does not fit"));
  EXPECT_THAT(RefusalOf("{ name: a, logicalType: number, logicalTypeOptions: { multipleOf: 0 } }"),
              HasSubstr("more than 0"));
  EXPECT_THAT(RefusalOf("{ name: a, logicalType: string, logicalTypeOptions: { format: telex } }"),
              HasSubstr("'telex'"));
  EXPECT_THAT(
      RefusalOf("{ name: a, logicalType: date, logicalTypeOptions: { format: 'EEE d MMM' } }"),
      HasSubstr("offered are"));
  EXPECT_THAT(RefusalOf("{ name: a, logicalType: string, items: { logicalType: string } }"),
              HasSubstr("only an array"));
  EXPECT_THAT(RefusalOf("{ name: a, logicalType: string, required: maybe }"),
              HasSubstr("true or false"));
}

TEST(ParseOdcs, RefusesPatternsThatCannotBeHeld) {
  for (auto pattern : {"(", "(?i)a", "a++", "(?>a)", "\\\\Aa", "(*ACCEPT)", "(?<=a+)b", "\\\\"}) {
    EXPECT_THAT(RefusalOf(fmt::format(
                    "{{ name: a, logicalType: string, logicalTypeOptions: {{ pattern: \"{}\" }} }}",
                    pattern)),
                HasSubstr("the pattern"))
        << pattern;
  }
}

TEST(ShortForm, GivesEachHiveTypeItsColumn) {
  auto contract = FromShortForm("orders", {{"a", "int"},
                                           {"b", "BIGINT"},
                                           {"c", "smallint"},
                                           {"d", "decimal"},
                                           {"e", "decimal(12,2)"},
                                           {"f", "timestamp"},
                                           {"g", "array<struct<sku:string, n:int, at:timestamp>>"},
                                           {"h", "map<string,decimal(5,1)>"},
                                           {"i", "varchar(3)"},
                                           {"j", "binary"},
                                           {"k", "float"},
                                           {"l", "boolean"},
                                           {"odd key: \"1\"", "date"}});
  ASSERT_TRUE(contract.ok()) << contract.error().message();
  std::vector<std::string> types;
  for (const auto& column : contract->objects.at(0).columns) types.push_back(TypeText(column.type));
  EXPECT_THAT(
      types, ElementsAre("int", "long", "int", "decimal(10,0)", "decimal(12,2)", "timestamp",
                         testing::StartsWith("list<struct<"), "map<string, decimal(5,1)>", "string",
                         "binary", "float", "boolean", "date"));
  EXPECT_EQ(contract->objects[0].columns[2].integer_format, "i16");
  EXPECT_EQ(contract->objects[0].columns[8].limits.length_max, 3);
  EXPECT_EQ(contract->objects[0].columns[12].name, "odd key: \"1\"");
  EXPECT_EQ(contract->objects[0].columns[6].children[0].children[2].type.kind,
            iceberg::TypeKind::kTimestamp);
  EXPECT_EQ(contract->name, "orders");
  EXPECT_FALSE(contract->objects[0].columns[0].required);
  EXPECT_TRUE(ParseOdcs(contract->text).ok());
}

TEST(ShortForm, NamesTheColumnWhoseTypeIsWrong) {
  for (auto type : {"integr", "timestamptz", "decimal(39,0)", "array<int", "map<int>", "struct<a>",
                    "varchar(0)", ""}) {
    auto contract = FromShortForm("p", {{"ok", "int"}, {"bad", type}});
    ASSERT_FALSE(contract.ok()) << type;
    EXPECT_EQ(contract.error().code(), Code::kInvalid);
    EXPECT_THAT(contract.error().message(), HasSubstr("'bad'"));
  }
  EXPECT_FALSE(FromShortForm("p", {}).ok());
  auto reserved = FromShortForm("p", {{"_id", "int"}});
  ASSERT_FALSE(reserved.ok());
  // The lines of a document that nobody wrote help nobody.
  EXPECT_EQ(reserved.error().message().substr(0, 18), "p: the name '_id' ");
}

std::vector<std::string> NamesAndIds(const std::vector<iceberg::Field>& fields) {
  std::vector<std::string> out;
  for (const auto& field : fields) out.push_back(fmt::format("{}:{}", field.name, field.id));
  return out;
}

SchemaObject Object(const std::vector<ShortColumn>& columns) {
  auto contract = FromShortForm("p", columns);
  return contract.ok() ? contract->objects.at(0) : SchemaObject{};
}

TEST(MakeTableSchema, GivesIdsFromThreeAndItsOwnColumnsLast) {
  auto table =
      MakeTableSchema(Object({{"a", "int"}, {"s", "struct<x:int,y:int>"}, {"b", "string"}}));
  EXPECT_THAT(NamesAndIds(table.schema.fields),
              ElementsAre("a:3", "s:4", "b:5", "_id:1", "_arrival:2"));
  EXPECT_THAT(NamesAndIds(table.schema.fields[1].type.fields), ElementsAre("x:6", "y:7"));
  EXPECT_EQ(table.last_column_id, 7);
  EXPECT_TRUE(table.schema.fields[3].required);
}

TEST(Evolve, LeavesTheSchemaAloneWhenNothingChanged) {
  auto object = Object({{"a", "int"}, {"s", "struct<x:int>"}});
  auto table = MakeTableSchema(object);
  auto same = Evolve(table.schema, table.last_column_id, object);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->schema.fields, table.schema.fields);
  EXPECT_EQ(same->last_column_id, table.last_column_id);
}

TEST(Evolve, AddsOptionalColumnsAtEveryLevelWithNewIds) {
  auto table = MakeTableSchema(
      Object({{"a", "int"}, {"s", "struct<x:int>"}, {"l", "array<struct<p:int>>"}}));
  auto wider = Evolve(table.schema, table.last_column_id,
                      Object({{"n", "string"},
                              {"a", "int"},
                              {"s", "struct<x:int,y:int>"},
                              {"l", "array<struct<p:int,q:date>>"}}));
  ASSERT_TRUE(wider.ok()) << wider.error().message();
  EXPECT_THAT(NamesAndIds(wider->schema.fields),
              ElementsAre("a:3", "s:4", "l:5", "n:9", "_id:1", "_arrival:2"));
  EXPECT_THAT(NamesAndIds(wider->schema.fields[1].type.fields), ElementsAre("x:6", "y:10"));
  EXPECT_EQ(wider->last_column_id, 11);
}

TEST(Evolve, RefusesEachOtherChangeWithItsReason) {
  auto refusal = [](const std::string& before, const std::string& after) {
    auto old_contract = ParseOdcs(Document(before));
    auto new_contract = ParseOdcs(Document(after));
    if (!old_contract.ok() || !new_contract.ok()) return std::string("unreadable");
    auto table = MakeTableSchema(old_contract->objects[0]);
    auto next = Evolve(table.schema, table.last_column_id, new_contract->objects[0]);
    EXPECT_TRUE(next.ok() || next.error().code() == Code::kInvalid);
    return next.ok() ? std::string("accepted") : next.error().message();
  };
  std::string a = "      - { name: a, logicalType: integer }\n",
              b = "      - { name: b, logicalType: string }\n";
  EXPECT_THAT(refusal(a, "      - { name: a, logicalType: number }\n"),
              HasSubstr("from long to double"));
  EXPECT_THAT(refusal(a + b, a), HasSubstr("column 'b' is gone"));
  EXPECT_THAT(refusal(a + b, a + "      - { name: c, logicalType: string }\n"),
              HasSubstr("column 'b' is gone"));
  EXPECT_THAT(refusal(a, a + "      - { name: b, logicalType: string, required: true }\n"),
              HasSubstr("new and required"));
  EXPECT_THAT(refusal(a, "      - { name: a, logicalType: integer, required: true }\n"),
              HasSubstr("now required"));
  EXPECT_THAT(refusal("      - { name: a, logicalType: integer, required: true }\n", a),
              HasSubstr("no longer required"));
  EXPECT_THAT(refusal("      - { name: o, logicalType: object, properties: [{ name: x, "
                      "logicalType: date }] }\n",
                      "      - { name: o, logicalType: object, properties: [{ name: x, "
                      "logicalType: time }] }\n"),
              HasSubstr("'o.x'"));
  EXPECT_EQ(
      refusal(b,
              "      - { name: b, logicalType: string, logicalTypeOptions: { maxLength: 3 } }\n"),
      "accepted");
}

}  // namespace
}  // namespace weft::contract
