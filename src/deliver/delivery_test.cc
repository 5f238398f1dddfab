// SPDX-License-Identifier: Apache-2.0
#include "deliver/delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <thread>

#include "base/random.h"
#include "deliver/testing/fake_engine.h"
#include "deliver/upkeep.h"
#include "tail/testing/ground.h"

namespace weft::deliver {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DeliveryTest : public testing::Test {
 protected:
  DeliveryTest() : store_(*ground_.store), engine_(store_) {
    EXPECT_TRUE(meta::Migrate(*ground_.kept_database, "deliver", Delivery::Migrations()).ok());
    Open();
    feed_ = tail::MakeProduct(*modules_, "orders",
                              tail::MakeContract("orders", {{"n", "int"}, {"name", "string"}}))
                .front();
    Settle({.product = feed_.product});
  }
  ~DeliveryTest() override { Close(); }

  void Close() {
    delivery_.reset();
    modules_.reset();
  }
  // A crash and the start after it.
  void Open() {
    Close();
    modules_ = std::make_unique<tail::Modules>(ground_, tail_options_, &store_);
    delivery_ =
        std::make_unique<Delivery>(upkeep_, Delivery::Dependencies{.database = ground_.database,
                                                                   .store = store_,
                                                                   .streams = modules_->streams,
                                                                   .tables = modules_->tables,
                                                                   .catalog = modules_->catalog,
                                                                   .feeds = modules_->feeds,
                                                                   .tail = modules_->tail,
                                                                   .engine = engine_,
                                                                   .clock = clock_,
                                                                   .random = SystemRandom(),
                                                                   .metrics = modules_->metrics});
  }
  void Settle(const DeliverySettings& settings) {
    ASSERT_TRUE(modules_->database
                    .Transact([&](meta::Transaction& tx) { return delivery_->Put(tx, settings); })
                    .ok());
  }
  void Append(int count) {
    std::vector<std::string> records;
    for (int i = 0; i < count; ++i) records.push_back(fmt::format(R"({{"n":{}}})", appended_ + i));
    auto appended = tail::AppendRecords(*modules_, feed_, 1, records);
    if (appended.ok()) appended_ += count;
  }
  Status Deliver() { return delivery_->DeliverNow(feed_.product); }
  iceberg::TableVersion Version() {
    auto state = modules_->catalog.FindById(feed_.table_id);
    EXPECT_TRUE(state.ok());
    auto version = modules_->tables.Load(state->table.metadata_location);
    EXPECT_TRUE(version.ok()) << version.error().message();
    return *version;
  }
  std::vector<iceberg::DataFile> Files(const iceberg::TableVersion& version) {
    auto files = modules_->tables.Files(version);
    EXPECT_TRUE(files.ok()) << files.error().message();
    return files.ok() && *files != nullptr ? **files : std::vector<iceberg::DataFile>{};
  }
  // `_id n` of each row of the files.
  std::vector<std::string> Delivered() {
    std::vector<std::string> lines;
    for (const iceberg::DataFile& file : Files(Version())) {
      auto of_file = LinesOf(*ground_.store, file);
      EXPECT_TRUE(of_file.ok()) << file.location << ": " << of_file.error().message();
      if (!of_file.ok()) continue;
      EXPECT_EQ(file.record_count, static_cast<int64_t>(of_file->size()));
      lines.insert(lines.end(), of_file->begin(), of_file->end());
    }
    return lines;
  }
  // Files and tail together are each appended record once, and each snapshot's files exist.
  void ExpectExactlyOnce() {
    std::vector<std::string> lines = Delivered();
    auto rows = modules_->tail.Rows(feed_, tail::SchemaOf(*modules_, feed_),
                                    tail::PositionsOf(*modules_, feed_));
    ASSERT_TRUE(rows.ok()) << rows.error().message();
    const auto ids = tail::IdsOf(rows->slices);
    const auto numbers = tail::ColumnOf(rows->slices, "n");
    for (size_t i = 0; i < ids.size(); ++i) lines.push_back(ids[i] + " " + numbers[i]);
    std::sort(lines.begin(), lines.end());
    std::vector<std::string> expected;
    for (int n = 0; n < appended_; ++n) {
      expected.push_back(fmt::format("{} {}", stream::RecordId(0, {n}), n));
    }
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(lines, expected);
    const iceberg::TableVersion version = Version();
    for (const iceberg::Snapshot& snapshot : version.metadata->snapshots) {
      auto past = std::make_shared<iceberg::TableMetadata>(*version.metadata);
      past->current_snapshot_id = snapshot.snapshot_id;
      for (const iceberg::DataFile& file : Files({version.metadata_location, past})) {
        ASSERT_TRUE(ground_.store->Head(*objects::ParseLocation(file.location)).ok())
            << file.location << " of a kept snapshot is gone";
      }
    }
  }
  size_t ObjectCount() { return ground_.store->List("weft", "", "", 100000)->size(); }

  UpkeepSettings upkeep_{.small_files_min = 3,
                         .snapshot_age_max = milliseconds(0),
                         .snapshots_min = 2,
                         .orphan_age_min = milliseconds(0),
                         .delete_grace = milliseconds(0)};
  tail::Tail::Options tail_options_;
  tail::Ground ground_;
  FailingStore store_;
  FakeEngine engine_;
  tail::MovedClock clock_;
  std::unique_ptr<tail::Modules> modules_;
  std::unique_ptr<Delivery> delivery_;
  tail::Feed feed_;
  int appended_ = 0;
};

TEST_F(DeliveryTest, PutsWhatWaitsIntoTheTableOnce) {
  ASSERT_TRUE(Deliver().ok());
  EXPECT_EQ(engine_.writes(), 0);
  Append(3);
  EXPECT_EQ(delivery_->StatusOf(feed_.product).front().lag_records, 3);
  ASSERT_TRUE(Deliver().ok());
  ASSERT_TRUE(Deliver().ok());
  EXPECT_EQ(engine_.writes(), 1);
  EXPECT_EQ(Delivered().size(), 3u);
  const DeliveryStatus status = delivery_->StatusOf(feed_.product).front();
  EXPECT_EQ(status.lag_records, 0);
  EXPECT_GT(status.last_commit, Timestamp());
  EXPECT_EQ(modules_->tail.bytes(), 0);
  ExpectExactlyOnce();
}

TEST_F(DeliveryTest, RecordsOfAnotherObjectMoveThePositionOnly) {
  tail::Feed other = feed_;
  other.object = "lines";
  ASSERT_TRUE(tail::AppendRecords(*modules_, other, 1, {"{}"}).ok());
  ASSERT_TRUE(Deliver().ok());
  EXPECT_EQ(engine_.writes(), 0);
  EXPECT_EQ(tail::PositionsOf(*modules_, feed_), (catalog::Positions{{0, 1}}));
}

TEST_F(DeliveryTest, TakesABacklogInPartsOfTheBuffersSize) {
  tail_options_.chunk_bytes = 4096;
  Open();
  Settle({.product = feed_.product, .buffer_bytes = 4000});
  for (int i = 0; i < 20; ++i) Append(50);
  ASSERT_TRUE(Deliver().ok());
  EXPECT_GT(engine_.writes(), 1);
  ExpectExactlyOnce();
  EXPECT_EQ(Delivered().size(), 1000u);
}

TEST_F(DeliveryTest, StartsByItselfWhenTheOldestWaitsLongEnough) {
  Settle({.product = feed_.product, .buffer_interval = std::chrono::hours(1)});
  Append(2);
  delivery_->Start();
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(engine_.writes(), 0);
  clock_.Move(std::chrono::hours(2));
  for (int i = 0; i < 500 && engine_.writes() == 0; ++i)
    std::this_thread::sleep_for(milliseconds(10));
  delivery_->Stop();
  EXPECT_EQ(Delivered().size(), 2u);
  EXPECT_THAT(modules_->metrics.Text(), HasSubstr("weft_delivery_records_total 2"));
}

TEST_F(DeliveryTest, StartsByItselfWhenTheBufferIsFullOrHasNoInterval) {
  Settle(
      {.product = feed_.product, .buffer_bytes = 1000, .buffer_interval = std::chrono::hours(1)});
  delivery_->Start();
  Append(300);
  for (int i = 0; i < 500 && delivery_->StatusOf(feed_.product).front().lag_records > 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(Delivered().size(), 300u);
  Settle({.product = feed_.product, .buffer_interval = milliseconds(0)});
  Append(1);
  for (int i = 0; i < 500 && delivery_->StatusOf(feed_.product).front().lag_records > 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(Delivered().size(), 301u);
}

TEST_F(DeliveryTest, ItsLagIsToldUntilTheProductIsNoMore) {
  const auto told = [&](int lag) {
    const std::string line =
        fmt::format("weft_delivery_lag_records{{product=\"orders\"}} {}\n", lag);
    for (int i = 0; i < 500; ++i) {
      if (modules_->metrics.Text().find(line) != std::string::npos) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  };
  Append(3);
  delivery_->Start();
  EXPECT_TRUE(told(3));
  ASSERT_TRUE(modules_->database
                  .Transact([&](meta::Transaction& tx) {
                    return modules_->feeds.Delete(tx, feed_.table_id);
                  })
                  .ok());
  EXPECT_TRUE(told(0));
}

TEST_F(DeliveryTest, AFailureIsShownAndRetriedWithoutSkipping) {
  Settle({.product = feed_.product, .buffer_interval = milliseconds(0)});
  engine_.FailWrite(1, FakeEngine::Fail::kBefore);
  delivery_->Start();
  Append(2);
  for (int i = 0; i < 500 && delivery_->StatusOf(feed_.product).front().last_error.empty(); ++i) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_THAT(delivery_->StatusOf(feed_.product).front().last_error, HasSubstr("told to fail"));
  for (int i = 0; i < 500 && delivery_->StatusOf(feed_.product).front().lag_records > 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(delivery_->StatusOf(feed_.product).front().last_error, "");
  ExpectExactlyOnce();
}

TEST_F(DeliveryTest, KeepsRecordsForTheRetentionAndUntilDelivered) {
  Settle({.product = feed_.product, .retention = std::chrono::hours(24)});
  Append(5);
  ASSERT_TRUE(Deliver().ok());
  Append(5);
  const stream::ShardId shard{feed_.stream, 0};
  EXPECT_EQ(modules_->streams.BoundsOf(shard)->begin.value, 0);
  clock_.Move(std::chrono::hours(25));
  engine_.FailWrite(1, FakeEngine::Fail::kBefore);
  EXPECT_FALSE(Deliver().ok());
  EXPECT_EQ(modules_->streams.BoundsOf(shard)->begin.value, 0);
  ASSERT_TRUE(Deliver().ok());
  EXPECT_EQ(modules_->streams.BoundsOf(shard)->begin.value, 10);
  ExpectExactlyOnce();
}

TEST_F(DeliveryTest, KeepsNoMoreThanTheSizeAsksForOnceDelivered) {
  Settle({.product = feed_.product, .retention = std::chrono::hours(24)});
  for (int i = 0; i < 10; ++i) Append(10);
  const stream::ShardId shard{feed_.stream, 0};
  const int64_t all = modules_->streams.BoundsOf(shard)->bytes;
  Settle(
      {.product = feed_.product, .retention = std::chrono::hours(24), .retention_bytes = all / 2});
  EXPECT_EQ(modules_->streams.BoundsOf(shard)->begin.value, 0);  // not delivered: kept
  ASSERT_TRUE(Deliver().ok());
  const log::Bounds kept = *modules_->streams.BoundsOf(shard);
  EXPECT_GE(kept.begin.value, 50);
  EXPECT_LE(kept.begin.value, 60);
  EXPECT_LE(kept.bytes, all / 2);
  ExpectExactlyOnce();
}

TEST_F(DeliveryTest, ASplitProductsRecordsAreDeliveredOnceEachWhileTheyComeIn) {
  Settle({.product = feed_.product, .buffer_interval = milliseconds(0)});
  delivery_->Start();
  stream::Streams& streams = modules_->streams;
  std::atomic<bool> split = false;
  int written = 0;
  std::thread writing([&] {
    for (int& n = written; !split; ++n) {
      auto put =
          tail::AppendKeyed(*modules_, feed_, std::to_string(n), fmt::format(R"({{"n":{}}})", n));
      EXPECT_TRUE(put.ok()) << put.error().message();
    }
  });
  for (int round = 0; round < 12; ++round) {
    const auto info = *streams.Find(feed_.stream);
    std::vector<stream::Shard> open;
    for (const stream::Shard& shard : info->shards) {
      if (!shard.closed) open.push_back(shard);
    }
    std::sort(open.begin(), open.end(),
              [](auto& a, auto& b) { return a.range.first < b.range.first; });
    if (round % 3 == 2) {
      EXPECT_TRUE(streams.Merge(feed_.stream, open[0].number, open[1].number).ok());
    } else {
      const stream::HashRange range = open.back().range;
      EXPECT_TRUE(streams
                      .Split(feed_.stream, open.back().number,
                             range.first + (range.last - range.first) / 2 + 1)
                      .ok());
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
  split = true;
  writing.join();
  delivery_->Stop();
  ASSERT_TRUE(Deliver().ok());
  std::vector<int> numbers;
  std::set<std::string> ids, shards;
  for (const std::string& line : Delivered()) {
    const size_t space = line.find(' ');
    EXPECT_TRUE(ids.insert(line.substr(0, space)).second) << line;
    shards.insert(line.substr(0, 4));
    numbers.push_back(std::stoi(line.substr(space + 1)));
  }
  std::sort(numbers.begin(), numbers.end());
  ASSERT_EQ(numbers.size(), static_cast<size_t>(written));
  for (int n = 0; n < written; ++n) ASSERT_EQ(numbers[static_cast<size_t>(n)], n);
  EXPECT_GT(shards.size(), 3u);
}

TEST_F(DeliveryTest, ForgottenShardsAreNotMissed) {
  Settle({.product = feed_.product, .retention = std::chrono::hours(24)});
  stream::Streams& streams = modules_->streams;
  auto put = [&](int n) {
    return tail::AppendKeyed(*modules_, feed_, std::to_string(n), fmt::format(R"({{"n":{}}})", n))
        .ok();
  };
  ASSERT_TRUE(put(0));
  ASSERT_TRUE(Deliver().ok());
  ASSERT_TRUE(streams.Split(feed_.stream, 0, stream::kHashKeyMax / 2).ok());
  for (int n = 1; n < 20; ++n) ASSERT_TRUE(put(n));
  // The tail finds the new shards by itself.
  for (int i = 0; i < 500 && modules_->tail.WaitingBytes(feed_.table_id) < 19 * 7; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_GE(modules_->tail.WaitingBytes(feed_.table_id), 19 * 7);
  clock_.Move(std::chrono::hours(25));
  ASSERT_TRUE(Deliver().ok());
  EXPECT_EQ(streams.BoundsOf({feed_.stream, 0})->begin.value, 1);
  ground_.clock.Move(std::chrono::hours(25));
  ASSERT_TRUE(streams.Keep().ok());
  EXPECT_EQ(streams.Shards(feed_.stream)->size(), 2u);
  for (int n = 20; n < 30; ++n) ASSERT_TRUE(put(n));
  ASSERT_TRUE(Deliver().ok());
  EXPECT_EQ(Delivered().size(), 30u);
  EXPECT_EQ(delivery_->StatusOf(feed_.product).front().lag_records, 0);
  // A start knows the position of a shard that is no more.
  Open();
  ASSERT_TRUE(put(30));
  ASSERT_TRUE(Deliver().ok());
  EXPECT_EQ(Delivered().size(), 31u);
}

TEST_F(DeliveryTest, MergesSmallFilesAndDropsWhatExpired) {
  for (int i = 0; i < 7; ++i) {
    Append(2);
    ASSERT_TRUE(Deliver().ok());
  }
  EXPECT_EQ(Files(Version()).size(), 7u);
  ASSERT_TRUE(delivery_->KeepNow(feed_.table_id).ok());
  EXPECT_EQ(Files(Version()).size(), 1u);
  ExpectExactlyOnce();
  EXPECT_LE(Version().metadata->snapshots.size(), 2u);
  // With the grace over and nothing left behind, a second round finds nothing to do.
  ASSERT_TRUE(delivery_->KeepNow(feed_.table_id).ok());
  const std::string location = Version().metadata_location;
  const size_t objects = ObjectCount();
  ASSERT_TRUE(delivery_->KeepNow(feed_.table_id).ok());
  EXPECT_EQ(Version().metadata_location, location);
  EXPECT_EQ(ObjectCount(), objects);
}

TEST_F(DeliveryTest, ExpiredObjectsOutliveTheGrace) {
  upkeep_.delete_grace = std::chrono::minutes(10);
  upkeep_.snapshots_min = 1;
  Open();
  for (int i = 0; i < 3; ++i) {
    Append(2);
    ASSERT_TRUE(Deliver().ok());
  }
  const auto before = Files(Version());
  ASSERT_TRUE(delivery_->KeepNow(feed_.table_id).ok());
  ASSERT_TRUE(delivery_->KeepNow(feed_.table_id).ok());
  for (const auto& file : before) {
    EXPECT_TRUE(ground_.store->Head(*objects::ParseLocation(file.location)).ok());
  }
  clock_.Move(std::chrono::minutes(11));
  ASSERT_TRUE(delivery_->KeepNow(feed_.table_id).ok());
  for (const auto& file : before) {
    EXPECT_FALSE(ground_.store->Head(*objects::ParseLocation(file.location)).ok());
  }
  ExpectExactlyOnce();
}

TEST_F(DeliveryTest, OrphansAreRemoved) {
  Append(2);
  engine_.FailWrite(1, FakeEngine::Fail::kAfter);
  EXPECT_FALSE(Deliver().ok());
  ASSERT_TRUE(Deliver().ok());
  const size_t before = ObjectCount();
  ASSERT_TRUE(delivery_->KeepNow(feed_.table_id).ok());
  EXPECT_LT(ObjectCount(), before);
  ExpectExactlyOnce();
}

TEST_F(DeliveryTest, ACommitOfSomebodyElseIsNotLost) {
  Append(2);
  // Under the lock a schema change goes in; the delivery that waits for it starts from the new
  // version.
  std::thread delivering;
  ASSERT_TRUE(
      delivery_
          ->Exclusively(feed_.table_id,
                        [&]() -> Status {
                          delivering = std::thread([&] { EXPECT_TRUE(Deliver().ok()); });
                          tail::ChangeContract(
                              *modules_, feed_,
                              tail::MakeContract(
                                  "orders", {{"n", "int"}, {"name", "string"}, {"x", "string"}}));
                          return {};
                        })
          .ok());
  delivering.join();
  EXPECT_EQ(tail::SchemaOf(*modules_, feed_)->fields.size(), 5u);
  ExpectExactlyOnce();
}

TEST_F(DeliveryTest, AConflictStartsAgainAndLeavesNoFiles) {
  Append(2);
  const size_t before = ObjectCount();
  // The commit finds the pointer moved.
  ground_.database.FailNth(meta::FailingDatabase::Call::kCommit, 1, Code::kConflict);
  ASSERT_TRUE(Deliver().ok());
  EXPECT_EQ(engine_.writes(), 2);
  ExpectExactlyOnce();
  EXPECT_LE(ObjectCount(),
            before + 5);  // data, manifest, list, metadata; and the manifest of the first try
}

// Whatever call of whatever seam fails, nothing is lost or doubled, and the next round goes well.
TEST_F(DeliveryTest, TheNthCallOfEachSeamFails) {
  using Db = meta::FailingDatabase::Call;
  const auto disarm = [&] {
    store_.FailNth(0);
    engine_.FailWrite(0, FakeEngine::Fail::kBefore);
    ground_.database.FailNth(Db::kAny, 0);
    for (auto call : {log::LogCall::kRead, log::LogCall::kBoundsOf, log::LogCall::kTrim}) {
      ground_.log.FailCall(call, 1 << 30, {Code::kUnavailable, "never"});
    }
  };
  for (int nth = 1; nth <= 8; ++nth) {
    for (int seam = 0; seam < 9; ++seam) {
      Open();
      Append(2);
      const Error error(Code::kUnavailable, "told to fail");
      if (seam == 0) store_.FailNth(nth);
      if (seam == 1) engine_.FailWrite(nth, FakeEngine::Fail::kBefore);
      if (seam == 2) engine_.FailWrite(nth, FakeEngine::Fail::kAfter);
      if (seam == 3) ground_.database.FailNth(Db::kAny, nth);
      if (seam == 4) ground_.database.FailNth(Db::kCommit, nth);
      if (seam == 5) ground_.database.FailNth(Db::kExecute, nth);
      if (seam == 6) ground_.log.FailCall(log::LogCall::kRead, nth, error);
      if (seam == 7) ground_.log.FailCall(log::LogCall::kBoundsOf, nth, error);
      if (seam == 8) ground_.log.FailCall(log::LogCall::kTrim, nth, error);
      static_cast<void>(Deliver());
      static_cast<void>(delivery_->KeepNow(feed_.table_id));
      disarm();
      ExpectExactlyOnce();
      ASSERT_FALSE(HasFatalFailure()) << "seam " << seam << " call " << nth;
      const Status again = Deliver();
      ASSERT_TRUE(again.ok()) << again.error().message();
      ASSERT_TRUE(delivery_->KeepNow(feed_.table_id).ok());
      ASSERT_EQ(Delivered().size(), static_cast<size_t>(appended_));
    }
  }
}

TEST_F(DeliveryTest, ExactlyOnceWhateverHappensWhen) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](uint64_t limit) { return static_cast<int>(random() % limit); };
    for (int step = 0; step < 40; ++step) {
      const int failing = below(6);
      if (failing == 0) store_.FailNth(1 + below(12));
      if (failing == 1) {
        engine_.FailWrite(1 + below(2),
                          below(2) == 0 ? FakeEngine::Fail::kBefore : FakeEngine::Fail::kAfter);
      }
      if (failing == 2) ground_.database.FailNth(meta::FailingDatabase::Call::kAny, 1 + below(10));
      if (failing == 3) {
        ground_.log.FailCall(log::LogCall::kRead, 1 + below(3),
                             {Code::kUnavailable, "told to fail"});
      }
      const int action = below(8);
      if (action <= 2) Append(1 + below(20));
      if (action <= 4) static_cast<void>(Deliver());
      if (action == 5) static_cast<void>(delivery_->KeepNow(feed_.table_id));
      if (action == 6) Open();
      if (action == 7) {
        std::thread keeping([&] { static_cast<void>(delivery_->KeepNow(feed_.table_id)); });
        static_cast<void>(Deliver());
        keeping.join();
      }
      store_.FailNth(0);
      engine_.FailWrite(0, FakeEngine::Fail::kBefore);
      ground_.database.FailNth(meta::FailingDatabase::Call::kAny, 0);
      ground_.log.FailCall(log::LogCall::kRead, 1 << 30, {Code::kUnavailable, "never"});
      ExpectExactlyOnce();
      ASSERT_FALSE(HasFatalFailure())
          << "seed " << seed << " step " << step << " action " << action;
    }
  }
}

TEST_F(DeliveryTest, SettingsAreKept) {
  Settle({.product = feed_.product,
          .buffer_bytes = 5,
          .buffer_interval = milliseconds(6),
          .retention = milliseconds(7)});
  Open();
  auto found = delivery_->Find(feed_.product);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->buffer_bytes, 5);
  EXPECT_EQ(found->buffer_interval, milliseconds(6));
  EXPECT_EQ(found->retention, milliseconds(7));
  EXPECT_EQ(delivery_->Find(ProductName("others")).error().code(), Code::kNotFound);
  ASSERT_TRUE(
      modules_->database
          .Transact([&](meta::Transaction& tx) { return delivery_->Delete(tx, feed_.product); })
          .ok());
  EXPECT_FALSE(delivery_->Find(feed_.product).ok());
}

iceberg::DataFile File(const std::string& name, int64_t bytes, const std::string& partition = "") {
  iceberg::DataFile file;
  file.location = name;
  file.file_bytes = bytes;
  if (!partition.empty()) file.partition = {Bytes(partition)};
  return file;
}

TEST(ChooseMerge, TakesSmallFilesOfOnePartition) {
  const UpkeepSettings settings{.small_files_min = 3, .merge_target_bytes = 1000};
  EXPECT_TRUE(ChooseMerge({}, settings).empty());
  EXPECT_TRUE(ChooseMerge({File("a", 10), File("b", 10)}, settings).empty());
  EXPECT_EQ(ChooseMerge({File("a", 10), File("b", 10), File("c", 10)}, settings).size(), 3u);
  EXPECT_TRUE(
      ChooseMerge({File("a", 10, "x"), File("b", 10, "x"), File("c", 10, "y")}, settings).empty());
  EXPECT_TRUE(ChooseMerge({File("a", 500), File("b", 500), File("c", 500)}, settings).empty());
  // A large one waits until there is as much again beside it.
  EXPECT_TRUE(ChooseMerge({File("a", 10), File("b", 10), File("c", 400)}, settings).empty());
  EXPECT_EQ(
      ChooseMerge({File("a", 10), File("b", 10), File("c", 20), File("d", 400)}, settings).size(),
      3u);
}

TEST(ChooseMerge, CopiesEachRowALogarithmicNumberOfTimes) {
  const UpkeepSettings settings{.small_files_min = 4, .merge_target_bytes = 1 << 30};
  std::vector<iceberg::DataFile> files;
  int64_t copied = 0;
  size_t most = 0;
  for (int i = 0; i < 4096; ++i) {
    files.push_back(File(fmt::format("f{}", i), 1));
    const auto chosen = ChooseMerge(files, settings);
    if (!chosen.empty()) {
      int64_t bytes = 0;
      std::set<std::string> gone;
      for (const auto& file : chosen) {
        bytes += file.file_bytes;
        gone.insert(file.location);
      }
      std::erase_if(files, [&](const auto& file) { return gone.contains(file.location); });
      files.push_back(File(fmt::format("m{}", i), bytes));
      copied += bytes;
    }
    most = std::max(most, files.size());
  }
  EXPECT_LT(copied, 4096 * 12);
  EXPECT_LT(most, 24u);
}

}  // namespace
}  // namespace weft::deliver
