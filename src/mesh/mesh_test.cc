// SPDX-License-Identifier: Apache-2.0
#include "mesh/mesh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "mesh/testing/server.h"

namespace weft::mesh {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Declaration Read(const MeshFiles& files) {
  auto read = ReadDeclaration(files);
  EXPECT_TRUE(read.ok()) << read.error().message();
  return read.ok() ? std::move(*read) : Declaration();
}

// A mesh with one product of the columns n, name and what is said more.
Declaration Small(const std::string& mesh, const std::string& more_columns = "",
                  const std::string& more = "") {
  return Read(
      {{"mesh.yaml",
        "mesh: " + mesh + "\naccounts: { sales: { id: \"111111111111\" } }\nproducts:\n" +
            "  orders: { account: sales, database: sales, columns: [{ name: n, type: int }, "
            "{ name: name, type: string }" +
            more_columns + "]" + more + " }\n"}});
}

std::vector<std::string> Lines(const std::vector<Change>& changes) {
  std::vector<std::string> lines;
  for (const auto& change : changes)
    lines.push_back(fmt::format("{} {} {} {}", change.op, change.kind, change.name, change.what));
  return lines;
}

int64_t Publish(TestServer& server, const std::string& body) {
  auto intake = server.intakes().Find("orders");
  if (!intake.ok()) return -1;
  auto kept = std::make_shared<const Bytes>(body);
  std::promise<int64_t> answer;
  server.ingest().Accept({.intake = *intake, .object = "", .body = kept, .records = *kept},
                         [&](Result<ingest::Outcome> outcome) {
                           answer.set_value(outcome.ok() ? outcome->accepted : -1);
                         });
  return answer.get_future().get();
}

TEST(Meshes, AppliesTheStarterOnceAndThenNothing) {
  TestServer server;
  auto starter = Read(StarterMesh());
  auto planned = server.meshes().Plan(starter);
  ASSERT_TRUE(planned.ok()) << planned.error().message();
  auto applied = server.meshes().Apply(starter, false);
  ASSERT_TRUE(applied.ok()) << applied.error().message();
  EXPECT_EQ(Lines(*planned), Lines(*applied));
  EXPECT_THAT(Lines(*applied),
              testing::Contains("+ product orders table shop.orders, contract 1.0.0, 5 columns"));
  EXPECT_THAT(*server.meshes().Plan(starter), IsEmpty());
  server.Restart();
  EXPECT_THAT(*server.meshes().Apply(starter, false), IsEmpty());
  EXPECT_EQ(server.meshes().Products().size(), 2U);
  EXPECT_EQ(server.meshes().FindProduct("page-views")->name.text(), "page_views");
}

TEST(Meshes, ATableGetsTheColumnsThatItsContractGets) {
  TestServer server;
  ASSERT_TRUE(server.meshes().Apply(Small("m"), false).ok());
  EXPECT_EQ(Publish(server, R"({"n":1})"), 1);
  auto wider = Small("m", ", { name: note, type: string }");
  auto applied = server.meshes().Apply(wider, false);
  ASSERT_TRUE(applied.ok()) << applied.error().message();
  ASSERT_EQ(applied->size(), 1U);
  EXPECT_EQ((*applied)[0].op, '~');
  EXPECT_THAT((*applied)[0].what, HasSubstr("table sales.orders gets the columns note"));
  auto table = server.catalog().Find({"sales", "orders"});
  EXPECT_EQ(server.tables().Load(table->table.metadata_location)->metadata->schema().fields.size(),
            5U);
  EXPECT_EQ(Publish(server, R"({"n":1,"note":"x"})"), 1);
  auto narrower = server.meshes().Apply(Small("m"), false);
  ASSERT_FALSE(narrower.ok());
  EXPECT_EQ(narrower.error().code(), Code::kConflict);
  EXPECT_THAT(*server.meshes().Plan(wider), IsEmpty());
}

TEST(Meshes, RefusesWhatALiveProductCannotBecome) {
  TestServer server;
  ASSERT_TRUE(server.meshes().Apply(Small("m"), false).ok());
  auto partitioned = server.meshes().Plan(Small("m", "", ", delivery: { partition_by: [name] }"));
  ASSERT_FALSE(partitioned.ok());
  EXPECT_THAT(partitioned.error().message(),
              HasSubstr("partition_by of sales.orders cannot change from none to name"));
  auto moved = Read(
      {{"mesh.yaml",
        "mesh: m\naccounts: { sales: { id: \"111111111111\" } }\nproducts:\n"
        "  orders: { account: sales, database: other, columns: [{ name: n, type: int }] }\n"}});
  EXPECT_THAT(server.meshes().Plan(moved).error().message(),
              HasSubstr("its database cannot change from sales to other"));
  auto longer = server.meshes().Apply(Small("m", "", ", retention: 14d"), false);
  ASSERT_TRUE(longer.ok());
  EXPECT_EQ((*longer)[0].what, "retention 7 d -> 14 d");
}

TEST(Meshes, WhatOneMeshHasAnotherCannotDeclare) {
  TestServer server;
  ASSERT_TRUE(server.meshes().Apply(Small("m"), false).ok());
  auto other = server.meshes().Apply(Small("other"), false);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code(), Code::kConflict);
  EXPECT_THAT(other.error().message(), HasSubstr("belongs to the mesh 'm'"));
  EXPECT_THAT(*server.meshes().Destroy("other", true), IsEmpty());
  EXPECT_EQ(server.meshes().Products().size(), 1U);
}

TEST(Meshes, ADestroyedMeshFindsItsDataAgain) {
  TestServer server;
  ASSERT_TRUE(server.meshes().Apply(Small("m"), false).ok());
  EXPECT_EQ(Publish(server, R"([{"n":1},{"n":2}])"), 2);
  EXPECT_EQ(server.meshes().Apply(Read({{"mesh.yaml", "mesh: m\n"}}), false).error().code(),
            Code::kConflict);
  auto destroyed = server.meshes().Destroy("m", false);
  ASSERT_TRUE(destroyed.ok()) << destroyed.error().message();
  EXPECT_FALSE(server.catalog().Find({"sales", "orders"}).ok());
  EXPECT_EQ(server.intakes().Find("orders").error().code(), Code::kNotFound);
  server.Restart();
  auto again = server.meshes().Apply(Small("m", ", { name: note, type: string }"), false);
  ASSERT_TRUE(again.ok()) << again.error().message();
  ASSERT_TRUE(server.delivery().DeliverNow(ProductName("orders")).ok());
  auto status = server.meshes().StatusOf(ProductName("orders"));
  ASSERT_TRUE(status.ok()) << status.error().message();
  EXPECT_EQ(status->rows, 2);
  EXPECT_EQ(status->lag_records, 0);
}

TEST(Meshes, DestroyingWithTheDataLeavesNothing) {
  TestServer server;
  ASSERT_TRUE(server.meshes().Apply(Small("m"), false).ok());
  EXPECT_EQ(Publish(server, R"({"n":1})"), 1);
  ASSERT_TRUE(server.meshes().Destroy("m", false).ok());
  // What was kept goes too.
  auto destroyed = server.meshes().Destroy("m", true);
  ASSERT_TRUE(destroyed.ok()) << destroyed.error().message();
  EXPECT_EQ(destroyed->size(), 1U);
  EXPECT_THAT(*server.store.List("weft", "", "", 10), IsEmpty());
  EXPECT_THAT(*server.log->Partitions(), IsEmpty());
  ASSERT_TRUE(server.meshes().Apply(Small("other"), false).ok());
  EXPECT_EQ(server.meshes().StatusOf(ProductName("orders"))->rows, 0);
}

// Whichever call of the database or the object store fails, an apply is done whole or not at all.
template <class Arm, class Disarm>
void FailEverywhere(Arm arm, Disarm disarm) {
  for (int nth = 1; nth < 200; ++nth) {
    TestServer server;
    ASSERT_TRUE(server.meshes().Apply(Small("m"), false).ok());
    auto wider = Small("m", ", { name: note, type: string }", ", retention: 9d");
    arm(server, nth);
    auto applied = server.meshes().Apply(wider, false);
    const bool reached = disarm(server);
    server.Restart();
    ASSERT_TRUE(server.meshes().Recover().ok());
    auto before = server.meshes().Plan(Small("m"));
    auto after = server.meshes().Plan(wider);
    ASSERT_TRUE(after.ok());
    if (applied.ok()) {
      EXPECT_THAT(*after, IsEmpty()) << nth;
    } else {
      EXPECT_TRUE((before.ok() && before->empty()) || after->empty()) << nth;
    }
    EXPECT_EQ(Publish(server, R"({"n":1})"), 1);
    if (!reached) return;
  }
  FAIL() << "the failure was always reached";
}

TEST(Meshes, ApplyIsWholeOrNotAtAllWhenTheDatabaseFails) {
  FailEverywhere([](TestServer& server,
                    int nth) { server.database.FailNth(meta::FailingDatabase::Call::kAny, nth); },
                 [](TestServer& server) {
                   const bool reached = !server.database.armed();
                   server.database.FailNth(meta::FailingDatabase::Call::kAny, 0);
                   return reached;
                 });
}

TEST(Meshes, ApplyIsWholeOrNotAtAllWhenTheStoreFails) {
  FailEverywhere([](TestServer& server,
                    int nth) { server.store.FailNth(objects::FailingStore::Call::kAny, nth); },
                 [](TestServer& server) {
                   const bool reached = !server.store.armed();
                   server.store.FailNth(objects::FailingStore::Call::kAny, 0);
                   return reached;
                 });
}

}  // namespace
}  // namespace weft::mesh
