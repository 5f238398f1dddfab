// SPDX-License-Identifier: Apache-2.0
#include "log/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/testing/sim_disk.h"
#include "log/journal.h"
#include "log/segment.h"
#include "log/testing/appending.h"

namespace weft::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kFolder = "journal";

class InspectTest : public testing::Test {
 protected:
  void SetUp() override {
    Open();
    ASSERT_TRUE(log_->CreatePartition(orders_).ok());
    ASSERT_TRUE(log_->CreatePartition(clicks_).ok());
  }
  void Open() {
    auto log = OpenJournal(options_, disk_, SystemClock(), metrics_);
    ASSERT_TRUE(log.ok()) << log.error().message();
    log_ = std::move(*log);
  }
  void Append(const PartitionName& partition, const std::vector<std::string>& values,
              bool seal = false) {
    Batch batch = BatchOf(values, "id-" + values.front());
    batch.seal = seal;
    ASSERT_TRUE(AppendAndWait(*log_, partition, std::move(batch)).ok());
  }
  Verification Verify() {
    auto verified = VerifyJournal(kFolder, disk_);
    EXPECT_TRUE(verified.ok()) << verified.error().message();
    return verified.ok() ? *verified : Verification();
  }
  std::map<std::string, Bytes> Content() {
    std::map<std::string, Bytes> content;
    for (const auto& path : disk_.Paths()) content[path] = *ReadFile(disk_, path);
    return content;
  }
  // Damages the batch that holds the record.
  void Damage(const PartitionName& partition, int64_t offset) {
    auto frames = InspectFrames(kFolder, disk_, partition, {offset}, 1);
    ASSERT_TRUE(frames.ok());
    ASSERT_THAT(*frames, SizeIs(1));
    disk_.Damage(frames->front().file, frames->front().position + 60);
  }

  SimDisk disk_{3};
  Metrics metrics_;
  JournalOptions options_{
      .folder = kFolder, .segment_bytes = 4096, .free_bytes_min = 0, .master_key = Bytes(32, 'm')};
  std::unique_ptr<RecordLog> log_;
  const PartitionName orders_{"orders"};
  const PartitionName clicks_{"clicks"};
};

TEST_F(InspectTest, AGoodJournalVerifiesAndStaysAsItIs) {
  for (int i = 0; i < 20; ++i) {
    Append(orders_, {"a", std::string(500, 'x')});
    Append(clicks_, {"c"}, true);
  }
  const int64_t bytes = log_->BoundsOf(orders_)->bytes + log_->BoundsOf(clicks_)->bytes;
  log_.reset();
  const auto before = Content();
  int64_t read = 0, all = 0;
  auto verified = VerifyJournal(kFolder, disk_, [&](int64_t now, int64_t of) {
    EXPECT_GT(now, read);
    read = now;
    all = of;
  });
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(read, all);
  EXPECT_TRUE(verified->good());
  EXPECT_GT(verified->segments, 2);
  EXPECT_EQ(verified->frames, 40);
  EXPECT_EQ(verified->sealed_frames, 20);
  EXPECT_EQ(verified->records, 60);
  EXPECT_EQ(verified->bytes, bytes);
  EXPECT_TRUE(verified->damaged.empty() && verified->lost.empty() && !verified->torn);
  EXPECT_TRUE(verified->damaged_indexes.empty() && verified->unreadable.empty());
  EXPECT_EQ(Content(), before);
}

TEST_F(InspectTest, TellsWhatIsDamagedAndWhoseRecordsAreLost) {
  for (int i = 0; i < 10; ++i) {
    Append(orders_, {"a", std::string(300, 'x')});
    Append(clicks_, {"c"});
  }
  for (bool indexed : {true, false}) {
    SCOPED_TRACE(indexed);
    if (indexed) {
      log_.reset();
      Damage(orders_, 6);
      Damage(clicks_, 9);
    } else {
      for (const auto& path : disk_.Paths()) {
        if (!path.ends_with(".index")) continue;
        ASSERT_TRUE(disk_.Remove(path).ok());
      }
    }
    auto verified = Verify();
    EXPECT_FALSE(verified.good());
    EXPECT_THAT(verified.damaged, SizeIs(2));
    ASSERT_THAT(verified.lost, SizeIs(2));
    EXPECT_EQ(verified.lost[0].partition, clicks_);
    EXPECT_EQ(verified.lost[0].from.value, 9);
    EXPECT_EQ(verified.lost[0].to.value, 10);
    EXPECT_EQ(verified.lost[1].partition, orders_);
    EXPECT_EQ(verified.lost[1].from.value, 6);
    EXPECT_EQ(verified.lost[1].to.value, 8);
    EXPECT_FALSE(verified.lost[1].accepted);
    EXPECT_EQ(verified.frames, 18);
  }
}

TEST_F(InspectTest, ATornTailIsNoDamage) {
  Append(orders_, {"kept"});
  disk_.CutPower();
  log_.reset();
  disk_.Restart(SimDisk::After::kProcessEnd);
  Bytes bytes = *ReadFile(disk_, SegmentPath(kFolder, 1));
  const size_t end = bytes.find_last_not_of('\0') + 1;
  bytes.replace(end, 9, "half a fr");
  ASSERT_TRUE(WriteFile(disk_, SegmentPath(kFolder, 1), bytes).ok());
  const auto before = Content();
  auto verified = Verify();
  EXPECT_TRUE(verified.good());
  ASSERT_TRUE(verified.torn);
  EXPECT_EQ(verified.torn->file, SegmentPath(kFolder, 1));
  EXPECT_EQ(verified.torn->position, static_cast<int64_t>(end));
  EXPECT_EQ(verified.frames, 1);
  EXPECT_EQ(Content(), before);
}

TEST_F(InspectTest, ADamagedIndexLosesNothing) {
  Append(orders_, {"a"});
  Append(orders_, {"b"});
  log_.reset();
  const std::string index = IndexPath(kFolder, 1);
  // Its last octet belongs to a section, its 30th to the header.
  for (int64_t at : {static_cast<int64_t>(ReadFile(disk_, index)->size()) - 1, int64_t{30}}) {
    disk_.Damage(index, at);
    auto verified = Verify();
    EXPECT_TRUE(verified.good());
    // One whose header is bad is made again by the next start.
    if (at != 30) {
      EXPECT_THAT(verified.damaged_indexes, ElementsAre(index));
    }
    Open();
    EXPECT_THAT(*ReadValues(*log_, orders_), ElementsAre("a", "b"));
    log_.reset();
  }
}

TEST_F(InspectTest, ASegmentThatIsGoneAltogetherIsALoss) {
  for (int i = 0; i < 10; ++i) Append(orders_, {"a", std::string(1000, 'x')});
  log_.reset();
  ASSERT_TRUE(disk_.Remove(SegmentPath(kFolder, 2)).ok());
  auto verified = Verify();
  ASSERT_THAT(verified.lost, SizeIs(1));
  const LostRecords lost = verified.lost.front();
  EXPECT_GT(lost.from.value, 0);
  EXPECT_LT(lost.to.value, 20);
  ASSERT_TRUE(AcceptLoss(kFolder, disk_, orders_, lost.from, lost.to).ok());
  Open();
  EXPECT_EQ(ReadValues(*log_, orders_)->size(),
            static_cast<size_t>(20 - (lost.to.value - lost.from.value)));
}

TEST_F(InspectTest, AcceptsALossOnlyOfWhatIsLost) {
  for (int i = 0; i < 10; ++i) Append(orders_, {std::to_string(i) + "a", std::to_string(i) + "b"});
  Append(clicks_, {"c"}, true);
  log_.reset();
  Damage(orders_, 6);
  Damage(orders_, 9);  // 8 and 9
  Damage(orders_, 14);
  auto accept = [&](int64_t from, int64_t to) {
    Status accepted = AcceptLoss(kFolder, disk_, orders_, {from}, {to});
    return accepted.ok() ? std::string("accepted") : accepted.error().message();
  };
  const auto before = Content();
  EXPECT_THAT(accept(5, 8), HasSubstr("record 5 of orders can be read"));
  EXPECT_THAT(accept(6, 11), HasSubstr("record 10 of orders can be read"));
  EXPECT_THAT(accept(0, 20), HasSubstr("can be read"));
  EXPECT_THAT(accept(6, 6), HasSubstr("not all kept"));
  EXPECT_THAT(accept(-1, 2), HasSubstr("not all kept"));
  EXPECT_THAT(accept(18, 21), HasSubstr("not all kept"));
  // Sealed ones are good, also for who has no key.
  EXPECT_EQ(AcceptLoss(kFolder, disk_, clicks_, {0}, {1}).error().code(), Code::kInvalid);
  EXPECT_EQ(AcceptLoss(kFolder, disk_, PartitionName("none"), {0}, {1}).error().code(),
            Code::kNotFound);
  EXPECT_EQ(Content(), before);
  EXPECT_EQ(accept(8, 10), "accepted");
  EXPECT_EQ(accept(6, 8), "accepted");
  auto verified = Verify();
  EXPECT_FALSE(verified.good());
  ASSERT_THAT(verified.lost, SizeIs(2));
  EXPECT_TRUE(verified.lost[0].accepted);
  EXPECT_EQ(verified.lost[0].from.value, 6);
  EXPECT_EQ(verified.lost[0].to.value, 10);
  EXPECT_FALSE(verified.lost[1].accepted);
  EXPECT_EQ(accept(14, 16), "accepted");
  EXPECT_TRUE(Verify().good());
  const std::vector<std::string> left{"0a", "0b", "1a", "1b", "2a", "2b", "5a",
                                      "5b", "6a", "6b", "8a", "8b", "9a", "9b"};
  for (int restart = 0; restart < 3; ++restart) {
    Open();
    EXPECT_EQ(*ReadValues(*log_, orders_), left);
    auto within = log_->Read(orders_, {7}, {.bytes_max = 1});
    ASSERT_TRUE(within.ok());
    ASSERT_THAT(*within, SizeIs(1));
    EXPECT_EQ(within->front().first.value, 10);
    log_.reset();
  }
}

TEST_F(InspectTest, ALossAtTheEndIsPassedByTheNextRecord) {
  Append(orders_, {"a"});
  Append(orders_, {"b"});
  log_.reset();
  Damage(orders_, 1);
  ASSERT_TRUE(AcceptLoss(kFolder, disk_, orders_, {1}, {2}).ok());
  Open();
  auto none = log_->Read(orders_, {1}, {});
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());
  int woken = 0;
  auto watch = log_->OnPast(orders_, {1}, [&] { ++woken; });
  ASSERT_TRUE(watch.ok());
  EXPECT_EQ(woken, 0);
  Append(orders_, {"c"});
  EXPECT_EQ(woken, 1);
  EXPECT_THAT(*ReadValues(*log_, orders_), ElementsAre("a", "c"));
}

TEST_F(InspectTest, ListsPartitionsAndFrames) {
  for (int i = 0; i < 10; ++i) Append(orders_, {"a", std::string(700, 'x')});
  Append(clicks_, {"secret"}, true);
  ASSERT_TRUE(AppendAndWait(*log_, UnitOf({{orders_, {"u"}}, {clicks_, {"v"}}})).ok());
  ASSERT_TRUE(log_->Trim(orders_, {3}).ok());
  const Bounds bounds = *log_->BoundsOf(orders_);
  log_.reset();
  auto listed = InspectJournal(kFolder, disk_);
  ASSERT_TRUE(listed.ok()) << listed.error().message();
  ASSERT_THAT(*listed, SizeIs(2));
  EXPECT_EQ((*listed)[0].name, clicks_);
  EXPECT_EQ((*listed)[0].bounds.end.value, 2);
  EXPECT_EQ((*listed)[1].name, orders_);
  EXPECT_EQ((*listed)[1].bounds.begin.value, 3);
  EXPECT_EQ((*listed)[1].bounds.end.value, 21);
  EXPECT_EQ((*listed)[1].bounds.bytes, bounds.bytes);
  EXPECT_GT((*listed)[1].segments, 1);
  auto frames = InspectFrames(kFolder, disk_, orders_, {5}, 100);
  ASSERT_TRUE(frames.ok());
  ASSERT_THAT(*frames, SizeIs(9));
  EXPECT_EQ(frames->front().first.value, 4);
  EXPECT_EQ(frames->front().records, 2);
  EXPECT_EQ(frames->front().id, "id-a");
  EXPECT_FALSE(frames->front().sealed || frames->front().damaged || frames->front().continued);
  EXPECT_TRUE(frames->back().continued);
  auto one = InspectFrames(kFolder, disk_, clicks_, {0}, 1);
  ASSERT_TRUE(one.ok());
  ASSERT_THAT(*one, SizeIs(1));
  EXPECT_TRUE(one->front().sealed);
  EXPECT_TRUE(one->front().id.empty());
  EXPECT_EQ(InspectFrames(kFolder, disk_, PartitionName("none"), {0}, 1).error().code(),
            Code::kNotFound);
}

TEST(InspectFolderTest, ARunningServerIsLeftAlone) {
  std::string folder = testing::TempDir() + "weft_inspect_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  Metrics metrics;
  EXPECT_EQ(VerifyJournal(folder + "/none", SystemDisk()).error().code(), Code::kNotFound);
  auto log =
      OpenJournal({.folder = folder, .free_bytes_min = 0}, SystemDisk(), SystemClock(), metrics);
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE((*log)->CreatePartition(PartitionName("orders")).ok());
  EXPECT_EQ(VerifyJournal(folder, SystemDisk()).error().code(), Code::kUnavailable);
  EXPECT_EQ(InspectJournal(folder, SystemDisk()).error().code(), Code::kUnavailable);
  EXPECT_EQ(AcceptLoss(folder, SystemDisk(), PartitionName("orders"), {0}, {1}).error().code(),
            Code::kUnavailable);
  log->reset();
  EXPECT_TRUE(VerifyJournal(folder, SystemDisk())->good());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace weft::log
