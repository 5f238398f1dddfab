// SPDX-License-Identifier: Apache-2.0
#include "app/data_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace weft::app {
namespace {

using ::testing::HasSubstr;

class DataFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/weft-folder-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    root_ = pattern;
    path_ = root_ + "/data";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  Result<std::unique_ptr<DataFolder>> Open() {
    return DataFolder::Open(path_, SystemDisk(), SystemRandom());
  }

  std::string root_, path_;
};

TEST_F(DataFolderTest, KeepsItsKeyAndIsItsOwnersAlone) {
  auto folder = Open();
  ASSERT_TRUE(folder.ok()) << folder.error().message();
  const Bytes key = (*folder)->master_key();
  EXPECT_EQ(key.size(), 32u);
  for (const char* name : {"", "/master.key", "/version"}) {
    struct stat status {};
    ASSERT_EQ(stat((path_ + name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 077, 0u) << name;
  }
  folder->reset();
  auto again = Open();
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->master_key(), key);
}

TEST_F(DataFolderTest, IsHeldByOneProcessAtATime) {
  auto folder = Open();
  ASSERT_TRUE(folder.ok());
  auto second = Open();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr("in use"));
}

TEST_F(DataFolderTest, RefusesANewerFormat) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(WriteFile(SystemDisk(), path_ + "/version", "weft 2\n").ok());
  auto newer = Open();
  ASSERT_FALSE(newer.ok());
  EXPECT_EQ(newer.error().code(), Code::kNotOffered);
  EXPECT_THAT(newer.error().message(), HasSubstr("newer Weft"));
}

TEST_F(DataFolderTest, RefusesAFolderOfSomethingElse) {
  ASSERT_TRUE(SystemDisk().MakeFolders(path_).ok());
  ASSERT_TRUE(WriteFile(SystemDisk(), path_ + "/thesis.tex", "mine").ok());
  auto other = Open();
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(other.error().message(), HasSubstr("thesis.tex"));
}

TEST_F(DataFolderTest, MakesNoFreshKeyForADatabaseThatHasOne) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(WriteFile(SystemDisk(), path_ + "/meta.sqlite", "").ok());
  ASSERT_TRUE(SystemDisk().Remove(path_ + "/master.key").ok());
  auto keyless = Open();
  ASSERT_FALSE(keyless.ok());
  EXPECT_EQ(keyless.error().code(), Code::kCorrupt);
}

TEST_F(DataFolderTest, AChangeOfTheMasterKeyThatBrokeOffIsFinishedWithTheSameKey) {
  auto folder = Open();
  ASSERT_TRUE(folder.ok());
  const Bytes before = (*folder)->master_key();
  Bytes tried, sealed_by;
  EXPECT_FALSE((*folder)
                   ->ChangeMasterKey(SystemRandom(),
                                     [&](const Bytes& next) -> Status {
                                       tried = next;
                                       return Fail(Code::kUnavailable, "the power went");
                                     })
                   .ok());
  folder->reset();
  auto refused = Open();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("rotate-master-key"));
  auto again =
      DataFolder::Open(path_, SystemDisk(), SystemRandom(), DataFolder::OpenFor::kNewMasterKey);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->master_key(), before);
  ASSERT_TRUE((*again)
                  ->ChangeMasterKey(SystemRandom(),
                                    [&](const Bytes& next) -> Status {
                                      sealed_by = next;
                                      return {};
                                    })
                  .ok());
  EXPECT_EQ(sealed_by, tried);
  again->reset();
  auto after = Open();
  ASSERT_TRUE(after.ok());
  EXPECT_EQ((*after)->master_key(), tried);
  EXPECT_NE((*after)->master_key(), before);
}

TEST_F(DataFolderTest, KeepsTheAddressWhenAKeyIsMadeWhileStopped) {
  auto folder = Open();
  ASSERT_TRUE(folder.ok());
  ASSERT_TRUE((*folder)->WriteClient("http://127.0.0.1:1", "A", "s", "r").ok());
  ASSERT_TRUE((*folder)->WriteClient("", "B", "t", "r").ok());
  auto text = ReadFile(SystemDisk(), path_ + "/client.json");
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, HasSubstr("http://127.0.0.1:1"));
  auto key = (*folder)->ReadAdminKey();
  ASSERT_TRUE(key.ok() && key->has_value());
  EXPECT_EQ((*key)->access_key_id, "B");
}

}  // namespace
}  // namespace weft::app
