// SPDX-License-Identifier: Apache-2.0
#include "base/disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "base/testing/sim_disk.h"

namespace weft {
namespace {

// A disk and a folder on it that is there.
struct Place {
  std::shared_ptr<Disk> disk;
  std::string folder;
  std::shared_ptr<void> cleanup = nullptr;
};

Place MachinePlace() {
  std::string folder = testing::TempDir() + "weft_disk_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return {};
  std::shared_ptr<void> cleanup(nullptr, [folder](void*) { std::filesystem::remove_all(folder); });
  return {.disk = std::shared_ptr<Disk>(&SystemDisk(), [](Disk*) {}),
          .folder = folder,
          .cleanup = cleanup};
}

Place SimulatedPlace() {
  auto disk = std::make_shared<SimDisk>();
  EXPECT_TRUE(disk->MakeFolders("base").ok());
  return {.disk = disk, .folder = "base"};
}

// What every Disk owes, the machine's and the simulated one alike.
class DiskContract : public testing::TestWithParam<std::function<Place()>> {
 protected:
  void SetUp() override {
    place_ = GetParam()();
    ASSERT_NE(place_.disk, nullptr);
  }
  Disk& disk() { return *place_.disk; }
  std::string Path(const std::string& name) { return place_.folder + "/" + name; }

  Place place_;
};

TEST_P(DiskContract, AFileGivesBackWhatWasWritten) {
  auto file = disk().Open(Path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(*(*file)->ReadAt(0, 10), "");
  ASSERT_TRUE((*file)->WriteAt(0, "hello").ok());
  ASSERT_TRUE((*file)->WriteAt(7, "world").ok());
  ASSERT_TRUE((*file)->Sync().ok());
  EXPECT_EQ(*(*file)->Size(), 12);
  EXPECT_EQ(*(*file)->ReadAt(0, 100), std::string("hello\0\0world", 12));
  EXPECT_EQ(*(*file)->ReadAt(7, 3), "wor");
  EXPECT_EQ(*(*file)->ReadAt(50, 3), "");
  ASSERT_TRUE((*file)->Truncate(3).ok());
  EXPECT_EQ(*ReadFile(disk(), Path("a")), "hel");
}

TEST_P(DiskContract, PiecesLieOneBehindTheOther) {
  auto file = disk().Open(Path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  std::vector<std::string> texts;
  std::string expected = "before";
  for (size_t i = 0; i < 3000; ++i) {
    texts.push_back(std::string(i % 50, static_cast<char>('a' + i % 26)));
    expected += texts.back();
  }
  const std::vector<BytesView> pieces(texts.begin(), texts.end());
  ASSERT_TRUE((*file)->WriteAt(0, "before").ok());
  ASSERT_TRUE((*file)->WritePieces(6, pieces).ok());
  EXPECT_EQ(*(*file)->ReadAt(0, 1 << 20), expected);
  ASSERT_TRUE((*file)->WritePieces(6, {}).ok());
  EXPECT_EQ(*(*file)->Size(), static_cast<int64_t>(expected.size()));
}

TEST_P(DiskContract, SpaceSetAsideIsNoPartOfTheFile) {
  auto file = disk().Open(Path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  (*file)->Reserve(0, 1 << 20);
  EXPECT_EQ(*(*file)->Size(), 0);
  ASSERT_TRUE((*file)->WriteAt(0, "hello").ok());
  (*file)->Reserve(2, 1 << 20);
  ASSERT_TRUE((*file)->Sync().ok());
  EXPECT_EQ(*(*file)->Size(), 5);
  EXPECT_EQ(*(*file)->ReadAt(0, 100), "hello");
}

TEST_P(DiskContract, AFreedStretchReadsAsZeros) {
  auto file = disk().Open(Path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->WriteAt(0, std::string(20'000, 'x')).ok());
  ASSERT_TRUE((*file)->Free(4096, 8192).ok());
  EXPECT_EQ(*(*file)->Size(), 20'000);
  EXPECT_EQ(*(*file)->ReadAt(0, 20'000),
            std::string(4096, 'x') + std::string(8192, '\0') + std::string(20'000 - 12'288, 'x'));
}

TEST_P(DiskContract, AWrongLengthIsNoHugeAllocation) {
  ASSERT_TRUE(WriteFile(disk(), Path("a"), "x").ok());
  auto file = disk().Open(Path("a"), OpenMode::kRead);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(*(*file)->ReadAt(0, INT64_MAX), "x");
}

TEST_P(DiskContract, ModesOfOpening) {
  EXPECT_EQ(disk().Open(Path("a"), OpenMode::kRead).error().code(), Code::kNotFound);
  EXPECT_EQ(disk().Open(Path("a"), OpenMode::kWrite).error().code(), Code::kNotFound);
  EXPECT_EQ(disk().Open(Path("no/folder"), OpenMode::kCreateNew).error().code(), Code::kNotFound);
  ASSERT_TRUE(disk().Open(Path("a"), OpenMode::kCreateNew).ok());
  EXPECT_EQ(disk().Open(Path("a"), OpenMode::kCreateNew).error().code(), Code::kExists);
  auto reader = disk().Open(Path("a"), OpenMode::kRead);
  ASSERT_TRUE(reader.ok());
  EXPECT_FALSE((*reader)->WriteAt(0, "x").ok());
}

TEST_P(DiskContract, RenameReplacesAndLinkDoesNot) {
  ASSERT_TRUE(WriteFile(disk(), Path("a"), "a").ok());
  ASSERT_TRUE(WriteFile(disk(), Path("b"), "b").ok());
  EXPECT_EQ(disk().Link(Path("a"), Path("b")).error().code(), Code::kExists);
  ASSERT_TRUE(disk().Rename(Path("a"), Path("b")).ok());
  EXPECT_EQ(*ReadFile(disk(), Path("b")), "a");
  EXPECT_EQ(disk().Rename(Path("a"), Path("c")).error().code(), Code::kNotFound);
  ASSERT_TRUE(disk().Link(Path("b"), Path("c")).ok());
  ASSERT_TRUE(disk().Remove(Path("b")).ok());
  EXPECT_EQ(disk().Remove(Path("b")).error().code(), Code::kNotFound);
  EXPECT_EQ(*ReadFile(disk(), Path("c")), "a");
}

TEST_P(DiskContract, FoldersAreMadeListedAndRemoved) {
  ASSERT_TRUE(disk().MakeFolders(Path("x/y/z")).ok());
  ASSERT_TRUE(disk().MakeFolders(Path("x/y/z")).ok());
  ASSERT_TRUE(WriteFile(disk(), Path("x/file"), "123").ok());
  ASSERT_TRUE(WriteFile(disk(), Path("x/File"), "").ok());
  auto entries = disk().List(Path("x"));
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].name, "File");
  EXPECT_EQ((*entries)[1].name, "file");
  EXPECT_EQ((*entries)[1].bytes, 3);
  EXPECT_FALSE((*entries)[1].folder);
  EXPECT_EQ((*entries)[2].name, "y");
  EXPECT_TRUE((*entries)[2].folder);
  EXPECT_EQ(disk().List(Path("none")).error().code(), Code::kNotFound);
  EXPECT_FALSE(disk().Remove(Path("x")).ok());
  EXPECT_TRUE(disk().Remove(Path("x/y/z")).ok());
  EXPECT_EQ(disk().MakeFolders(Path("x/file")).error().code(), Code::kExists);
}

TEST_P(DiskContract, AnOpenFileOutlivesItsName) {
  ASSERT_TRUE(WriteFile(disk(), Path("a"), "still").ok());
  auto file = disk().Open(Path("a"), OpenMode::kRead);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(disk().Remove(Path("a")).ok());
  EXPECT_EQ(*(*file)->ReadAt(0, 10), "still");
}

TEST_P(DiskContract, WriteFileReplacesWholeAndLeavesNothingElse) {
  const std::string large(1'000'000, 'x');
  ASSERT_TRUE(WriteFile(disk(), Path("a"), large).ok());
  ASSERT_TRUE(WriteFile(disk(), Path("a"), "small").ok());
  EXPECT_EQ(*ReadFile(disk(), Path("a")), "small");
  EXPECT_EQ(disk().List(place_.folder)->size(), 1u);
  EXPECT_FALSE(WriteFile(disk(), Path("none/a"), "x").ok());
}

TEST_P(DiskContract, ThereIsFreeSpace) { EXPECT_GT(*disk().FreeBytes(place_.folder), 0); }

INSTANTIATE_TEST_SUITE_P(Machine, DiskContract, testing::Values(MachinePlace));
INSTANTIATE_TEST_SUITE_P(Simulated, DiskContract, testing::Values(SimulatedPlace));

TEST(MachineDiskTest, NewFilesAreTheirOwnersAlone) {
  Place place = MachinePlace();
  ASSERT_TRUE(WriteFile(*place.disk, place.folder + "/secret", "x").ok());
  struct stat status {};
  ASSERT_EQ(stat((place.folder + "/secret").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(MachineDiskTest, AFullDeviceIsUnavailable) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  auto file = SystemDisk().Open("/dev/full", OpenMode::kWrite);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->WriteAt(0, "x").error().code(), Code::kUnavailable);
}

TEST(MachineDiskTest, AFullDeviceTakesNoPiecesEither) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  auto file = SystemDisk().Open("/dev/full", OpenMode::kWrite);
  ASSERT_TRUE(file.ok());
  const std::vector<BytesView> pieces{"a", "b"};
  EXPECT_EQ((*file)->WritePieces(0, pieces).error().code(), Code::kUnavailable);
}

TEST(FolderOfTest, IsWhatStandsBeforeTheLastSlash) {
  EXPECT_EQ(FolderOf("a/b/c"), "a/b");
  EXPECT_EQ(FolderOf("/a"), "/");
  EXPECT_EQ(FolderOf("a"), ".");
}

TEST(SimDiskTest, PowerLossKeepsWhatWasSyncedAndOnlyThatForSure) {
  bool lost = false, kept = false;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SimDisk disk(seed);
    ASSERT_TRUE(disk.MakeFolders("d").ok());
    ASSERT_TRUE(WriteFile(disk, "d/a", "synced").ok());
    auto file = disk.Open("d/a", OpenMode::kWrite);
    ASSERT_TRUE((*file)->WriteAt(6, "written").ok());
    disk.CutPower();
    EXPECT_FALSE((*file)->Sync().ok());
    disk.Restart();
    auto content = ReadFile(disk, "d/a");
    ASSERT_TRUE(content.ok());
    EXPECT_TRUE(content->starts_with("synced"));
    (content->size() == 6 ? lost : kept) = true;
    EXPECT_FALSE((*file)->WriteAt(0, "x").ok());
  }
  EXPECT_TRUE(lost && kept);
}

TEST(SimDiskTest, AReplacedFileIsTheOldOneOrTheNew) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    for (int64_t change = 1; change <= 8; ++change) {
      SimDisk disk(seed);
      ASSERT_TRUE(disk.MakeFolders("d").ok());
      ASSERT_TRUE(WriteFile(disk, "d/a", "old").ok());
      disk.CutPowerAtChange(change);
      bool written = WriteFile(disk, "d/a", "new!").ok();
      disk.CutPower();
      disk.Restart();
      auto content = ReadFile(disk, "d/a");
      ASSERT_TRUE(content.ok());
      EXPECT_THAT(*content, testing::AnyOf("old", "new!"));
      if (written) {
        EXPECT_EQ(*content, "new!");
      }
    }
  }
}

TEST(SimDiskTest, AfterAFailedSyncALaterOneProvesNothing) {
  bool lost = false;
  for (uint64_t seed = 1; seed <= 50 && !lost; ++seed) {
    SimDisk disk(seed);
    ASSERT_TRUE(disk.MakeFolders("d").ok());
    ASSERT_TRUE(WriteFile(disk, "d/a", "").ok());
    auto file = disk.Open("d/a", OpenMode::kWrite);
    ASSERT_TRUE((*file)->WriteAt(0, "x").ok());
    disk.FailCall(DiskCall::kSync, 1, Error(Code::kInternal, "told to"));
    EXPECT_FALSE((*file)->Sync().ok());
    EXPECT_TRUE((*file)->Sync().ok());
    disk.CutPower();
    disk.Restart();
    lost = ReadFile(disk, "d/a")->empty();
  }
  EXPECT_TRUE(lost);
}

TEST(SimDiskTest, FillsUp) {
  SimDisk disk;
  ASSERT_TRUE(disk.MakeFolders("d").ok());
  disk.SetCapacity(10);
  auto file = disk.Open("d/a", OpenMode::kCreateNew);
  ASSERT_TRUE((*file)->WriteAt(0, "12345678").ok());
  EXPECT_EQ(*disk.FreeBytes("d"), 2);
  EXPECT_EQ((*file)->WriteAt(8, "12345678").error().code(), Code::kUnavailable);
  EXPECT_TRUE((*file)->WriteAt(0, "again").ok());
}

}  // namespace
}  // namespace weft
