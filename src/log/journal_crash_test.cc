// SPDX-License-Identifier: Apache-2.0
// Random runs of the journal on a simulated disk that fails and loses power, held against a model:
// what was acknowledged stays, nothing is invented, order is kept, what was refused never comes
// back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <future>
#include <map>
#include <random>
#include <set>

#include "base/testing/sim_disk.h"
#include "log/journal.h"
#include "log/testing/appending.h"

namespace weft::log {
namespace {

constexpr const char* kFolder = "journal";

// What must and may be in one partition.
struct Expected {
  int64_t begin = 0;                     // the last trim that was answered
  int64_t begin_min = 0;                 // durable: no crash goes behind it
  std::map<int64_t, std::string> acked;  // by offset
  std::set<std::string> open;            // neither acknowledged nor refused for good
};

class CrashRun {
 public:
  explicit CrashRun(uint64_t seed) : random_(seed), disk_(seed * 7919 + 1) {}

  // Some lives of the journal, each ended by a crash or an orderly stop.
  void Run() {
    Open();
    const uint64_t lives = 1 + Below(4);
    for (uint64_t life = 0; life < lives && !testing::Test::HasFailure(); ++life) {
      if (Below(3) == 0) PlanFault();
      if (Below(3) == 0) disk_.CutPowerAtChange(static_cast<int64_t>(1 + Below(40)));
      const uint64_t steps = 1 + Below(12);
      for (uint64_t step = 0; step < steps && disk_.powered(); ++step) Step();
      disk_.StopFailing();
      if (disk_.powered() && Below(2) == 0) Verify(Life::kSame);
      Restart();
      if (log_ == nullptr) return;
      Verify(Life::kNew);
    }
  }

  // One life that is cut at the given change; false when it ended before.
  bool RunCutAt(int64_t change) {
    Open();
    disk_.CutPowerAtChange(change);
    for (int step = 0; step < 12 && disk_.powered(); ++step) Step();
    const bool cut = !disk_.powered();
    Restart();
    if (log_ != nullptr) Verify(Life::kNew);
    return cut;
  }

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  void Open() {
    auto log = OpenJournal({.folder = kFolder,
                            .segment_bytes = int64_t{4096} << Below(3),
                            .pending_bytes_max = int64_t{1} << 20,
                            .free_bytes_min = 0},
                           disk_, SystemClock(), metrics_);
    ASSERT_TRUE(log.ok()) << log.error().message();
    log_ = std::move(*log);
  }

  void Restart() {
    const bool orderly = disk_.powered() && Below(4) == 0;
    if (!orderly) disk_.CutPower();
    log_.reset();
    disk_.Restart(Below(4) == 0 ? SimDisk::After::kProcessEnd : SimDisk::After::kPowerLoss);
    Open();
  }

  void PlanFault() {
    static constexpr DiskCall kCalls[] = {
        DiskCall::kWrite,  DiskCall::kSync,       DiskCall::kTruncate, DiskCall::kOpen,
        DiskCall::kRename, DiskCall::kSyncFolder, DiskCall::kRemove,   DiskCall::kFreeBytes};
    const int faults = 1 + static_cast<int>(Below(3));
    for (int i = 0; i < faults; ++i) {
      DiskCall call = kCalls[Below(std::size(kCalls))];
      Code code = Below(2) == 0 ? Code::kUnavailable : Code::kInternal;
      disk_.FailCall(call, static_cast<int64_t>(1 + Below(6)), Error(code, "told to"),
                     Below(4) == 0 ? SimDisk::Then::kKeepFailing : SimDisk::Then::kRecover);
    }
  }

  void Step() {
    const uint64_t kind = Below(10);
    if (kind == 0 || expected_.empty()) return Create();
    auto chosen =
        std::next(expected_.begin(), static_cast<std::ptrdiff_t>(Below(expected_.size())));
    if (kind == 1) return Trim(chosen->first);
    if (kind == 2 && Below(3) == 0) return Delete(chosen->first);
    AppendSome();
  }

  void Create() {
    PartitionName name("p" + std::to_string(Below(4)));
    if (uncertain_.contains(name)) return;
    Status made = log_->CreatePartition(name);
    if (made.ok()) {
      expected_.try_emplace(name);
    } else if (!expected_.contains(name)) {
      uncertain_.insert(name);  // may be there after a restart, empty
    }
  }

  void Delete(PartitionName name) {
    Status deleted = log_->DeletePartition(name);
    if (!deleted.ok()) uncertain_.insert(name);
    expected_.erase(name);
  }

  void Trim(const PartitionName& name) {
    Expected& expected = expected_[name];
    auto bounds = log_->BoundsOf(name);
    ASSERT_TRUE(bounds.ok());
    int64_t before = static_cast<int64_t>(Below(static_cast<uint64_t>(bounds->end.value) + 3));
    ASSERT_TRUE(log_->Trim(name, {before}).ok());
    expected.begin = std::max(expected.begin, std::min(before, bounds->end.value));
  }

  // Several at once, so that they share groups.
  void AppendSome() {
    struct Sent {
      PartitionName name;
      std::vector<std::string> values;
      std::future<Result<Appended>> answer;
    };
    std::vector<Sent> all(1 + Below(6));
    for (Sent& sent : all) {
      sent.name =
          std::next(expected_.begin(), static_cast<std::ptrdiff_t>(Below(expected_.size())))->first;
      const int number = ++batches_;
      const uint64_t records = 1 + Below(4);
      for (uint64_t i = 0; i < records; ++i) {
        sent.values.push_back(std::to_string(number) + "." + std::to_string(i) + ":" +
                              std::string(Below(Below(8) == 0 ? 3000 : 100), 'x'));
        batch_records_[number] = records;
      }
      auto promise = std::make_shared<std::promise<Result<Appended>>>();
      sent.answer = promise->get_future();
      log_->Append(sent.name, BatchOf(sent.values),
                   [promise](Result<Appended> answer) { promise->set_value(std::move(answer)); });
    }
    for (Sent& sent : all) Note(sent.name, sent.values, sent.answer.get());
  }

  void Note(const PartitionName& name, const std::vector<std::string>& values,
            const Result<Appended>& answer) {
    Expected& expected = expected_[name];
    if (answer.ok()) {
      int64_t offset = answer->first.value;
      ASSERT_TRUE(expected.acked.empty() || expected.acked.rbegin()->first < offset);
      for (const auto& value : values) expected.acked[offset++] = value;
    } else if (answer.error().code() == Code::kInternal || !disk_.powered()) {
      expected.open.insert(values.begin(), values.end());
    } else {
      ASSERT_EQ(answer.error().code(), Code::kUnavailable) << answer.error().message();
    }
  }

  enum class Life { kSame, kNew };

  void Verify(Life life) {
    auto names = log_->Partitions();
    ASSERT_TRUE(names.ok());
    for (const auto& [name, expected] : expected_) {
      ASSERT_THAT(*names, testing::Contains(name));
    }
    for (const PartitionName& name : *names) {
      if (expected_.contains(name)) {
        VerifyPartition(name, expected_[name], life);
      } else {
        ASSERT_TRUE(uncertain_.contains(name)) << name.text() << " came back";
      }
    }
  }

  void VerifyPartition(const PartitionName& name, Expected& expected, Life life) {
    auto bounds = log_->BoundsOf(name);
    ASSERT_TRUE(bounds.ok());
    if (life == Life::kNew) {
      ASSERT_LE(bounds->begin.value, expected.begin);
      ASSERT_GE(bounds->begin.value, expected.begin_min);
      expected.begin = expected.begin_min = bounds->begin.value;
    }
    ASSERT_EQ(bounds->begin.value, expected.begin);
    auto values = ReadValues(*log_, name, bounds->begin);
    // Housekeeping, in its own thread, may be the one whose change cuts the power.
    if (life == Life::kSame && !disk_.powered()) return;
    ASSERT_TRUE(values.ok()) << values.error().message();
    ASSERT_EQ(bounds->begin.value + static_cast<int64_t>(values->size()), bounds->end.value);
    if (!expected.acked.empty()) {
      ASSERT_GT(bounds->end.value, expected.acked.rbegin()->first) << "lost";
    }
    int last_batch = 0;
    std::map<int, uint64_t> found;
    for (size_t i = 0; i < values->size(); ++i) {
      const std::string& value = (*values)[i];
      const int64_t offset = bounds->begin.value + static_cast<int64_t>(i);
      auto acked = expected.acked.find(offset);
      if (acked != expected.acked.end()) {
        ASSERT_EQ(value, acked->second) << name.text() << " at " << offset;
      } else {
        ASSERT_EQ(expected.open.erase(value), 1u) << value << " was refused or is a double";
        expected.acked[offset] = value;  // it is in now, and must stay
      }
      int batch = 0;
      std::from_chars(value.data(), value.data() + value.size(), batch);
      ASSERT_GE(batch, last_batch) << "order";
      last_batch = batch;
      ++found[batch];
    }
    for (const auto& [batch, count] : found) {
      // The first may be cut by a trim.
      if (batch != found.begin()->first) {
        ASSERT_EQ(count, batch_records_[batch]) << "half a batch";
      }
    }
  }

  std::mt19937_64 random_;
  SimDisk disk_;
  Metrics metrics_;
  std::unique_ptr<RecordLog> log_;
  std::map<PartitionName, Expected> expected_;
  std::set<PartitionName> uncertain_;
  int batches_ = 0;
  std::map<int, uint64_t> batch_records_;
};

TEST(JournalCrashTest, KeepsItsPromisesWhateverTheDiskDoes) {
  const char* wanted = std::getenv("WEFT_SEEDS");
  const uint64_t seeds = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 2000;
  // One run alone, to look at it: WEFT_SEED.
  const char* alone = std::getenv("WEFT_SEED");
  if (alone != nullptr) return CrashRun(std::strtoull(alone, nullptr, 10)).Run();
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    CrashRun(seed).Run();
    if (HasFailure()) return;
  }
}

TEST(JournalCrashTest, AUnitIsWholeAfterACrashOrNotThere) {
  const std::vector<PartitionName> names{PartitionName("a"), PartitionName("b"),
                                         PartitionName("c")};
  int kept = 0, gone = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    SimDisk disk(seed);
    Metrics metrics;
    const JournalOptions options{.folder = kFolder, .segment_bytes = 4096, .free_bytes_min = 0};
    auto log = OpenJournal(options, disk, SystemClock(), metrics);
    ASSERT_TRUE(log.ok());
    for (const auto& name : names) ASSERT_TRUE((*log)->CreatePartition(name).ok());
    disk.CutPowerAtChange(static_cast<int64_t>(1 + random() % 12));
    constexpr int kUnits = 12;
    std::vector<std::future<bool>> answers;
    for (int unit = 0; unit < kUnits; ++unit) {
      std::vector<std::pair<PartitionName, std::vector<std::string>>> parts;
      for (const auto& name : names) {
        parts.push_back({name, {std::to_string(unit) + std::string(random() % 900, 'x')}});
      }
      auto promise = std::make_shared<std::promise<bool>>();
      answers.push_back(promise->get_future());
      (*log)->Append(UnitOf(parts),
                     [promise](const auto& answer) { promise->set_value(answer.ok()); });
    }
    std::vector<bool> acked;
    for (auto& answer : answers) acked.push_back(answer.get());
    disk.CutPower();
    log->reset();
    disk.Restart();
    log = OpenJournal(options, disk, SystemClock(), metrics);
    ASSERT_TRUE(log.ok()) << log.error().message();
    std::vector<std::set<int>> found;
    for (const auto& name : names) {
      auto values = ReadValues(**log, name);
      ASSERT_TRUE(values.ok()) << values.error().message();
      found.emplace_back();
      for (const auto& value : *values) found.back().insert(std::atoi(value.c_str()));
    }
    EXPECT_EQ(found[0], found[1]);
    EXPECT_EQ(found[0], found[2]);
    for (int unit = 0; unit < kUnits; ++unit) {
      const bool there = found[0].contains(unit);
      EXPECT_TRUE(there || !acked[static_cast<size_t>(unit)]) << unit;
      (there ? kept : gone) += 1;
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(kept, 100);
  EXPECT_GT(gone, 100);
}

TEST(JournalCrashTest, SurvivesALossOfPowerAtEveryChange) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    int64_t change = 1;
    while (CrashRun(seed).RunCutAt(change) && !HasFailure()) ++change;
    SCOPED_TRACE("seed " + std::to_string(seed) + ", change " + std::to_string(change));
    ASSERT_FALSE(HasFailure());
    EXPECT_GT(change, 20);
  }
}

}  // namespace
}  // namespace weft::log
