// SPDX-License-Identifier: Apache-2.0
// What the journal promises of encryption: nothing to read on the disk, everything back with the
// key, nothing without it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <set>

#include "base/testing/sim_disk.h"
#include "log/frame.h"
#include "log/journal.h"
#include "log/key_ring.h"
#include "log/segment.h"
#include "log/testing/appending.h"
#include "log/wire.h"

namespace weft::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kFolder = "journal";

class SettableClock final : public Clock {
 public:
  Timestamp Now() const override { return Timestamp(seconds(now_s)); }
  microseconds Elapsed() const override { return SystemClock().Elapsed(); }
  std::atomic<int64_t> now_s{1'000'000};
};

class JournalSealTest : public testing::Test {
 protected:
  void SetUp() override {
    Open();
    ASSERT_TRUE(log_->CreatePartition(orders_).ok());
  }
  Result<std::unique_ptr<RecordLog>> TryOpen() {
    return OpenJournal(options_, disk_, clock_, metrics_);
  }
  void Open() {
    auto log = TryOpen();
    ASSERT_TRUE(log.ok()) << log.error().message();
    log_ = std::move(*log);
  }
  void StopAndOpen() {
    log_.reset();
    Open();
  }
  void Crash() {
    disk_.CutPower();
    log_.reset();
    disk_.Restart();
  }
  void Append(const std::string& value, bool seal = false) {
    Batch batch = BatchOf({value}, "an-id");
    batch.seal = seal;
    auto appended = AppendAndWait(*log_, orders_, std::move(batch));
    ASSERT_TRUE(appended.ok()) << appended.error().message();
  }
  std::vector<std::string> Values() {
    auto values = ReadValues(*log_, orders_);
    EXPECT_TRUE(values.ok()) << values.error().message();
    return values.ok() ? *values : std::vector<std::string>{};
  }
  // All octets of all files.
  std::string OnDisk() {
    std::string all;
    for (const auto& path : disk_.Paths()) all += *ReadFile(disk_, path);
    return all;
  }
  // What seals the frames of a segment: the key's number and the counter.
  std::vector<std::pair<uint32_t, uint64_t>> Seals(uint64_t sequence) {
    auto file = disk_.Open(SegmentPath(kFolder, sequence), OpenMode::kRead);
    EXPECT_TRUE(file.ok());
    auto header = DecodeSegmentHeader(*(*file)->ReadAt(0, kSegmentHeaderBytes));
    auto scan = ScanSegment(**file, header->salt, {});
    EXPECT_TRUE(scan.ok());
    std::vector<std::pair<uint32_t, uint64_t>> seals;
    for (const FrameHead& head : scan->frames) {
      if (!head.sealed) continue;
      Bytes seal = *(*file)->ReadAt(head.position + kFrameHeadBytes, kSealHeadBytes);
      seals.emplace_back(GetNumber<uint32_t>(seal.data()), GetNumber<uint64_t>(seal.data() + 4));
    }
    return seals;
  }

  SimDisk disk_{11};
  Metrics metrics_;
  SettableClock clock_;
  JournalOptions options_{.folder = kFolder,
                          .segment_bytes = int64_t{1} << 20,
                          .free_bytes_min = 0,
                          .master_key = Bytes(32, 'm')};
  std::unique_ptr<RecordLog> log_;
  const PartitionName orders_{"orders"};
};

TEST_F(JournalSealTest, NothingOfASealedBatchIsReadableOnTheDisk) {
  options_.encrypt = true;
  StopAndOpen();
  Append("a secret value");
  Batch batch{.id = "a-secret-id", .records = {{.key = "a secret key", .value = ""}}, .owner = {}};
  ASSERT_TRUE(AppendAndWait(*log_, orders_, std::move(batch)).ok());
  EXPECT_THAT(OnDisk(), Not(HasSubstr("secret")));
  for (int restart = 0; restart < 3; ++restart) {
    auto batches = log_->Read(orders_, {0}, {});
    ASSERT_TRUE(batches.ok());
    ASSERT_EQ(batches->size(), 2u);
    EXPECT_EQ((*batches)[0].id, "an-id");
    EXPECT_EQ((*batches)[0].records[0].value, "a secret value");
    EXPECT_EQ((*batches)[1].id, "a-secret-id");
    EXPECT_EQ((*batches)[1].records[0].key, "a secret key");
    if (restart == 0) Crash();
    StopAndOpen();
  }
  EXPECT_THAT(OnDisk(), Not(HasSubstr("secret")));
}

TEST_F(JournalSealTest, SealsOneBatchAmongOthers) {
  Append("plain");
  EXPECT_TRUE(Seals(1).empty());
  Append("secret", true);
  Append("plain again");
  EXPECT_EQ(Seals(1).size(), 1u);
  EXPECT_THAT(OnDisk(), HasSubstr("plain again"));
  EXPECT_THAT(OnDisk(), Not(HasSubstr("secret")));
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_THAT(Values(), ElementsAre("plain", "secret", "plain again"));
    auto batches = log_->Read(orders_, {0}, {});
    ASSERT_TRUE(batches.ok());
    ASSERT_EQ(batches->size(), 3u);
    EXPECT_FALSE((*batches)[0].sealed);
    EXPECT_TRUE((*batches)[1].sealed);
    EXPECT_FALSE((*batches)[2].sealed);
    StopAndOpen();
  }
}

TEST_F(JournalSealTest, WithoutAMasterKeyNothingIsSealed) {
  options_.master_key.clear();
  StopAndOpen();
  Batch batch = BatchOf({"secret"});
  batch.seal = true;
  EXPECT_EQ(AppendAndWait(*log_, orders_, std::move(batch)).error().code(), Code::kNotOffered);
  Append("plain");
  options_.encrypt = true;
  log_.reset();
  EXPECT_EQ(TryOpen().error().code(), Code::kInvalid);
  options_.master_key = "short";
  EXPECT_EQ(TryOpen().error().code(), Code::kInvalid);
}

TEST_F(JournalSealTest, AWrongMasterKeyIsToldAtOnce) {
  Append("secret", true);
  log_.reset();
  for (const Bytes& wrong : {Bytes(32, 'w'), Bytes()}) {
    options_.master_key = wrong;
    auto log = TryOpen();
    ASSERT_FALSE(log.ok());
    EXPECT_EQ(log.error().code(), Code::kInvalid);
    EXPECT_THAT(log.error().message(), HasSubstr("master key"));
  }
  options_.master_key = Bytes(32, 'm');
  Open();
  EXPECT_THAT(Values(), ElementsAre("secret"));
  log_.reset();
  disk_.Damage(std::string(kFolder) + "/keys", 40);
  EXPECT_EQ(TryOpen().error().code(), Code::kCorrupt);
}

TEST_F(JournalSealTest, NoNonceComesTwice) {
  options_.encrypt = true;
  std::set<std::pair<uint32_t, uint64_t>> seen;
  size_t frames = 0;
  for (uint64_t life = 1; life <= 6; ++life) {
    log_.reset();
    if (life % 2 == 0) Crash();
    Open();
    for (int i = 0; i < 10; ++i) {
      // A write that fails is tried again at the same place, with another batch.
      if (i == 4) {
        disk_.FailCall(DiskCall::kWrite, 1, Error(Code::kUnavailable, "told to"));
        EXPECT_FALSE(AppendAndWait(*log_, orders_, BatchOf({"fails"})).ok());
      }
      Append("value " + std::to_string(i));
    }
    log_.reset();
    for (const auto& path : disk_.Paths()) {
      auto sequence = SequenceOf(path.substr(path.rfind('/') + 1), ".log");
      if (!sequence) continue;
      const auto seals = Seals(*sequence);
      if (seals.empty() || seen.contains(seals.front())) continue;
      for (const auto& seal : seals) EXPECT_TRUE(seen.insert(seal).second);
      frames += seals.size();
    }
    Open();
  }
  EXPECT_EQ(frames, 60u);
  std::set<uint32_t> keys;
  for (const auto& [key, counter] : seen) keys.insert(key);
  EXPECT_EQ(keys.size(), 6u);
  EXPECT_EQ(Values().size(), 60u);
}

TEST_F(JournalSealTest, AnOldDataKeyIsFollowedByANewOne) {
  options_.encrypt = true;
  options_.data_key_age_max = std::chrono::hours(24);
  StopAndOpen();
  Append("monday");
  clock_.now_s += 23 * 3600;
  Append("monday night");
  clock_.now_s += 2 * 3600;
  Append("tuesday");
  std::vector<uint32_t> keys;
  for (const auto& [key, counter] : Seals(1)) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre(1, 1, 2));
  StopAndOpen();
  EXPECT_THAT(Values(), ElementsAre("monday", "monday night", "tuesday"));
}

TEST_F(JournalSealTest, KeysOfTrimmedSegmentsGo) {
  options_.encrypt = true;
  const std::string keys = std::string(kFolder) + "/keys";
  for (int life = 0; life < 5; ++life) {
    StopAndOpen();
    Append("value");
  }
  const size_t with_all = ReadFile(disk_, keys)->size();
  ASSERT_TRUE(log_->Trim(orders_, {5}).ok());
  StopAndOpen();
  StopAndOpen();
  Append("next");
  EXPECT_LT(ReadFile(disk_, keys)->size(), with_all - 200);
  StopAndOpen();
  EXPECT_THAT(*ReadValues(*log_, orders_, {5}), ElementsAre("next"));
}

TEST_F(JournalSealTest, ANewMasterKeyReplacesTheOldOneWithoutRewriting) {
  Append("secret", true);
  log_.reset();
  const Bytes before = *ReadFile(disk_, SegmentPath(kFolder, 1));
  EXPECT_EQ(RewrapKeys(kFolder, disk_, Bytes(32, 'w'), Bytes(32, 'n')).error().code(),
            Code::kInvalid);
  EXPECT_EQ(RewrapKeys(kFolder, disk_, Bytes(32, 'm'), "short").error().code(), Code::kInvalid);
  ASSERT_TRUE(RewrapKeys(kFolder, disk_, Bytes(32, 'm'), Bytes(32, 'n')).ok());
  EXPECT_EQ(*ReadFile(disk_, SegmentPath(kFolder, 1)), before);
  EXPECT_EQ(TryOpen().error().code(), Code::kInvalid);
  options_.master_key = Bytes(32, 'n');
  Open();
  EXPECT_THAT(Values(), ElementsAre("secret"));
}

TEST_F(JournalSealTest, AFrameOpensOnlyAtItsPlace) {
  options_.encrypt = true;
  StopAndOpen();
  Append("first!");
  Append("second");
  log_.reset();
  // The bodies are exchanged, and all checksums mended, as somebody with the disk could.
  const std::string path = SegmentPath(kFolder, 1);
  Bytes bytes = *ReadFile(disk_, path);
  const auto frame_bytes = GetNumber<uint32_t>(bytes.data() + kSegmentHeaderBytes + 12);
  char* first = bytes.data() + kSegmentHeaderBytes;
  char* second = first + frame_bytes;
  std::swap_ranges(first + kFrameHeadBytes, second, second + kFrameHeadBytes);
  for (char* frame : {first, second}) {
    const uint32_t body_crc = BodyCrc(BytesView(frame, frame_bytes));
    ClearChecksums(frame);
    PutChecksums(frame, body_crc);
  }
  ASSERT_TRUE(WriteFile(disk_, path, bytes).ok());
  Open();
  EXPECT_EQ(log_->Read(orders_, {0}, {}).error().code(), Code::kCorrupt);
  EXPECT_EQ(log_->Read(orders_, {1}, {}).error().code(), Code::kCorrupt);
}

TEST_F(JournalSealTest, WithoutADurableKeyNothingIsTaken) {
  options_.encrypt = true;
  StopAndOpen();
  for (auto call : {DiskCall::kSync, DiskCall::kRename, DiskCall::kSyncFolder}) {
    SCOPED_TRACE(static_cast<int>(call));
    StopAndOpen();
    // The first sync and that of the folder are the new segment's.
    const int before = call == DiskCall::kRename ? 0 : 1;
    disk_.FailCall(call, before + 1, Error(Code::kInternal, "told to"));
    EXPECT_EQ(AppendAndWait(*log_, orders_, BatchOf({"refused"})).error().code(),
              Code::kUnavailable);
    Append("taken");
  }
  Crash();
  Open();
  EXPECT_THAT(Values(), ElementsAre("taken", "taken", "taken"));
}

}  // namespace
}  // namespace weft::log
