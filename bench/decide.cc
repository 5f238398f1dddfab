// SPDX-License-Identifier: Apache-2.0
// Times the access decision of govern with many grants, and prints it as one JSON object.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <vector>

#include "govern/govern.h"
#include "meta/sqlite.h"

namespace weft::bench {
namespace {

constexpr int kTables = 1000;
constexpr int kUsers = 2000;
constexpr int kGroups = 200;
constexpr int kGroupsOfAUser = 5;
const char* const kAccount = "420000000001";

using SteadyClock = std::chrono::steady_clock;

struct Mesh {
  std::unique_ptr<meta::Database> database;
  std::unique_ptr<identity::Directory> directory;
  std::unique_ptr<govern::Govern> govern;
};

catalog::TableName TableOf(int i) {
  return {.database = fmt::format("database_{}", i % 20), .table = fmt::format("table_{}", i)};
}

// Half of the grants are to users, half to groups; each names a table and three of its columns.
govern::Grant MakeGrant(int i) {
  const bool group = i % 2 == 0;
  return {.id = fmt::format("bench/grants[{}]", i),
          .to = {.kind = group ? identity::PrincipalRef::Kind::kGroup
                               : identity::PrincipalRef::Kind::kUser,
                 .account = AccountId(kAccount),
                 .name = group ? fmt::format("group_{}", i / 2 % kGroups)
                               : fmt::format("user_{}", i / 2 % kUsers)},
          .table = TableOf(static_cast<int>(static_cast<unsigned>(i) * 7919u % kTables)),
          .columns = {fmt::format("column_{}", i % 10), fmt::format("column_{}", i % 7), "id"}};
}

identity::Principal UserOf(unsigned i) {
  identity::Principal principal;
  principal.account = AccountId(kAccount);
  principal.name = fmt::format("user_{}", i % kUsers);
  principal.arn = fmt::format("arn:aws:iam::{}:user/{}", kAccount, principal.name);
  for (unsigned g = 0; g < kGroupsOfAUser; ++g) {
    principal.groups.push_back(fmt::format("group_{}", (i + g * 41) % kGroups));
  }
  return principal;
}

Result<Mesh> MakeMesh(int grants) {
  Mesh mesh;
  mesh.database = TRY(meta::OpenSqlite({.path = "", .readers = 1}));
  TRY(meta::Migrate(*mesh.database, "identity", identity::Directory::Migrations()));
  TRY(meta::Migrate(*mesh.database, "govern", govern::Govern::Migrations()));
  mesh.directory = std::make_unique<identity::Directory>(
      identity::Directory::Options{.master_key = Bytes(32, 'k')}, *mesh.database, SystemClock(),
      SystemRandom());
  mesh.govern = std::make_unique<govern::Govern>(*mesh.database, *mesh.directory);
  Status put = mesh.database->Transact([&](meta::Transaction& tx) -> Status {
    for (int i = 0; i < grants; ++i) TRY(mesh.govern->PutGrant(tx, MakeGrant(i)));
    return {};
  });
  TRY(put);
  return mesh;
}

double Nanoseconds(const std::vector<int64_t>& sorted, double part) {
  const auto at = static_cast<size_t>(part * static_cast<double>(sorted.size()));
  return static_cast<double>(sorted[std::min(at, sorted.size() - 1)]);
}

int Measure(int grants, int decisions) {
  auto mesh = MakeMesh(grants);
  if (!mesh.ok()) {
    fmt::print(stderr, "error: {}\n", mesh.error().message());
    return 1;
  }
  std::vector<identity::Principal> users;
  for (unsigned i = 0; i < kUsers; ++i) users.push_back(UserOf(i));
  std::vector<catalog::TableName> tables;
  for (int i = 0; i < kTables; ++i) tables.push_back(TableOf(i));

  std::vector<int64_t> times;
  times.reserve(static_cast<size_t>(decisions));
  int64_t allowed = 0;
  uint64_t state = 88172645463325252ull;
  for (int i = 0; i < decisions; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    const auto& user = users[state % kUsers];
    const auto& table = tables[(state >> 32) % kTables];
    const auto start = SteadyClock::now();
    const govern::Access access = mesh->govern->AccessTo(user, table);
    times.push_back(
        std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now() - start).count());
    allowed += access.any ? 1 : 0;
  }
  std::sort(times.begin(), times.end());
  fmt::print(
      R"({{"grants": {}, "decisions": {}, "allowed": {}, "p50_ns": {:.0f}, "p99_ns": {:.0f}, )"
      R"("p999_ns": {:.0f}}})"
      "\n",
      mesh->govern->Grants().size(), decisions, allowed, Nanoseconds(times, 0.5),
      Nanoseconds(times, 0.99), Nanoseconds(times, 0.999));
  return 0;
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) {
  int grants = 100'000, decisions = 400'000;
  CLI::App app("Times the access decision.");
  app.add_option("--grants", grants)->check(CLI::PositiveNumber);
  app.add_option("--decisions", decisions)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  return weft::bench::Measure(grants, decisions);
}
