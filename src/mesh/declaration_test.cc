// SPDX-License-Identifier: Apache-2.0
#include "mesh/declaration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace weft::mesh {
namespace {

using testing::HasSubstr;

// A mesh that is right, in which a test replaces one piece.
const char* const kGood = R"(mesh: shop
accounts:
  sales: { id: "111111111111" }
  analytics: { id: "333333333333" }
products:
  orders:
    account: sales
    database: sales
    columns:
      - { name: id, type: bigint }
      - { name: at, type: timestamp }
      - { name: day, type: date }
      - { name: price, type: double }
    ingest: { mode: partial }
    retention: 7d
    delivery: { buffer_size: 64 MiB, buffer_interval: 60 s, partition_by: [day(at)] }
groups:
  query: { account: analytics, policies: [policies/query.json] }
users:
  ada: { account: analytics, groups: [query] }
grants:
  - { to: user/ada, table: sales.orders, columns: [id] }
)";
const char* const kPolicy =
    R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "weft:Query", "Resource": "*"}]})";

MeshFiles Files(const std::string& mesh) {
  return {{"mesh.yaml", mesh}, {"policies/query.json", kPolicy}};
}

std::string Replaced(std::string text, const std::string& piece, const std::string& by) {
  const size_t at = text.find(piece);
  EXPECT_NE(at, std::string::npos) << piece;
  return at == std::string::npos ? text : text.replace(at, piece.size(), by);
}

TEST(Declaration, ReadsWhatItSays) {
  auto read = ReadDeclaration(Files(kGood));
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->mesh, "shop");
  ASSERT_EQ(read->products.size(), 1U);
  const auto& orders = read->products[0];
  EXPECT_EQ(orders.mode, ingest::Mode::kPartial);
  EXPECT_EQ(orders.unknown_fields, contract::UnknownFields::kRefuse);
  EXPECT_EQ(orders.record_bytes_max, 1 << 20);
  EXPECT_EQ(orders.retention, std::chrono::hours(168));
  EXPECT_THAT(orders.partition_by, testing::ElementsAre("day(at)"));
  ASSERT_EQ(orders.contract.objects.size(), 1U);
  EXPECT_EQ(orders.contract.objects[0].columns.size(), 4U);
  EXPECT_EQ(read->groups[0].policies[0].document, kPolicy);
}

TEST(Declaration, StarterIsRightAndNamesItsFiles) {
  const auto& starter = StarterMesh();
  auto read = ReadDeclaration(starter);
  ASSERT_TRUE(read.ok()) << read.error().message();
  auto named = NamedFiles(starter.at("mesh.yaml"));
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(named->size() + 1, starter.size());
}

MeshFiles ReadDirectory(const std::string& root) {
  MeshFiles files;
  auto read = [&](const std::string& path) {
    std::ifstream in(root + "/" + path);
    std::stringstream text;
    text << in.rdbuf();
    files[path] = text.str();
  };
  read("mesh.yaml");
  auto named = NamedFiles(files["mesh.yaml"]);
  EXPECT_TRUE(named.ok());
  for (const auto& path : *named) read(path);
  return files;
}

TEST(Declaration, TakesTheExampleAsItStands) {
  const std::string root = WEFT_SHARED_DATA "/../mesh-example";
  if (!std::filesystem::exists(root)) GTEST_SKIP() << "needs " << root;
  auto read = ReadDeclaration(ReadDirectory(root));
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->products.size(), 2U);
}

TEST(Declaration, TakesTheProjectsOwnExamples) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_SOURCE_DIR "/examples")) {
    if (!entry.is_directory()) continue;
    ++count;
    auto read = ReadDeclaration(ReadDirectory(entry.path()));
    EXPECT_TRUE(read.ok()) << entry.path() << ": " << read.error().message();
  }
  EXPECT_GE(count, 3);
}

// One replacement in the good mesh, and the one line that must be said of it.
struct BadCase {
  const char* name;
  const char* piece;
  const char* by;
  const char* fault;
};

class BadMesh : public testing::TestWithParam<BadCase> {};

TEST_P(BadMesh, SaysWhatIsWrongAndWhere) {
  const auto& bad = GetParam();
  auto read = ReadDeclaration(Files(Replaced(kGood, bad.piece, bad.by)));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), Code::kInvalid);
  EXPECT_THAT("\n" + read.error().message() + "\n",
              HasSubstr(std::string("\n") + bad.fault + "\n"));
}

const BadCase kBadCases[] = {
    {"NoMeshName", "mesh: shop\n", "", "mesh.yaml:1: mesh is required"},
    {"BadMeshName", "mesh: shop", "mesh: my shop",
     "mesh.yaml:1: mesh: 'my shop' is not a name: letters, digits, - _ . and 64 at most"},
    {"UnknownKeyAtTheTop", "groups:\n", "gruops:\n",
     "mesh.yaml:17: unknown key 'gruops'; is 'groups' meant?"},
    {"UnknownKeyOfAProduct", "retention: 7d", "retension: 7d",
     "mesh.yaml:15: unknown key 'retension' in products.orders; is 'retention' meant?"},
    {"UnknownKeyWithoutANearOne", "retention: 7d", "zzz: 7d",
     "mesh.yaml:15: unknown key 'zzz' in products.orders"},
    {"UnknownKeyOfIngest", "{ mode: partial }", "{ mod: partial }",
     "mesh.yaml:14: unknown key 'mod' in products.orders.ingest; is 'mode' meant?"},
    {"UnknownKeyOfAGrant", "columns: [id] }", "colums: [id] }",
     "mesh.yaml:22: unknown key 'colums' in grants[0]; is 'columns' meant?"},
    {"KeyTwice", "retention: 7d", "retention: 7d\n    retention: 8d",
     "mesh.yaml:16: products.orders.retention comes twice, first in line 15"},
    {"SectionTwice", "users:\n", "accounts: {}\nusers:\n",
     "mesh.yaml:19: accounts comes twice, first in line 2"},
    {"AccountTwice", "  analytics:", "  sales: { id: \"111111111112\" }\n  analytics:",
     "mesh.yaml:4: accounts.sales comes twice, first in line 3"},
    {"ProductTwice", "groups:\n",
     "  orders: { account: sales, database: sales, columns: [{ name: a, type: int }] }\ngroups:\n",
     "mesh.yaml:17: products.orders comes twice, first in line 6"},
    {"ProductsAlike", "groups:\n",
     "  a-b: { account: sales, database: x, columns: [{ name: a, type: int }] }\n"
     "  a_b: { account: sales, database: y, columns: [{ name: a, type: int }] }\ngroups:\n",
     "mesh.yaml:18: the products 'a-b' and 'a_b' are one name: - and _ count alike"},
    {"ShortAccountId", "333333333333", "3333",
     "mesh.yaml:4: accounts.analytics.id: '3333' is not twelve digits"},
    {"AccountIdTwice", "333333333333", "111111111111",
     "mesh.yaml:4: accounts.analytics.id: 111111111111 is the id of sales already"},
    {"ServersOwnAccount", "333333333333", "000000000000",
     "mesh.yaml:4: accounts.analytics: the account 000000000000, named root, is the server's own"},
    {"AccountWithoutId", "{ id: \"333333333333\" }", "{ }",
     "mesh.yaml:4: accounts.analytics.id is required"},
    {"NoSuchAccountOfAProduct", "account: sales", "account: sale",
     "mesh.yaml:7: there is no account 'sale'; is 'sales' meant?"},
    {"NoSuchAccountOfAUser", "ada: { account: analytics", "ada: { account: nobody",
     "mesh.yaml:20: there is no account 'nobody'"},
    {"ProductWithoutAccount", "    account: sales\n", "",
     "mesh.yaml:7: products.orders.account is required"},
    {"ProductWithoutDatabase", "    database: sales\n", "",
     "mesh.yaml:7: products.orders.database is required"},
    {"ReservedDatabase", "database: sales", "database: information_schema",
     "mesh.yaml:8: 'information_schema' cannot name a database: SQL has it for its own"},
    {"BadDatabaseName", "database: sales", "database: 1st",
     "mesh.yaml:8: '1st' cannot name a table or database: a letter, then letters, digits, - and _ "
     "(128 at most)"},
    {"BadProductName", "  orders:\n", "  or/ders:\n",
     "mesh.yaml:6: 'or/ders' cannot name a product: letters, digits, - and _, 64 at most"},
    {"NoSuchContract", "retention: 7d", "contract: orders.yaml",
     "mesh.yaml:9: products.orders has both contract and columns: one of them says it all"},
    {"ColumnNamedTwice", "{ name: day, type: date }", "{ name: id, type: date }",
     "mesh.yaml:12: products.orders.columns: the column 'id' comes twice, first in line 10"},
    {"ColumnWithoutType", "{ name: day, type: date }", "{ name: day }",
     "mesh.yaml:12: products.orders.columns[2].type is required"},
    {"UnknownMode", "mode: partial", "mode: both",
     "mesh.yaml:14: products.orders.ingest.mode: 'both' is neither atomic nor partial"},
    {"UnknownUnknownFields", "mode: partial", "unknown_fields: keep",
     "mesh.yaml:14: products.orders.ingest.unknown_fields: 'keep' is neither refuse nor ignore"},
    {"RecordTooSmall", "mode: partial", "record_bytes_max: 1 B",
     "mesh.yaml:14: products.orders.ingest.record_bytes_max: 1 B is not within 1 KiB and 10 MiB"},
    {"RecordTooLarge", "mode: partial", "record_bytes_max: 11 MiB",
     "mesh.yaml:14: products.orders.ingest.record_bytes_max: 11 MiB is not within 1 KiB and 10 "
     "MiB"},
    {"RetentionTooShort", "retention: 7d", "retention: 23h",
     "mesh.yaml:15: products.orders.retention: 23h is not within 24h and 365d"},
    {"RetentionTooLong", "retention: 7d", "retention: 366d",
     "mesh.yaml:15: products.orders.retention: 366d is not within 24h and 365d"},
    {"DurationWithoutUnit", "retention: 7d", "retention: 7",
     "mesh.yaml:15: products.orders.retention: not a duration: '7' (write it as '60 s', '24h' or "
     "'7d')"},
    {"SizeWithoutUnit", "buffer_size: 64 MiB", "buffer_size: 64",
     "mesh.yaml:16: products.orders.delivery.buffer_size: not a size: '64' (write it as '64 MiB' "
     "or '10 MB')"},
    {"BufferTooLarge", "buffer_size: 64 MiB", "buffer_size: 1 GiB",
     "mesh.yaml:16: products.orders.delivery.buffer_size: 1 GiB is not within 1 MiB and 128 MiB"},
    {"IntervalTooLong", "buffer_interval: 60 s", "buffer_interval: 901 s",
     "mesh.yaml:16: products.orders.delivery.buffer_interval: 901 s is not within 0 s and 900 s"},
    {"IntervalNegative", "buffer_interval: 60 s", "buffer_interval: -1 s",
     "mesh.yaml:16: products.orders.delivery.buffer_interval: not a duration: '-1 s' (write it as "
     "'60 s', '24h' or "
     "'7d')"},
    {"PartitionByNoColumn", "day(at)", "day(aat)",
     "mesh.yaml:16: products.orders, table sales.orders: partition_by: there is no column 'aat'; "
     "is 'at' meant?"},
    {"PartitionByUnknownFunction", "day(at)", "week(at)",
     "mesh.yaml:16: products.orders: partition_by: 'week(at)' is none of year(), month(), day() "
     "and hour()"},
    {"PartitionByUnclosed", "[day(at)]", "[\"day(at\"]",
     "mesh.yaml:16: products.orders: partition_by: 'day(at' lacks its )"},
    {"PartitionHourOfADate", "day(at)", "hour(day)",
     "mesh.yaml:16: products.orders, table sales.orders: partition_by: hour(day) does not go with "
     "a column of type date"},
    {"PartitionByADouble", "day(at)", "price",
     "mesh.yaml:16: products.orders, table sales.orders: partition_by: price does not go with a "
     "column of type double"},
    {"PartitionTwice", "[day(at)]", "[day(at), day(at)]",
     "mesh.yaml:16: products.orders, table sales.orders: partition_by: day(at) comes twice"},
    {"PartitionNotAList", "[day(at)]", "day(at)",
     "mesh.yaml:16: products.orders.delivery.partition_by is not a list"},
    {"NoSuchPolicyFile", "policies/query.json", "policies/qury.json",
     "mesh.yaml:18: groups.query.policies: there is no file 'policies/qury.json'; is "
     "'policies/query.json' meant?"},
    {"PolicyOutside", "policies/query.json", "../query.json",
     "mesh.yaml:18: groups.query.policies: '../query.json' is not a path within the directory"},
    {"PolicyAbsolute", "policies/query.json", "/etc/passwd",
     "mesh.yaml:18: groups.query.policies: '/etc/passwd' is not a path within the directory"},
    {"PolicyTwice", "[policies/query.json]", "[policies/query.json, policies/query.json]",
     "mesh.yaml:18: groups.query.policies: 'policies/query.json' comes twice"},
    {"NoSuchGroup", "groups: [query]", "groups: [querry]",
     "mesh.yaml:20: users.ada: there is no group 'querry'; is 'query' meant?"},
    {"GroupTwice", "groups: [query]", "groups: [query, query]",
     "mesh.yaml:20: users.ada: the group 'query' comes twice"},
    {"GrantToNobody", "user/ada", "user/adda",
     "mesh.yaml:22: there is no user 'adda'; is 'ada' meant?"},
    {"GrantToAKindless", "user/ada", "ada",
     "mesh.yaml:22: 'ada' is not user/, group/, role/ or account/ and a name"},
    {"GrantToAnUnknownAccount", "user/ada", "account/nobody",
     "mesh.yaml:22: there is no account 'nobody'"},
    {"GrantToARole", "user/ada", "role/etl",
     "mesh.yaml:22: 'role/etl': this version has no roles; grant to a user, group or account"},
    {"GrantOfNoTable", "sales.orders", "sales.order",
     "mesh.yaml:22: there is no table 'sales.order'; is 'sales.orders' meant?"},
    {"GrantOfNoColumn", "columns: [id]", "columns: [idd]",
     "mesh.yaml:22: the table sales.orders has no column 'idd'; is 'id' meant?"},
    {"GrantColumnTwice", "columns: [id]", "columns: [id, id]",
     "mesh.yaml:22: the column 'id' is granted twice"},
    {"GrantOfNoColumns", "columns: [id]", "columns: []",
     "mesh.yaml:22: grants[0].columns is empty: leave it out to grant all columns"},
    {"GrantTwice", "columns: [id] }\n",
     "columns: [id] }\n  - { to: user/ada, table: sales.orders, columns: [id] }\n",
     "mesh.yaml:23: the same grant as in line 22"},
    {"GrantWithoutTable", ", table: sales.orders, columns: [id]", "",
     "mesh.yaml:22: grants[0].table is required"},
    {"GrantsNotAList", "  - { to: user/ada, table: sales.orders, columns: [id] }\n",
     "  to: user/ada\n", "mesh.yaml:22: grants is not a list"},
    {"AccountsNotAMap", "users:\n  ada: { account: analytics, groups: [query] }", "users: [ada]",
     "mesh.yaml:19: users is not a map of names"},
    {"ListWhereTextBelongs", "retention: 7d", "retention: [7d]",
     "mesh.yaml:15: products.orders.retention is not a single value"},
    {"SecondDocument", "grants:\n", "---\ngrants:\n",
     "mesh.yaml:22: a second document begins here: one file is one mesh"},
};

INSTANTIATE_TEST_SUITE_P(All, BadMesh, testing::ValuesIn(kBadCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Declaration, ListsAllFaultsUpToTwenty) {
  std::string mesh = "mesh: m\nproducts:\n";
  for (int i = 0; i < 30; ++i)
    mesh += fmt::format(
        "  p{}: {{ account: a, database: d, columns: [{{ name: x, type: int }}] }}\n", i);
  auto read = ReadDeclaration({{"mesh.yaml", mesh}});
  ASSERT_FALSE(read.ok());
  const auto& text = read.error().message();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 20);
  EXPECT_THAT(text, HasSubstr("\nand 10 more"));
}

TEST(Declaration, RefusesWhatIsNoYamlOfAMesh) {
  for (const std::string text :
       {"", "[]", "mesh: [", "\xff\xfe", "a: &x [*x]", "? [a]\n: b\n", "mesh: !!python/x y"}) {
    auto read = ReadDeclaration({{"mesh.yaml", text}});
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code(), Code::kInvalid);
    EXPECT_TRUE(read.error().message().starts_with("mesh.yaml:")) << read.error().message();
  }
  EXPECT_FALSE(ReadDeclaration({}).ok());
}

TEST(Declaration, BoundsDepthAndAliases) {
  std::string deep = "mesh: ";
  for (int i = 0; i < 10'000; ++i) deep += '[';
  EXPECT_FALSE(ReadDeclaration({{"mesh.yaml", deep}}).ok());
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) bomb += fmt::format("a{}: &a{} [*a{}, *a{}]\n", i, i, i - 1, i - 1);
  auto read = ReadDeclaration({{"mesh.yaml", bomb}});
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.error().message(), HasSubstr("too large"));
}

TEST(Declaration, NamesTheFileOfABadContractOrPolicy) {
  auto mesh = Replaced(
      kGood,
      "    columns:\n      - { name: id, type: bigint }\n      - { name: at, type: timestamp }\n"
      "      - { name: day, type: date }\n      - { name: price, type: double }\n",
      "    contract: orders.odcs.yaml\n");
  auto files = Files(mesh);
  files["orders.odcs.yaml"] = "kind: Nothing\n";
  files["policies/query.json"] = "{";
  auto read = ReadDeclaration(files);
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.error().message(), HasSubstr("orders.odcs.yaml:"));
  EXPECT_THAT(read.error().message(), HasSubstr("policies/query.json:1: "));
}

TEST(NamedFiles, RefusesPathsOutside) {
  for (const char* path : {"../a.yaml", "/a.yaml", "a/../../b.yaml", "a//b", "''"}) {
    auto named = NamedFiles(fmt::format("products:\n  p: {{ contract: {} }}\n", path));
    ASSERT_FALSE(named.ok()) << path;
    EXPECT_THAT(named.error().message(), HasSubstr("mesh.yaml:2: "));
  }
}

}  // namespace
}  // namespace weft::mesh
