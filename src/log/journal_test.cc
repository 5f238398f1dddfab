// SPDX-License-Identifier: Apache-2.0
// What the journal promises beyond the contract of every record log: restarts, damage, failing and
// full disks, other versions.
#include "log/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include "base/testing/sim_disk.h"
#include "codec/hash.h"
#include "log/inspect.h"
#include "log/segment.h"
#include "log/testing/appending.h"
#include "log/wire.h"

namespace weft::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kFolder = "data/journal";

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    Open();
    ASSERT_TRUE(log_->CreatePartition(orders_).ok());
    ASSERT_TRUE(log_->CreatePartition(clicks_).ok());
  }
  Result<std::unique_ptr<RecordLog>> TryOpen() {
    JournalOptions options = options_;
    return OpenJournal(options, disk_, SystemClock(), metrics_);
  }
  void Open() {
    auto log = TryOpen();
    ASSERT_TRUE(log.ok()) << log.error().message();
    log_ = std::move(*log);
  }
  void Crash() {
    disk_.CutPower();
    log_.reset();
    disk_.Restart();
  }
  void CrashAndOpen() {
    Crash();
    Open();
  }
  void StopAndOpen() {
    log_.reset();
    Open();
  }
  void Append(const PartitionName& partition, const std::vector<std::string>& values) {
    auto appended = AppendAndWait(*log_, partition, BatchOf(values));
    ASSERT_TRUE(appended.ok()) << appended.error().message();
  }
  Code AppendFailure(const PartitionName& partition) {
    auto appended = AppendAndWait(*log_, partition, BatchOf({"refused"}));
    EXPECT_FALSE(appended.ok());
    return appended.ok() ? Code::kInternal : appended.error().code();
  }
  std::vector<std::string> Values(const PartitionName& partition, Offset from = {0}) {
    auto values = ReadValues(*log_, partition, from);
    EXPECT_TRUE(values.ok()) << values.error().message();
    return values.ok() ? *values : std::vector<std::string>{};
  }
  size_t Files(const std::string& suffix) {
    auto paths = disk_.Paths();
    return static_cast<size_t>(std::count_if(
        paths.begin(), paths.end(), [&](const auto& path) { return path.ends_with(suffix); }));
  }
  // Housekeeping is another thread's work.
  template <class Condition>
  void Eventually(Condition condition) {
    for (int i = 0; i < 2000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(1));
    EXPECT_TRUE(condition());
  }

  SimDisk disk_{7};
  Metrics metrics_;
  JournalOptions options_{
      .folder = kFolder, .segment_bytes = int64_t{1} << 20, .free_bytes_min = 0};
  std::unique_ptr<RecordLog> log_;
  const PartitionName orders_{"orders/0"};
  const PartitionName clicks_{"clicks/0"};
  const std::string first_segment_ = SegmentPath(kFolder, 1);
};

TEST_F(JournalTest, ARestartKeepsEverything) {
  for (int restart = 0; restart < 5; ++restart) {
    Append(orders_, {"a" + std::to_string(restart), ""});
    Append(clicks_, {"b" + std::to_string(restart)});
    ASSERT_TRUE(log_->CreatePartition(PartitionName("p" + std::to_string(restart))).ok());
    if (restart % 2 == 0) {
      CrashAndOpen();
    } else {
      StopAndOpen();
    }
  }
  EXPECT_THAT(Values(orders_), ElementsAre("a0", "", "a1", "", "a2", "", "a3", "", "a4", ""));
  EXPECT_THAT(Values(clicks_), ElementsAre("b0", "b1", "b2", "b3", "b4"));
  EXPECT_EQ(log_->Partitions()->size(), 7u);
}

TEST_F(JournalTest, AnEmptyJournalRestarts) {
  CrashAndOpen();
  StopAndOpen();
  EXPECT_TRUE(Values(orders_).empty());
  Append(orders_, {"a"});
}

TEST_F(JournalTest, ArrivalDoesNotGoBackWhenTheClockDoes) {
  class BackwardClock final : public Clock {
   public:
    Timestamp Now() const override { return Timestamp(seconds(1'000'000 - calls_++)); }
    microseconds Elapsed() const override { return microseconds(0); }

   private:
    mutable std::atomic<int> calls_{0};
  };
  log_.reset();
  BackwardClock clock;
  Timestamp last;
  for (int restart = 0; restart < 3; ++restart) {
    auto log = OpenJournal(options_, disk_, clock, metrics_);
    ASSERT_TRUE(log.ok());
    for (int i = 0; i < 5; ++i) {
      auto appended = AppendAndWait(**log, orders_, BatchOf({"a"}));
      ASSERT_TRUE(appended.ok());
      EXPECT_GE(appended->arrival, last);
      last = appended->arrival;
    }
  }
}

TEST_F(JournalTest, ATornWriteIsCutOffAndNothingElse) {
  Append(orders_, {"kept"});
  disk_.FailCall(DiskCall::kSync, 1, Error(Code::kInternal, "no power soon"),
                 SimDisk::Then::kKeepFailing);
  EXPECT_EQ(AppendFailure(orders_), Code::kInternal);
  disk_.StopFailing();
  CrashAndOpen();
  auto values = Values(orders_);
  ASSERT_FALSE(values.empty());
  EXPECT_EQ(values.front(), "kept");
  EXPECT_LE(values.size(), 2u);
  Append(orders_, {"after"});
  CrashAndOpen();
  EXPECT_EQ(Values(orders_).back(), "after");
}

TEST_F(JournalTest, AfterAFailedSyncTheBatchNeverComesBack) {
  std::vector<std::string> kept;
  int refusals = 0;
  auto append = [&](const std::string& value) {
    auto appended = AppendAndWait(*log_, orders_, BatchOf({value}));
    if (appended.ok()) kept.push_back(value);
    if (appended.ok()) return;
    EXPECT_EQ(appended.error().code(), Code::kUnavailable);
    ++refusals;
  };
  for (int round = 0; round < 20; ++round) {
    append("before" + std::to_string(round));
    // Now and then it is housekeeping that meets it.
    disk_.FailCall(DiskCall::kSync, 1, Error(Code::kInternal, "input/output error"));
    append("failing" + std::to_string(round));
    append("after" + std::to_string(round));
    if (round % 3 == 0) CrashAndOpen();
    EXPECT_EQ(Values(orders_), kept);
  }
  EXPECT_GT(refusals, 5);
  CrashAndOpen();
  EXPECT_EQ(Values(orders_), kept);
}

TEST_F(JournalTest, AFailedWriteIsRefusedAndTheNextOneTaken) {
  Append(orders_, {"a"});
  disk_.FailCall(DiskCall::kWrite, 1, Error(Code::kUnavailable, "No space left on device"));
  EXPECT_EQ(AppendFailure(orders_), Code::kUnavailable);
  Append(orders_, {"b"});
  EXPECT_EQ(Files(".log"), 1u);
  CrashAndOpen();
  EXPECT_THAT(Values(orders_), ElementsAre("a", "b"));
}

TEST_F(JournalTest, AFullDiskRefusesAppendsServesReadsAndHeals) {
  Append(orders_, {"a"});
  disk_.SetCapacity(0);
  log_.reset();
  options_.free_bytes_min = 1000;
  Open();
  EXPECT_EQ(AppendFailure(orders_), Code::kUnavailable);
  EXPECT_THAT(Values(orders_), ElementsAre("a"));
  CrashAndOpen();
  EXPECT_THAT(Values(orders_), ElementsAre("a"));
  disk_.SetCapacity(int64_t{10} << 20);
  Append(orders_, {"b"});
  EXPECT_THAT(Values(orders_), ElementsAre("a", "b"));
}

TEST_F(JournalTest, ADiskThatFillsUpDuringAWriteRefusesAndHeals) {
  const std::string large(100'000, 'x');
  Append(orders_, {"a"});
  disk_.SetCapacity(300'000);
  Code last = Code::kInvalid;
  int taken = 1;
  for (int i = 0; i < 20; ++i) {
    auto appended = AppendAndWait(*log_, orders_, BatchOf({large}));
    if (appended.ok()) ++taken;
    if (!appended.ok()) last = appended.error().code();
  }
  EXPECT_EQ(last, Code::kUnavailable);
  EXPECT_EQ(Values(orders_).size(), static_cast<size_t>(taken));
  disk_.SetCapacity(int64_t{10} << 20);
  Append(orders_, {"b"});
  CrashAndOpen();
  EXPECT_EQ(Values(orders_).size(), static_cast<size_t>(taken) + 1);
}

TEST_F(JournalTest, WhenTheDiskIsBehindAppendsAreThrottled) {
  log_.reset();
  options_.pending_bytes_max = 10'000;
  Open();
  std::atomic<int> taken{0}, throttled{0};
  std::promise<void> hold;
  auto held = hold.get_future().share();
  // The answer of the first is kept waiting, and the writer with it.
  log_->Append(orders_, BatchOf({"first"}), [held, &taken](auto) {
    ++taken;
    held.wait();
  });
  Eventually([&] { return taken == 1; });
  for (int i = 0; i < 20; ++i) {
    log_->Append(orders_, BatchOf({std::string(1000, 'x')}), [&](const Result<Appended>& answer) {
      if (answer.ok()) ++taken;
      if (!answer.ok() && answer.error().code() == Code::kThrottled) ++throttled;
    });
  }
  EXPECT_GT(throttled, 0);
  hold.set_value();
  log_->Stop();
  EXPECT_EQ(taken + throttled, 21);
  EXPECT_EQ(log_->BoundsOf(orders_)->end.value, taken);
}

TEST_F(JournalTest, DamageIsToldAndKeptApart) {
  for (int i = 0; i < 20; ++i) {
    Append(orders_, {"order" + std::to_string(i) + std::string(2000, '.')});
    Append(clicks_, {"click" + std::to_string(i)});
  }
  for (bool indexed : {true, false}) {
    SCOPED_TRACE(indexed ? "indexed" : "scanned");
    if (indexed) {
      log_.reset();
      disk_.Damage(first_segment_, 20'000);
    } else {
      Crash();
      ASSERT_TRUE(disk_.Remove(IndexPath(kFolder, 1)).ok());
    }
    Open();
    EXPECT_EQ(Values(clicks_).size(), 20u);
    Offset from{0};
    int damaged = 0, good = 0;
    while (from.value < 20) {
      auto batches = log_->Read(orders_, from, {.bytes_max = 1});
      if (batches.ok()) {
        EXPECT_TRUE(batches->front().records.front().value.starts_with("order" +
                                                                       std::to_string(from.value)));
        ++good;
      } else {
        EXPECT_EQ(batches.error().code(), Code::kCorrupt);
        EXPECT_THAT(batches.error().message(), HasSubstr(first_segment_ + " at position"));
        ++damaged;
      }
      ++from.value;
    }
    EXPECT_EQ(damaged, 1);
    EXPECT_EQ(good, 19);
    EXPECT_EQ(log_->BoundsOf(orders_)->end.value, 20);
  }
}

TEST_F(JournalTest, OffsetsOfADamagedLastBatchAreNotGivenAgain) {
  Append(orders_, {"good"});
  Append(orders_, {"damaged", "too"});
  Append(clicks_, {"so that it is known to have been durable"});
  Crash();
  const int64_t body = 64 + 2 * 56 + 13 + 8;  // of the second batch
  disk_.Damage(first_segment_, body + 2);
  Open();
  EXPECT_EQ(log_->BoundsOf(orders_)->end.value, 3);
  EXPECT_EQ(log_->Read(orders_, {1}, {}).error().code(), Code::kCorrupt);
  auto appended = AppendAndWait(*log_, orders_, BatchOf({"next"}));
  ASSERT_TRUE(appended.ok());
  EXPECT_EQ(appended->first.value, 3);
  EXPECT_THAT(Values(orders_, {3}), ElementsAre("next"));
  StopAndOpen();
  EXPECT_EQ(log_->Read(orders_, {1}, {}).error().code(), Code::kCorrupt);
  EXPECT_THAT(Values(orders_, {3}), ElementsAre("next"));
}

TEST_F(JournalTest, ADamagedHeaderCostsNoRecord) {
  Append(orders_, {"a", "b"});
  Crash();
  disk_.Damage(first_segment_, 20);
  Open();
  EXPECT_THAT(Values(orders_), ElementsAre("a", "b"));
}

TEST_F(JournalTest, ADiskThatCannotBeReadNowSetsNoSegmentAside) {
  Append(orders_, {"a", "b"});
  log_.reset();
  disk_.Damage(first_segment_, 20);
  int failed = 0;
  for (int call = 1; call < 12; ++call) {
    SCOPED_TRACE(call);
    disk_.FailCall(DiskCall::kRead, call, Error(Code::kUnavailable, "not now"),
                   SimDisk::Then::kKeepFailing);
    if (!TryOpen().ok()) ++failed;
    disk_.StopFailing();
    EXPECT_EQ(Files(".damaged"), 0u);
  }
  EXPECT_GT(failed, 3);
  Open();
  EXPECT_THAT(Values(orders_), ElementsAre("a", "b"));
}

TEST_F(JournalTest, ADamagedIndexCostsNoRecord) {
  Append(orders_, {"a", "b"});
  log_.reset();
  disk_.Damage(IndexPath(kFolder, 1), 30);
  Open();
  EXPECT_THAT(Values(orders_), ElementsAre("a", "b"));
}

TEST_F(JournalTest, AClientCannotForgeAFrame) {
  // A copy of a true frame of this very segment, as a record's value, behind damage.
  Append(orders_, {"true"});
  auto frame = ReadFile(disk_, first_segment_);
  ASSERT_TRUE(frame.ok());
  Append(orders_, {frame->substr(64, 200)});
  Append(orders_, {"last"});
  Crash();
  disk_.Damage(first_segment_, 64 + 60);
  Open();
  EXPECT_EQ(log_->Read(orders_, {0}, {}).error().code(), Code::kCorrupt);
  EXPECT_EQ(log_->BoundsOf(orders_)->end.value, 3);
  EXPECT_THAT(Values(orders_, {2}), ElementsAre("last"));
}

TEST_F(JournalTest, ASegmentDamagedThroughoutIsSetAside) {
  Append(orders_, {"a"});
  log_.reset();
  Open();
  Append(orders_, {"b"});
  log_.reset();
  for (int64_t at : {0, 64}) disk_.Damage(first_segment_, at);
  ASSERT_TRUE(disk_.Remove(IndexPath(kFolder, 1)).ok());
  Open();
  EXPECT_EQ(Files(".damaged"), 1u);
  EXPECT_EQ(log_->Read(orders_, {0}, {}).error().code(), Code::kCorrupt);
  EXPECT_THAT(Values(orders_, {1}), ElementsAre("b"));
}

TEST_F(JournalTest, ASegmentThatGoesUnderTheJournalIsDamageAndNotTrimmed) {
  Append(orders_, {"a"});
  StopAndOpen();
  ASSERT_TRUE(disk_.Remove(first_segment_).ok());
  ASSERT_TRUE(disk_.Remove(IndexPath(kFolder, 1)).ok());
  EXPECT_EQ(log_->Read(orders_, {0}, {}).error().code(), Code::kCorrupt);
}

TEST_F(JournalTest, WithoutItsTableTheJournalIsNotRead) {
  Append(orders_, {"a"});
  log_.reset();
  disk_.Damage(std::string(kFolder) + "/partitions", 9);
  EXPECT_EQ(TryOpen().error().code(), Code::kCorrupt);
  ASSERT_TRUE(disk_.Remove(std::string(kFolder) + "/partitions").ok());
  EXPECT_EQ(TryOpen().error().code(), Code::kCorrupt);
}

TEST_F(JournalTest, ANewerJournalIsLeftAlone) {
  Append(orders_, {"a"});
  log_.reset();
  Bytes bytes = *ReadFile(disk_, first_segment_);
  bytes[8] = 3;
  PutNumber<uint32_t>(bytes.data() + 60, codec::Crc32c(BytesView(bytes).substr(0, 60)));
  ASSERT_TRUE(WriteFile(disk_, first_segment_, bytes).ok());
  auto paths = disk_.Paths();
  auto opened = TryOpen();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), Code::kNotOffered);
  EXPECT_THAT(opened.error().message(), HasSubstr("newer Weft"));
  EXPECT_EQ(disk_.Paths(), paths);
}

TEST_F(JournalTest, TrimmedSegmentsAreRemovedInAnyOrder) {
  log_.reset();
  options_.segment_bytes = 4096;
  Open();
  Append(clicks_, {"quiet, and kept"});
  for (int i = 0; i < 50; ++i) Append(orders_, {std::string(1000, 'x')});
  EXPECT_GT(Files(".log"), 10u);
  ASSERT_TRUE(log_->Trim(orders_, {49}).ok());
  // That of the quiet partition, the last, and perhaps the one that is written.
  Eventually([&] { return Files(".log") <= 3; });
  EXPECT_THAT(Values(clicks_), ElementsAre("quiet, and kept"));
  CrashAndOpen();
  EXPECT_EQ(log_->BoundsOf(orders_)->begin.value, 49);
  EXPECT_EQ(log_->BoundsOf(orders_)->end.value, 50);
  EXPECT_THAT(Values(clicks_), ElementsAre("quiet, and kept"));
  ASSERT_TRUE(log_->DeletePartition(clicks_).ok());
  ASSERT_TRUE(log_->Trim(orders_, {50}).ok());
  Eventually([&] { return Files(".log") == 0; });
  CrashAndOpen();
  EXPECT_EQ(log_->BoundsOf(orders_)->end.value, 50);
  Append(orders_, {"next"});
  EXPECT_THAT(Values(orders_, {50}), ElementsAre("next"));
}

TEST_F(JournalTest, SpaceBetweenKeptBatchesIsFreed) {
  log_.reset();
  options_.segment_bytes = 256 << 10;
  Open();
  auto freed = [&] {
    auto bytes = ReadFile(disk_, first_segment_);
    return bytes.ok() ? std::count(bytes->begin(), bytes->end(), '\0') : 0;
  };
  const PartitionName gone("gone");
  ASSERT_TRUE(log_->CreatePartition(gone).ok());
  for (int i = 0; i < 100; ++i) {
    Append(i % 2 == 0 ? orders_ : gone, {std::string(5000, 'x')});
    if (i % 20 == 10) Append(clicks_, {"quiet " + std::to_string(i), std::string(300, 'q')});
  }
  EXPECT_GT(Files(".log"), 1u);
  ASSERT_TRUE(log_->Trim(orders_, {49}).ok());
  ASSERT_TRUE(log_->DeletePartition(gone).ok());
  Eventually([&] { return freed() > 200'000; });
  const std::vector<std::string> kept = Values(clicks_);
  EXPECT_EQ(kept.size(), 10u);
  EXPECT_EQ(log_->Read(orders_, {0}, {}).error().code(), Code::kNotFound);
  EXPECT_EQ(Values(orders_, {49}).size(), 1u);
  for (const char* lost : {"", "index", "header"}) {
    SCOPED_TRACE(lost);
    log_.reset();
    auto verified = VerifyJournal(kFolder, disk_);
    ASSERT_TRUE(verified.ok());
    EXPECT_TRUE(verified->good());
    if (std::string_view(lost) != "header") {
      EXPECT_TRUE(verified->damaged.empty());
    }
    if (std::string_view(lost) == "index") {
      ASSERT_TRUE(disk_.Remove(IndexPath(kFolder, 1)).ok());
    }
    if (std::string_view(lost) == "header") disk_.Damage(first_segment_, 20);
    Open();
    EXPECT_EQ(Values(clicks_), kept);
    EXPECT_EQ(log_->BoundsOf(orders_)->begin.value, 49);
    EXPECT_EQ(Values(orders_, {49}).size(), 1u);
  }
}

TEST_F(JournalTest, ReadsAcrossSegmentsFromTheDiskAndFromMemory) {
  log_.reset();
  options_.segment_bytes = 64 << 10;
  Open();
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    expected.push_back(std::to_string(i) + std::string(static_cast<size_t>(i) * 7, 'x'));
    Append(orders_, {expected.back()});
    if (i % 3 == 0) Append(clicks_, {"between"});
  }
  EXPECT_EQ(Values(orders_), expected);
  StopAndOpen();
  EXPECT_EQ(Values(orders_), expected);
  EXPECT_EQ(Values(clicks_).size(), 100u);
  Append(orders_, {"more"});
  expected.push_back("more");
  CrashAndOpen();
  EXPECT_EQ(Values(orders_), expected);
}

TEST_F(JournalTest, ADeletedPartitionsAppendsOnTheWayAreNotFound) {
  std::atomic<int> not_found{0}, taken{0};
  std::thread appender([&] {
    for (int i = 0; i < 500; ++i) {
      log_->Append(orders_, BatchOf({"x"}), [&](const Result<Appended>& answer) {
        if (answer.ok()) ++taken;
        if (!answer.ok() && answer.error().code() == Code::kNotFound) ++not_found;
      });
    }
  });
  ASSERT_TRUE(log_->DeletePartition(orders_).ok());
  appender.join();
  log_->Stop();
  EXPECT_EQ(taken + not_found, 500);
  EXPECT_EQ(log_->BoundsOf(orders_).error().code(), Code::kNotFound);
}

TEST_F(JournalTest, ManyWaitersWakeForTheirOwnPartition) {
  std::vector<std::thread> waiters;
  std::atomic<int> woken{0};
  for (int i = 0; i < 50; ++i) {
    waiters.emplace_back([&, i] {
      auto bounds = log_->WaitPast(i % 2 == 0 ? orders_ : clicks_, {0}, seconds(30));
      EXPECT_TRUE(bounds.ok() && bounds->end.value == 1);
      ++woken;
    });
  }
  Append(orders_, {"a"});
  Eventually([&] { return woken == 25; });
  Append(clicks_, {"a"});
  for (auto& waiter : waiters) waiter.join();
}

// Counts what is read of the files with a suffix.
class ReadCountingDisk final : public Disk {
 public:
  ReadCountingDisk(Disk& inner, std::string suffix) : inner_(inner), suffix_(std::move(suffix)) {}
  int64_t bytes() const { return bytes_; }

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    auto file = TRY(inner_.Open(path, mode));
    if (!path.ends_with(suffix_)) return file;
    return std::make_unique<CountedFile>(std::move(file), bytes_);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return inner_.Rename(from, to);
  }
  Status Link(const std::string& from, const std::string& to) override {
    return inner_.Link(from, to);
  }
  Status Remove(const std::string& path) override { return inner_.Remove(path); }
  Status MakeFolders(const std::string& path) override { return inner_.MakeFolders(path); }
  Status SyncFolder(const std::string& path) override { return inner_.SyncFolder(path); }
  Result<std::vector<Entry>> List(const std::string& path) override { return inner_.List(path); }
  Result<int64_t> FreeBytes(const std::string& path) override { return inner_.FreeBytes(path); }

 private:
  class CountedFile final : public File {
   public:
    CountedFile(std::unique_ptr<File> inner, std::atomic<int64_t>& bytes)
        : inner_(std::move(inner)), bytes_(bytes) {}
    Status WriteAt(int64_t at, BytesView bytes) override { return inner_->WriteAt(at, bytes); }
    Result<Bytes> ReadAt(int64_t at, int64_t bytes) const override {
      auto read = TRY(inner_->ReadAt(at, bytes));
      bytes_ += static_cast<int64_t>(read.size());
      return read;
    }
    Status Sync() override { return inner_->Sync(); }
    Status Truncate(int64_t bytes) override { return inner_->Truncate(bytes); }
    Result<int64_t> Size() const override { return inner_->Size(); }

   private:
    const std::unique_ptr<File> inner_;
    std::atomic<int64_t>& bytes_;
  };

  Disk& inner_;
  const std::string suffix_;
  std::atomic<int64_t> bytes_{0};
};

TEST_F(JournalTest, OpeningReadsHeadersAndTheLastSegmentAlone) {
  log_.reset();
  options_.segment_bytes = 16 << 10;
  Open();
  for (int i = 0; i < 500; ++i) Append(orders_, {std::string(3000, 'x')});
  Eventually([&] { return Files(".index") + 1 >= Files(".log"); });
  Crash();
  const auto segments = static_cast<int64_t>(Files(".log"));
  EXPECT_GT(segments, 50);
  ReadCountingDisk counting(disk_, ".log");
  auto log = OpenJournal(options_, counting, SystemClock(), metrics_);
  ASSERT_TRUE(log.ok());
  // The last one, once to scan and once to make it durable, and its zeros.
  EXPECT_LT(counting.bytes(), segments * 64 + (int64_t{1} << 20));
  EXPECT_LT(counting.bytes(), 500 * 3000 / 2);
  EXPECT_EQ((*log)->BoundsOf(orders_)->end.value, 500);
}

TEST_F(JournalTest, RefusesOptionsThatCannotBe) {
  options_.segment_bytes = 100;
  EXPECT_EQ(TryOpen().error().code(), Code::kInvalid);
  options_.segment_bytes = int64_t{1} << 40;
  EXPECT_EQ(TryOpen().error().code(), Code::kInvalid);
}

TEST(JournalFolderTest, OnlyOneHasTheFolderAndAKilledProcessLosesNothingAnswered) {
  std::string folder = testing::TempDir() + "weft_journal_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const JournalOptions options{.folder = folder + "/deep/journal", .free_bytes_min = 0};
  const PartitionName orders("orders");
  Metrics metrics;
  int answers[2];
  ASSERT_EQ(pipe(answers), 0);
  const pid_t child = fork();
  if (child == 0) {
    Metrics own;
    auto log = OpenJournal(options, SystemDisk(), SystemClock(), own);
    if (!log.ok() || !(*log)->CreatePartition(orders).ok()) _exit(1);
    for (int i = 0;; ++i) {
      if (!AppendAndWait(**log, orders, BatchOf({std::to_string(i)})).ok()) _exit(2);
      if (write(answers[1], &i, sizeof i) != sizeof i) _exit(3);
    }
  }
  close(answers[1]);
  int last = -1;
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(read(answers[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
  auto second = OpenJournal(options, SystemDisk(), SystemClock(), metrics);
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  for (int next = 0; read(answers[0], &next, sizeof next) == static_cast<ssize_t>(sizeof next);)
    last = next;
  close(answers[0]);
  auto log = OpenJournal(options, SystemDisk(), SystemClock(), metrics);
  ASSERT_TRUE(log.ok()) << log.error().message();
  auto values = ReadValues(**log, orders);
  ASSERT_TRUE(values.ok());
  ASSERT_GT(values->size(), static_cast<size_t>(last));
  for (size_t i = 0; i < values->size(); ++i) EXPECT_EQ((*values)[i], std::to_string(i));
  log->reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace weft::log
