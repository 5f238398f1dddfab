// SPDX-License-Identifier: Apache-2.0
#include "objects/local_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing/sim_disk.h"
#include "objects/testing/failing_store.h"
#include "objects/testing/memory_store.h"
#include "objects/testing/object_store_contract.h"

namespace weft::objects {
namespace {

using testing::ElementsAre;

std::string Folder() {
  std::string pattern = testing::TempDir() + "weft objects XXXXXX";
  return std::string(mkdtemp(pattern.data()));
}

std::unique_ptr<ObjectStore> Open(const std::string& root, Disk& disk = SystemDisk()) {
  auto store = OpenLocalStore({.root = root, .free_bytes_min = 0}, disk, SystemClock());
  EXPECT_TRUE(store.ok()) << (store.ok() ? "" : store.error().message());
  return store.ok() ? std::move(*store) : nullptr;
}

// A store on a simulated disk that it owns.
class SimulatedStore final : public ObjectStore {
 public:
  SimulatedStore() : store_(Open("/data/objects", disk_)) {}
  Status Put(const ObjectKey& key, BytesView body) override { return store_->Put(key, body); }
  Status PutIfAbsent(const ObjectKey& key, BytesView body) override {
    return store_->PutIfAbsent(key, body);
  }
  Result<std::unique_ptr<ObjectWriter>> Create(const ObjectKey& key) override {
    return store_->Create(key);
  }
  Result<Bytes> Get(const ObjectKey& key) override { return store_->Get(key); }
  Result<Bytes> GetRange(const ObjectKey& key, int64_t offset, int64_t bytes) override {
    return store_->GetRange(key, offset, bytes);
  }
  Result<ObjectInfo> Head(const ObjectKey& key) override { return store_->Head(key); }
  Status Delete(const ObjectKey& key) override { return store_->Delete(key); }
  Result<std::vector<ObjectInfo>> List(const std::string& bucket, const std::string& prefix,
                                       const std::string& after, int count_max) override {
    return store_->List(bucket, prefix, after, count_max);
  }

 private:
  SimDisk disk_;
  std::unique_ptr<ObjectStore> store_;
};

// Through the wrapper, which must change nothing when it is told nothing.
class WrappedStore final {
 public:
  static std::unique_ptr<ObjectStore> Make() {
    static std::unique_ptr<ObjectStore> memory;
    memory = OpenMemoryStore();
    return std::make_unique<FailingStore>(*memory);
  }
};

INSTANTIATE_TEST_SUITE_P(Local, ObjectStoreContract,
                         testing::Values([] { return Open(Folder() + "/a/b"); }));
INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreContract,
                         testing::Values([] { return OpenMemoryStore(); }));
INSTANTIATE_TEST_SUITE_P(Failing, ObjectStoreContract, testing::Values(WrappedStore::Make));
INSTANTIATE_TEST_SUITE_P(Simulated, ObjectStoreContract,
                         testing::Values([] { return std::make_unique<SimulatedStore>(); }));

ObjectKey Key(std::string key) { return {.bucket = "bucket", .key = std::move(key)}; }

TEST(LocalStore, PlainKeysAreFilesOfThatName) {
  const std::string root = Folder();
  auto store = Open(root);
  ASSERT_TRUE(store->Put(Key("t/day=2026-11-01/00000-1.parquet"), "body").ok());
  std::ifstream file(root + "/bucket/t/day=2026-11-01/00000-1.parquet");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "body");
  ASSERT_TRUE(store->Put(Key("../../../escaped"), "x").ok());
  EXPECT_FALSE(std::filesystem::exists(root + "/../escaped"));
  ASSERT_TRUE(store->Delete(Key("t/day=2026-11-01/00000-1.parquet")).ok());
  EXPECT_FALSE(std::filesystem::exists(root + "/bucket/t"));
}

TEST(LocalStore, TellsPlainKeys) {
  for (const char* key : {"a", "a/b", "A-z_0.9=+()", "...", "a/..b", "day=1/x.parquet"})
    EXPECT_TRUE(PlainKey(key)) << key;
  for (const char* key : {"", "/", "a/", "/a", "a//b", ".", "..", "a/./b", "a/..", "a b", "a\\b",
                          "a:b", "\xc3\xa9", "a%20b"}) {
    EXPECT_FALSE(PlainKey(key)) << key;
  }
  EXPECT_TRUE(PlainKey(std::string(255, 'a')));
  EXPECT_FALSE(PlainKey(std::string(256, 'a')));
}

TEST(LocalStore, LocationsGoBothWays) {
  for (const char* text : {"s3://bucket/a", "s3://bucket/a b/%20//c", "s3://b.1-c/x"}) {
    auto key = ParseLocation(text);
    ASSERT_TRUE(key.ok()) << text;
    EXPECT_EQ(Location(*key), text);
  }
  for (const char* text : {"", "s3://", "s3://bucket", "s3://bucket/", "S3://bucket/a", "file:///a",
                           "s3:///a", "s3://Bu/a"}) {
    EXPECT_EQ(ParseLocation(text).error().code(), Code::kInvalid) << text;
  }
}

TEST(LocalStore, KeepsAllOverAReopening) {
  const std::string root = Folder();
  std::vector<std::string> keys = {"a", "a b", "a/b", "b/c", std::string(300, 'x')};
  {
    auto store = Open(root);
    for (const std::string& key : keys) ASSERT_TRUE(store->Put(Key(key), key).ok());
  }
  auto store = Open(root);
  for (const std::string& key : keys) EXPECT_EQ(*store->Get(Key(key)), key);
  ASSERT_TRUE(store->Put(Key("a/b"), "replaced").ok());
  EXPECT_EQ(store->List("bucket", "", "", 100)->size(), keys.size());
  EXPECT_EQ(*store->Get(Key("a/b")), "replaced");
}

TEST(LocalStore, ForgetsWhatAnEndedProcessLeftHalfWritten) {
  const std::string root = Folder();
  auto store = Open(root);
  auto writer = *store->Create(Key("large"));
  ASSERT_TRUE(writer->Write("half").ok());
  EXPECT_FALSE(std::filesystem::is_empty(root + "/.tmp"));
  auto next = Open(root);
  EXPECT_TRUE(std::filesystem::is_empty(root + "/.tmp"));
  EXPECT_TRUE(next->List("bucket", "", "", 10)->empty());
}

TEST(LocalStore, AReaderLeavesTheOwnersFolderAlone) {
  const std::string root = Folder() + "/objects";
  auto owner = Open(root);
  auto half = owner->Create({"weft", "a/half"});
  ASSERT_TRUE(half.ok() && (*half)->Write("half").ok());
  ASSERT_TRUE(owner->Put({"weft", "a/whole"}, "whole").ok());

  auto reader = OpenLocalStore({.root = root, .reader = true, .free_bytes_min = 0}, SystemDisk(),
                               SystemClock());
  ASSERT_TRUE(reader.ok()) << reader.error().message();
  auto read = (*reader)->Get({"weft", "a/whole"});
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, "whole");
  EXPECT_EQ((*reader)->Put({"weft", "b"}, "").error().code(), Code::kDenied);
  EXPECT_EQ((*reader)->Delete({"weft", "a/whole"}).error().code(), Code::kDenied);
  // What the owner was writing is still its own to finish.
  ASSERT_TRUE((*half)->Commit().ok());
  EXPECT_TRUE(owner->Get({"weft", "a/half"}).ok());
  // A folder that is not there yet stays so.
  const std::string none = Folder() + "/none";
  EXPECT_TRUE(OpenLocalStore({.root = none, .reader = true}, SystemDisk(), SystemClock()).ok());
  EXPECT_FALSE(std::filesystem::exists(none));
}

TEST(LocalStore, RefusesAFolderOfAnotherFormat) {
  const std::string root = Folder();
  Open(root).reset();
  std::ofstream(root + "/.weft-objects") << "weft objects 2\n";
  EXPECT_EQ(OpenLocalStore({.root = root}, SystemDisk(), SystemClock()).error().code(),
            Code::kNotOffered);
  std::ofstream(root + "/.weft-objects") << "\0\0";
  EXPECT_EQ(OpenLocalStore({.root = root}, SystemDisk(), SystemClock()).error().code(),
            Code::kCorrupt);
  EXPECT_EQ(OpenLocalStore({.root = ""}, SystemDisk(), SystemClock()).error().code(),
            Code::kInvalid);
}

TEST(LocalStore, KeepsTheFreeSpaceItIsToldTo) {
  SimDisk disk;
  disk.SetCapacity(10'000);
  auto store = *OpenLocalStore({.root = "/o", .free_bytes_min = 4'000}, disk, SystemClock());
  ASSERT_TRUE(store->Put(Key("a"), std::string(5'000, 'x')).ok());
  EXPECT_EQ(store->Put(Key("b"), std::string(2'000, 'x')).error().code(), Code::kUnavailable);
  EXPECT_EQ(store->PutIfAbsent(Key("b"), std::string(2'000, 'x')).error().code(),
            Code::kUnavailable);
  auto writer = *store->Create(Key("b"));
  EXPECT_TRUE(writer->Write(std::string(500, 'x')).ok());
  EXPECT_EQ(writer->Write(std::string(2'000, 'x')).error().code(), Code::kUnavailable);
  EXPECT_EQ(writer->Commit().error().code(), Code::kUnavailable);
  writer.reset();
  ASSERT_TRUE(store->Delete(Key("a")).ok());
  EXPECT_TRUE(store->Put(Key("b"), std::string(5'000, 'x')).ok());
}

// One change of a store, to be interrupted anywhere.
struct Step {
  const char* name;
  std::function<Status(ObjectStore&)> run;
  std::string key;
  std::optional<std::string> before, after;
};

std::vector<Step> Steps() {
  auto stream = [](ObjectStore& store) -> Status {
    auto writer = TRY(store.Create(Key("s/t")));
    TRY(writer->Write("new "));
    TRY(writer->Write("body"));
    return writer->Commit();
  };
  return {
      {"put", [](ObjectStore& s) { return s.Put(Key("n/m/o"), "new body"); }, "n/m/o", std::nullopt,
       "new body"},
      {"replace", [](ObjectStore& s) { return s.Put(Key("old/a"), "new body"); }, "old/a",
       "old body", "new body"},
      {"put if absent", [](ObjectStore& s) { return s.PutIfAbsent(Key("x y"), "new body"); }, "x y",
       std::nullopt, "new body"},
      {"stream", stream, "s/t", std::nullopt, "new body"},
      {"delete", [](ObjectStore& s) { return s.Delete(Key("old/a")); }, "old/a", "old body",
       std::nullopt},
      {"displace", [](ObjectStore& s) { return s.Put(Key("old"), "new body"); }, "old",
       std::nullopt, "new body"},
  };
}

std::optional<std::string> Content(ObjectStore& store, const std::string& key) {
  auto got = store.Get(Key(key));
  if (got.ok()) return *got;
  EXPECT_EQ(got.error().code(), Code::kNotFound) << got.error().message();
  return std::nullopt;
}

TEST(LocalStore, APowerCutAnywhereLeavesTheOldOrTheNew) {
  for (const Step& step : Steps()) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      for (int64_t cut = 1;; ++cut) {
        SCOPED_TRACE(fmt::format("{}, seed {}, change {}", step.name, seed, cut));
        SimDisk disk(seed);
        auto store = Open("/o", disk);
        ASSERT_TRUE(store->Put(Key("old/a"), "old body").ok());
        ASSERT_TRUE(store->Put(Key("kept"), "kept").ok());
        disk.CutPowerAtChange(cut);
        Status done = step.run(*store);
        const bool survived = disk.powered();
        disk.CutPower();
        disk.Restart();
        store = Open("/o", disk);
        ASSERT_NE(store, nullptr);
        const auto now = Content(*store, step.key);
        EXPECT_TRUE(now == step.before || now == step.after) << now.value_or("(none)");
        EXPECT_TRUE(!done.ok() || now == step.after);
        EXPECT_EQ(Content(*store, "kept"), "kept");
        EXPECT_TRUE(step.key == "old/a" || Content(*store, "old/a") == "old body");
        // What is listed is what can be read, and the step can be taken again.
        const std::vector<ObjectInfo> listed = *store->List("bucket", "", "", 100);
        for (const ObjectInfo& info : listed) {
          EXPECT_TRUE(Content(*store, info.key.key).has_value()) << info.key.key;
        }
        Status again = step.run(*store);
        EXPECT_TRUE(again.ok() || again.error().code() == Code::kExists);
        EXPECT_TRUE(Content(*store, step.key) == step.after);
        if (survived) break;
      }
    }
  }
}

TEST(LocalStore, WhateverCallOfTheDiskFailsTheObjectIsOldOrNew) {
  for (const Step& step : Steps()) {
    for (DiskCall call :
         {DiskCall::kOpen, DiskCall::kWrite, DiskCall::kSync, DiskCall::kRename, DiskCall::kLink,
          DiskCall::kRemove, DiskCall::kMakeFolders, DiskCall::kSyncFolder, DiskCall::kFreeBytes}) {
      for (int64_t nth = 1; nth <= 6; ++nth) {
        SCOPED_TRACE(fmt::format("{}, call {}, {}", step.name, static_cast<int>(call), nth));
        SimDisk disk;
        auto store = Open("/o", disk);
        ASSERT_TRUE(store->Put(Key("old/a"), "old body").ok());
        disk.FailCall(call, nth, Error(Code::kUnavailable, "the test's failure"));
        Status done = step.run(*store);
        disk.StopFailing();
        const auto now = Content(*store, step.key);
        EXPECT_TRUE(now == step.before || now == step.after) << now.value_or("(none)");
        EXPECT_TRUE(!done.ok() || now == step.after);
        Status again = step.run(*store);
        EXPECT_TRUE(again.ok() || again.error().code() == Code::kExists) << again.error().message();
        EXPECT_TRUE(Content(*store, step.key) == step.after);
        // A remove that failed leaves a temporary file, until the next start.
        EXPECT_TRUE(call == DiskCall::kRemove || disk.List("/o/.tmp")->empty());
        store = Open("/o", disk);
        EXPECT_TRUE(disk.List("/o/.tmp")->empty());
        EXPECT_TRUE(Content(*store, step.key) == step.after);
      }
    }
  }
}

TEST(FailingStore, FailsTheNthCallWithOrWithoutEffect) {
  auto memory = OpenMemoryStore();
  FailingStore store(*memory);
  store.FailNth(FailingStore::Call::kPut, 2);
  EXPECT_TRUE(store.Put(Key("a"), "1").ok());
  EXPECT_TRUE(store.armed());
  EXPECT_EQ(store.Put(Key("b"), "1").error().code(), Code::kUnavailable);
  EXPECT_FALSE(store.armed());
  EXPECT_FALSE(memory->Get(Key("b")).ok());
  store.FailNth(FailingStore::Call::kAny, 1, Code::kInternal, FailingStore::Effect::kDone);
  EXPECT_EQ(store.PutIfAbsent(Key("b"), "2").error().code(), Code::kInternal);
  EXPECT_EQ(*store.Get(Key("b")), "2");
}

}  // namespace
}  // namespace weft::objects
