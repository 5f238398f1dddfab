// SPDX-License-Identifier: Apache-2.0
#include "ingest/testing/product.h"

#include <future>

#include "base/check.h"
#include "log/testing/appending.h"

namespace weft::ingest {
namespace {

std::unique_ptr<meta::Database> OpenDatabase() {
  auto opened = meta::OpenSqlite({.path = "", .readers = 4});
  CHECK(opened.ok());
  CHECK(meta::Migrate(**opened, "stream", stream::Streams::Migrations()).ok());
  CHECK(meta::Migrate(**opened, "contract", contract::Contracts::Migrations()).ok());
  CHECK(meta::Migrate(**opened, "ingest", Intakes::Migrations()).ok());
  CHECK(meta::Migrate(**opened, "quarantine", Quarantine::Migrations()).ok());
  return std::move(*opened);
}

}  // namespace

TestProduct::TestProduct(Mode mode, const std::vector<contract::ShortColumn>& columns)
    : kept_database(OpenDatabase()),
      kept_log(log::OpenMemoryLog()),
      database(*kept_database),
      log(*kept_log) {
  Restart();
  intake = {.product = ProductName("orders"),
            .account = AccountId("111111111111"),
            .stream = stream::StreamName("orders"),
            .quarantine = stream::StreamName("orders.quarantine"),
            .mode = mode};
  auto contract = contract::FromShortForm("orders", columns);
  CHECK(contract.ok());
  CHECK(database
            .Transact([&](meta::Transaction& tx) -> Status {
              TRY(streams->Create(tx, {.name = intake.stream,
                                       .account = intake.account,
                                       .use = stream::Use::kProduct}));
              TRY(streams->Create(tx, {.name = intake.quarantine,
                                       .account = intake.account,
                                       .use = stream::Use::kInternal}));
              (void)TRY(contracts->Put(tx, intake.product, *contract));
              return intakes->Put(tx, intake);
            })
            .ok());
}

void TestProduct::Restart() {
  quarantine.reset();
  ingest.reset();
  streams =
      std::make_unique<stream::Streams>(stream::Streams::Options{}, database, log, clock, metrics);
  contracts = std::make_unique<contract::Contracts>(database);
  intakes = std::make_unique<Intakes>(database);
  ingest = std::make_unique<Ingest>(*contracts, *intakes, *streams, clock, SystemRandom(), metrics);
  CHECK(ingest->Recover(database, keys_max).ok());
  quarantine = std::make_unique<Quarantine>(database, *streams, *ingest);
}

Result<Outcome> TestProduct::Publish(const std::string& body, codec::RecordFormat format,
                                     const std::string& object) {
  auto kept = std::make_shared<const Bytes>(body);
  std::promise<Result<Outcome>> answer;
  ingest->Accept({.intake = std::make_shared<const Intake>(intake),
                  .object = object,
                  .format = format,
                  .body = kept,
                  .records = *kept},
                 [&](Result<Outcome> outcome) { answer.set_value(std::move(outcome)); });
  return answer.get_future().get();
}

void TestProduct::PublishOnce(const std::string& key, const std::string& body, Ingest::Done done) {
  auto kept = std::make_shared<const Bytes>(body);
  ingest->Accept({.intake = std::make_shared<const Intake>(intake),
                  .object = "",
                  .format = codec::RecordFormat::kJson,
                  .body = kept,
                  .records = *kept,
                  .idempotency_key = key},
                 std::move(done));
}

Result<Outcome> TestProduct::PublishOnce(const std::string& key, const std::string& body) {
  std::promise<Result<Outcome>> answer;
  PublishOnce(key, body, [&](Result<Outcome> outcome) { answer.set_value(std::move(outcome)); });
  return answer.get_future().get();
}

void TestProduct::SetContract(const contract::Contract& contract) {
  CHECK(database
            .Transact([&](meta::Transaction& tx) -> Status {
              (void)TRY(contracts->Put(tx, intake.product, contract));
              return {};
            })
            .ok());
}

std::vector<std::string> TestProduct::Values(const stream::StreamName& stream) {
  std::vector<std::string> values;
  auto bounds = streams->BoundsOf({stream, 0});
  CHECK(bounds.ok());
  auto at = bounds->begin;
  while (at < bounds->end) {
    auto batches = streams->Read({stream, 0}, at, {});
    CHECK(batches.ok());
    for (const auto& batch : *batches) {
      for (const auto& record : batch.records) values.emplace_back(record.value);
      at = batch.next();
    }
  }
  return values;
}

}  // namespace weft::ingest
