// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "log/journal.h"
#include "log/testing/failing_log.h"
#include "log/testing/memory_log.h"
#include "log/testing/record_log_contract.h"

namespace weft::log {
namespace {

OpenedLog OpenMemory() {
  std::shared_ptr<RecordLog> log = OpenMemoryLog();
  return {.holder = log, .log = log.get()};
}

struct JournalInFolder {
  std::string folder;
  Metrics metrics;
  std::unique_ptr<RecordLog> log;
  ~JournalInFolder() {
    log.reset();
    std::filesystem::remove_all(folder);
  }
};

OpenedLog OpenJournalOnDisk(int64_t segment_bytes) {
  std::string folder = testing::TempDir() + "weft_log_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return {};
  auto held = std::make_shared<JournalInFolder>();
  held->folder = folder;
  auto log = OpenJournal({.folder = folder, .segment_bytes = segment_bytes, .free_bytes_min = 0},
                         SystemDisk(), SystemClock(), held->metrics);
  EXPECT_TRUE(log.ok()) << log.error().message();
  if (!log.ok()) return {};
  held->log = std::move(*log);
  return {.holder = held, .log = held->log.get()};
}

// The wrapper, told to fail nothing, is a log like another.
OpenedLog OpenWrapped() {
  struct Held {
    std::unique_ptr<RecordLog> inner = OpenMemoryLog();
    FailingLog outer{*inner};
  };
  auto held = std::make_shared<Held>();
  return {.holder = held, .log = &held->outer};
}

INSTANTIATE_TEST_SUITE_P(Memory, RecordLogContract, testing::Values(OpenMemory));
INSTANTIATE_TEST_SUITE_P(Wrapped, RecordLogContract, testing::Values(OpenWrapped));
INSTANTIATE_TEST_SUITE_P(Journal, RecordLogContract,
                         testing::Values([] { return OpenJournalOnDisk(int64_t{64} << 20); }));
// Segments so small that everything crosses from one into the next.
INSTANTIATE_TEST_SUITE_P(SmallSegments, RecordLogContract,
                         testing::Values([] { return OpenJournalOnDisk(4096); }));

TEST(FailingLogTest, FailsTheCallItWasToldTo) {
  auto inner = OpenMemoryLog();
  FailingLog log(*inner);
  const PartitionName orders("orders");
  ASSERT_TRUE(log.CreatePartition(orders).ok());
  log.FailCall(LogCall::kAppend, 2, Error(Code::kUnavailable, "told to"));
  EXPECT_TRUE(AppendAndWait(log, orders, BatchOf({"a"})).ok());
  EXPECT_EQ(AppendAndWait(log, orders, BatchOf({"b"})).error().code(), Code::kUnavailable);
  EXPECT_TRUE(AppendAndWait(log, orders, BatchOf({"c"})).ok());
  EXPECT_EQ(log.Calls(LogCall::kAppend), 3);
  log.FailCall(LogCall::kRead, 1, Error(Code::kCorrupt, "told to"), FailingLog::Then::kKeepFailing);
  EXPECT_FALSE(log.Read(orders, {0}, {}).ok());
  EXPECT_FALSE(log.Read(orders, {0}, {}).ok());
  EXPECT_THAT(*ReadValues(*inner, orders), testing::ElementsAre("a", "c"));
}

}  // namespace
}  // namespace weft::log
