// SPDX-License-Identifier: Apache-2.0
// Gives batches to Ingest::Accept in this process and prints as one JSON object what each takes of
// the processor and, once everything is warm, of the heap. The journal writes to no disk: what is
// measured is the way from a body to the log and to columns.
#include <fmt/format.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "counted_heap.h"
#include "ingest/ingest.h"
#include "instant_disk.h"
#include "log/journal.h"
#include "meta/sqlite.h"
#include "sample_records.h"
#include "tail/tail.h"

namespace weft::bench {
namespace {

struct Options {
  std::string contract = "bench/mesh/events.odcs.yaml", folder = "ingest-bench";
  std::string format = "json";
  size_t records = 500, bodies = 64;
  int rounds = 5, requests = 400;
  bool drafts = true;
};

template <class T>
T Must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "error: {}\n", result.error().message());
    std::exit(1);
  }
  return *std::move(result);
}
void Must(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "error: {}\n", status.error().message());
  std::exit(1);
}

int64_t CpuNanoseconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

contract::Contract ReadContract(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return Must(contract::ParseOdcs(text.str()));
}

meta::Database& Migrated(meta::Database& database) {
  Must(meta::Migrate(database, "stream", stream::Streams::Migrations()));
  Must(meta::Migrate(database, "contract", contract::Contracts::Migrations()));
  Must(meta::Migrate(database, "ingest", ingest::Intakes::Migrations()));
  return database;
}

// The modules between a body and the columns, with one product.
struct Ground {
  explicit Ground(const Options& options)
      : database(Must(meta::OpenSqlite({}))),
        log(Must(log::OpenJournal({.folder = options.folder}, disk, SystemClock(), metrics))),
        streams({}, Migrated(*database), *log, SystemClock(), metrics),
        contracts(*database),
        intakes(*database),
        tail({}, streams, contracts, metrics),
        ingest(contracts, intakes, streams, SystemClock(), SystemRandom(), metrics, &tail) {
    const auto contract = ReadContract(options.contract);
    Must(database->Transact([&](meta::Transaction& tx) -> Status {
      TRY(streams.Create(
          tx, {.name = intake.stream, .account = intake.account, .use = stream::Use::kProduct}));
      (void)TRY(contracts.Put(tx, intake.product, contract));
      return intakes.Put(tx, intake);
    }));
    const auto& object = contract.objects.front();
    feed = {
        .table_id = 1, .product = intake.product, .stream = intake.stream, .object = object.name};
    schema = std::make_shared<const iceberg::Schema>(contract::MakeTableSchema(object).schema);
    if (options.drafts) Must(tail.Follow(feed, schema, {{0, 0}}));
  }

  Metrics metrics;
  InstantDisk disk;
  std::unique_ptr<meta::Database> database;
  std::unique_ptr<log::RecordLog> log;
  stream::Streams streams;
  contract::Contracts contracts;
  ingest::Intakes intakes;
  tail::Tail tail;
  ingest::Ingest ingest;
  tail::Feed feed;
  int64_t released = 0;
  std::shared_ptr<const iceberg::Schema> schema;
  ingest::Intake intake{.product = ProductName("events"),
                        .account = AccountId("111111111111"),
                        .stream = stream::StreamName("events"),
                        .quarantine = stream::StreamName("events.quarantine")};
};

std::vector<std::shared_ptr<const Bytes>> MakeBodies(const Options& options) {
  std::vector<std::shared_ptr<const Bytes>> bodies;
  for (size_t i = 0; i < options.bodies; ++i) {
    Bytes body;
    if (options.format == "json") {
      body = MakeBody(i * options.records, options.records);
    } else {
      for (size_t r = 0; r < options.records; ++r) {
        AppendRecord(body, i * options.records + r);
        body += '\n';
      }
    }
    body.reserve(body.size() + 64);  // as http::Request promises
    bodies.push_back(std::make_shared<const Bytes>(std::move(body)));
  }
  return bodies;
}

struct Seen {
  int64_t bytes = 0;
  int64_t accept_ns = 0, all_ns = 0;
  int64_t accept_allocations = 0, all_allocations = 0;
};

Seen Round(Ground& on, const Options& options,
           const std::vector<std::shared_ptr<const Bytes>>& bodies) {
  Seen seen;
  const auto intake = std::make_shared<const ingest::Intake>(on.intake);
  std::atomic<int64_t> answered = 0, failed = 0;
  const int64_t all_before = CpuNanoseconds(CLOCK_PROCESS_CPUTIME_ID);
  const int64_t allocations_before = AllocationsOfAll();
  for (int i = 0; i < options.requests; ++i) {
    const auto& body = bodies[static_cast<size_t>(i) % bodies.size()];
    ingest::Submission submission{.intake = intake,
                                  .object = {},
                                  .format = options.format == "json" ? codec::RecordFormat::kJson
                                                                     : codec::RecordFormat::kNdjson,
                                  .body = body,
                                  .records = *body};
    const int64_t before = CpuNanoseconds(CLOCK_THREAD_CPUTIME_ID);
    const int64_t allocated = AllocationsOfThisThread();
    on.ingest.Accept(std::move(submission), [&](Result<ingest::Outcome> outcome) {
      if (!outcome.ok() || outcome->errors_total > 0) ++failed;
      ++answered;
    });
    seen.accept_allocations += AllocationsOfThisThread() - allocated;
    seen.accept_ns += CpuNanoseconds(CLOCK_THREAD_CPUTIME_ID) - before;
    seen.bytes += static_cast<int64_t>(body->size());
    while (answered < i - 8) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  while (answered < options.requests) std::this_thread::sleep_for(std::chrono::microseconds(50));
  if (failed > 0) {
    fmt::print(stderr, "error: {} requests were not taken\n", failed.load());
    std::exit(1);
  }
  if (options.drafts) {
    const auto rows = Must(on.tail.Rows(on.feed, on.schema, {{0, on.released}}));
    if (rows.rows != static_cast<int64_t>(options.records) * options.requests) std::abort();
    on.released = rows.end.at(0);
    on.tail.Release(on.feed.table_id, rows.end);
  }
  seen.all_ns = CpuNanoseconds(CLOCK_PROCESS_CPUTIME_ID) - all_before;
  seen.all_allocations = AllocationsOfAll() - allocations_before;
  return seen;
}

int Run(const Options& options) {
  std::filesystem::remove_all(options.folder);
  const auto bodies = MakeBodies(options);
  Seen best;
  {
    Ground on(options);
    for (int round = 0; round <= options.rounds; ++round) {
      const Seen seen = Round(on, options, bodies);
      if (round == 0) continue;  // the warm-up
      if (round == 1 || seen.accept_ns < best.accept_ns) best = seen;
    }
  }
  std::filesystem::remove_all(options.folder);
  const auto requests = static_cast<double>(options.requests);
  const double records = requests * static_cast<double>(options.records);
  fmt::print(
      R"({{"records": {}, "body_bytes": {:.0f}, "accept_ns_per_byte": {:.3f}, "all_ns_per_byte": {:.3f}, )"
      R"("allocations_per_request": {:.1f}, "allocations_per_record": {:.4f}, )"
      R"("all_allocations_per_request": {:.1f}, "all_allocations_per_record": {:.4f}}})"
      "\n",
      options.records, static_cast<double>(best.bytes) / requests,
      static_cast<double>(best.accept_ns) / static_cast<double>(best.bytes),
      static_cast<double>(best.all_ns) / static_cast<double>(best.bytes),
      static_cast<double>(best.accept_allocations) / requests,
      static_cast<double>(best.accept_allocations) / records,
      static_cast<double>(best.all_allocations) / requests,
      static_cast<double>(best.all_allocations) / records);
  return 0;
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) {
  weft::bench::Options options;
  CLI::App app("What a batch takes from its body to the log and to columns, as JSON.");
  app.add_option("--contract", options.contract, "of the records of the bench");
  app.add_option("--folder", options.folder, "made, and removed afterwards");
  app.add_option("--format", options.format)->check(CLI::IsMember({"json", "ndjson"}));
  app.add_option("--records", options.records, "in each request")->check(CLI::PositiveNumber);
  app.add_option("--requests", options.requests, "in each round");
  app.add_option("--rounds", options.rounds, "after the warm-up; the best one is told");
  app.add_flag("!--no-drafts", options.drafts, "rows are made from the log");
  CLI11_PARSE(app, argc, argv);
  return weft::bench::Run(options);
}
