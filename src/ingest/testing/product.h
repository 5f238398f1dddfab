// SPDX-License-Identifier: Apache-2.0
// A product to publish to: meta, a log in memory that can be made to fail, and ingest over them.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "contract/contracts.h"
#include "ingest/ingest.h"
#include "ingest/quarantine.h"
#include "log/testing/failing_log.h"
#include "log/testing/memory_log.h"
#include "meta/sqlite.h"
#include "meta/testing/failing_database.h"

namespace weft::ingest {

// The system's clock, some time later.
class LaterClock final : public Clock {
 public:
  Timestamp Now() const override { return SystemClock().Now() + later_.load(); }
  microseconds Elapsed() const override { return SystemClock().Elapsed() + later_.load(); }
  void Pass(microseconds time) { later_ = later_.load() + time; }

 private:
  std::atomic<microseconds> later_ = microseconds(0);
};

struct TestProduct {
  explicit TestProduct(Mode mode, const std::vector<contract::ShortColumn>& columns = {
                                      {"id", "bigint"}, {"name", "string"}});

  // Publishes and waits for the answer.
  Result<Outcome> Publish(const std::string& body,
                          codec::RecordFormat format = codec::RecordFormat::kJson,
                          const std::string& object = "");
  // JSON with an idempotency key.
  void PublishOnce(const std::string& key, const std::string& body, Ingest::Done done);
  Result<Outcome> PublishOnce(const std::string& key, const std::string& body);
  void SetContract(const contract::Contract& contract);
  // What a stream holds: all values, in order.
  std::vector<std::string> Values(const stream::StreamName& stream);
  // As after a crash: everything but the log and the database is made anew.
  void Restart();

  std::unique_ptr<meta::Database> kept_database;
  std::unique_ptr<log::RecordLog> kept_log;
  meta::FailingDatabase database;
  log::FailingLog log;
  Metrics metrics;
  LaterClock clock;
  int64_t keys_max = 2'000'000;
  std::unique_ptr<stream::Streams> streams;
  std::unique_ptr<contract::Contracts> contracts;
  std::unique_ptr<Intakes> intakes;
  std::unique_ptr<Ingest> ingest;
  std::unique_ptr<Quarantine> quarantine;
  Intake intake;
};

}  // namespace weft::ingest
