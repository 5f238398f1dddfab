// SPDX-License-Identifier: Apache-2.0
#include "identity/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

#include "meta/sqlite.h"
#include "meta/testing/failing_database.h"

namespace weft::identity {
namespace {

using meta::FailingDatabase;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

class SeededRandom final : public Random {
 public:
  void Fill(void* to, size_t bytes) override {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < bytes; ++i)
      static_cast<unsigned char*>(to)[i] = static_cast<unsigned char>(engine_());
  }

 private:
  std::mutex mutex_;
  std::mt19937 engine_{7};
};

class StoppedClock final : public Clock {
 public:
  Timestamp Now() const override { return Timestamp(microseconds(1'793'527'200'000'000)); }
  microseconds Elapsed() const override { return microseconds(0); }
};

class DirectoryTest : public testing::Test {
 protected:
  DirectoryTest() {
    EXPECT_TRUE(meta::Migrate(*database_, "identity", Directory::Migrations()).ok());
    directory_ = std::make_unique<Directory>(Directory::Options{.master_key = std::string(32, 'k')},
                                             failing_, clock_, random_);
  }

  template <class Work>
  Status Do(Work work) {
    return failing_.Transact([&](meta::Transaction& tx) -> Status { return work(tx); });
  }
  Status Put(const Account& account) {
    return Do([&](meta::Transaction& tx) { return directory_->PutAccount(tx, account); });
  }
  Status Put(const Group& group) {
    return Do([&](meta::Transaction& tx) { return directory_->PutGroup(tx, group); });
  }
  Status Put(const User& user) {
    return Do([&](meta::Transaction& tx) { return directory_->PutUser(tx, user); });
  }
  void PutTwoAccounts() {
    ASSERT_TRUE(Put(Account{sales_, "sales", ""}).ok());
    ASSERT_TRUE(Put(Account{analytics_, "analytics", ""}).ok());
    ASSERT_TRUE(Put(Group{sales_, "makers"}).ok());
    ASSERT_TRUE(Put(Group{analytics_, "query"}).ok());
    ASSERT_TRUE(Put(User{analytics_, "ada", {"query", "sales/makers"}}).ok());
  }

  const AccountId sales_{"111111111111"}, analytics_{"333333333333"};
  StoppedClock clock_;
  SeededRandom random_;
  std::unique_ptr<meta::Database> database_ = *meta::OpenSqlite({.path = ""});
  FailingDatabase failing_{*database_};
  std::unique_ptr<Directory> directory_;
};

TEST_F(DirectoryTest, TheFirstStartMakesOneAdministratorWithOneKey) {
  auto made = directory_->EnsureAdministrator();
  ASSERT_TRUE(made.ok()) << made.error().message();
  ASSERT_TRUE(made->has_value());
  EXPECT_THAT((*made)->key.id, MatchesRegex("AKIA[A-Z2-7]{16}"));
  EXPECT_THAT((*made)->secret, MatchesRegex("[A-Za-z0-9+/]{40}"));
  EXPECT_FALSE(directory_->EnsureAdministrator()->has_value());
  auto credential = directory_->FindCredential((*made)->key.id);
  ASSERT_TRUE(credential.ok());
  EXPECT_EQ((*credential)->secret, (*made)->secret);
  EXPECT_TRUE((*credential)->principal.administrator);
  EXPECT_EQ((*credential)->principal.arn, "arn:aws:iam::000000000000:user/admin");
  EXPECT_EQ(directory_->FindAccount("root")->id.text(), "000000000000");
}

TEST_F(DirectoryTest, SecretsSealedAnewOpenWithTheNewKeyOnly) {
  auto first = directory_->EnsureAdministrator();
  ASSERT_TRUE(first.ok() && first->has_value());
  const Bytes next(32, 'n');
  ASSERT_TRUE(directory_->Reseal(next).ok());
  ASSERT_TRUE(directory_->Reseal(next).ok());  // again, after a crash, is fine
  Directory after({.master_key = next}, failing_, clock_, random_);
  auto credential = after.FindCredential((*first)->key.id);
  ASSERT_TRUE(credential.ok());
  EXPECT_EQ((*credential)->secret, (*first)->secret);
  Directory before({.master_key = std::string(32, 'k')}, failing_, clock_, random_);
  EXPECT_FALSE(before.FindCredential((*first)->key.id).ok());
  EXPECT_EQ(Directory({.master_key = std::string(32, 'x')}, failing_, clock_, random_)
                .Reseal(std::string(32, 'y'))
                .error()
                .code(),
            Code::kCorrupt);
}

TEST_F(DirectoryTest, AResetLeavesTheAdministratorOneNewKey) {
  auto first = **directory_->EnsureAdministrator();
  auto second = directory_->ResetAdministratorKey();
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(directory_->FindCredential(first.key.id).error().code(), Code::kUnauthenticated);
  EXPECT_TRUE(directory_->FindCredential(second->key.id).ok());
  EXPECT_EQ(directory_->Keys().size(), 1U);
}

TEST_F(DirectoryTest, TheAdministratorIsNotToBeRemovedOrRenamed) {
  ASSERT_TRUE(directory_->EnsureAdministrator().ok());
  const AccountId root(kRootAccount);
  EXPECT_EQ(Put(Account{root, "mine", ""}).error().code(), Code::kDenied);
  EXPECT_EQ(Do([&](auto& tx) { return directory_->DeleteAccount(tx, root); }).error().code(),
            Code::kDenied);
  EXPECT_EQ(Do([&](auto& tx) { return directory_->DeleteUser(tx, root, "admin"); }).error().code(),
            Code::kDenied);
}

TEST_F(DirectoryTest, OnlyTheAdministratorOfTheRootAccountIsOne) {
  ASSERT_TRUE(directory_->EnsureAdministrator().ok());
  PutTwoAccounts();
  ASSERT_TRUE(Put(User{analytics_, "admin", {}}).ok());
  ASSERT_TRUE(Put(User{AccountId(kRootAccount), "other", {}}).ok());
  EXPECT_FALSE(directory_->PrincipalOf({analytics_, "admin", {}})->administrator);
  EXPECT_FALSE(directory_->PrincipalOf({AccountId(kRootAccount), "other", {}})->administrator);
}

TEST_F(DirectoryTest, AccountsHaveTwelveDigitsAndNamesOfTheirOwn) {
  for (const char* id : {"", "1", "11111111111a", "1111111111111"}) {
    EXPECT_EQ(Put(Account{AccountId(id), "sales", ""}).error().code(), Code::kInvalid) << id;
  }
  for (const char* name : {"", "a/b", "a b", "222222222222", "\xc3\xa9"}) {
    EXPECT_EQ(Put(Account{sales_, name, ""}).error().code(), Code::kInvalid) << name;
  }
  ASSERT_TRUE(Put(Account{sales_, "sales", "takes the orders"}).ok());
  ASSERT_TRUE(Put(Account{sales_, "sales2", ""}).ok());
  EXPECT_FALSE(directory_->FindAccount("sales").has_value());
  EXPECT_EQ(directory_->FindAccount("sales2")->id, sales_);
  EXPECT_EQ(directory_->FindAccount("111111111111")->name, "sales2");
  EXPECT_EQ(Put(Account{analytics_, "sales2", ""}).error().code(), Code::kConflict);
}

TEST_F(DirectoryTest, AnAccountIsDeletedOnlyWhenEmpty) {
  PutTwoAccounts();
  auto remove = [&](const AccountId& id) {
    return Do([&](auto& tx) { return directory_->DeleteAccount(tx, id); });
  };
  EXPECT_EQ(remove(sales_).error().code(), Code::kConflict);
  EXPECT_EQ(remove(AccountId("999999999999")).error().code(), Code::kNotFound);
  ASSERT_TRUE(Do([&](auto& tx) { return directory_->DeleteGroup(tx, {sales_, "makers"}); }).ok());
  EXPECT_TRUE(remove(sales_).ok());
  EXPECT_THAT(directory_->ResolveUser("ada")->groups, ElementsAre("query"));
}

TEST_F(DirectoryTest, AUsersGroupsAreExactlyThoseGiven) {
  PutTwoAccounts();
  EXPECT_THAT(directory_->ResolveUser("ada")->groups, ElementsAre("sales/makers", "query"));
  EXPECT_THAT(directory_->PrincipalOf({analytics_, "ada", {}})->groups,
              ElementsAre("111111111111/makers", "query"));
  ASSERT_TRUE(Put(User{analytics_, "ada", {"query", "query"}}).ok());
  EXPECT_THAT(directory_->ResolveUser("ada")->groups, ElementsAre("query"));
  EXPECT_EQ(Put(User{analytics_, "ada", {"none"}}).error().code(), Code::kNotFound);
  EXPECT_EQ(Put(User{analytics_, "ada", {"nowhere/query"}}).error().code(), Code::kNotFound);
  EXPECT_EQ(Put(User{AccountId("999999999999"), "bob", {}}).error().code(), Code::kNotFound);
  EXPECT_EQ(Put(Group{AccountId("999999999999"), "g"}).error().code(), Code::kNotFound);
  EXPECT_EQ(Put(User{analytics_, "a/b", {}}).error().code(), Code::kInvalid);
  EXPECT_EQ(Put(Group{analytics_, ""}).error().code(), Code::kInvalid);
  EXPECT_THAT(directory_->ResolveUser("ada")->groups, ElementsAre("query"));
  ASSERT_TRUE(Put(User{analytics_, "ada", {}}).ok());
  EXPECT_TRUE(directory_->ResolveUser("ada")->groups.empty());
}

TEST_F(DirectoryTest, ResolvesNamesAndSaysWhatIsAmbiguous) {
  PutTwoAccounts();
  ASSERT_TRUE(Put(User{sales_, "ada", {}}).ok());
  ASSERT_TRUE(Put(User{sales_, "press", {}}).ok());
  EXPECT_EQ(directory_->ResolveUser("press")->account, sales_);
  auto ambiguous = directory_->ResolveUser("ada");
  EXPECT_EQ(ambiguous.error().code(), Code::kInvalid);
  EXPECT_THAT(ambiguous.error().message(), HasSubstr("sales/ada, analytics/ada"));
  EXPECT_EQ(directory_->ResolveUser("analytics/ada")->account, analytics_);
  EXPECT_EQ(directory_->ResolveUser("333333333333/ada")->account, analytics_);
  EXPECT_EQ(directory_->ResolveUser("sales/bob").error().code(), Code::kNotFound);
  auto near = directory_->ResolveUser("presss");
  EXPECT_EQ(near.error().code(), Code::kNotFound);
  EXPECT_THAT(near.error().message(), HasSubstr("did you mean press?"));

  using Kind = PrincipalRef::Kind;
  EXPECT_EQ(*directory_->ResolvePrincipal("user/press"),
            (PrincipalRef{Kind::kUser, sales_, "press"}));
  EXPECT_EQ(*directory_->ResolvePrincipal("user/analytics/ada"),
            (PrincipalRef{Kind::kUser, analytics_, "ada"}));
  EXPECT_EQ(*directory_->ResolvePrincipal("group/query"),
            (PrincipalRef{Kind::kGroup, analytics_, "query"}));
  EXPECT_EQ(*directory_->ResolvePrincipal("account/sales"),
            (PrincipalRef{Kind::kAccount, sales_, ""}));
  EXPECT_EQ(*directory_->ResolvePrincipal("account/111111111111"),
            (PrincipalRef{Kind::kAccount, sales_, ""}));
  EXPECT_EQ(directory_->ResolvePrincipal("role/etl").error().code(), Code::kNotOffered);
  for (const char* wrong : {"", "ada", "user/", "users/ada", "/ada", "account/"}) {
    EXPECT_EQ(directory_->ResolvePrincipal(wrong).error().code(), Code::kInvalid) << wrong;
  }
  EXPECT_EQ(directory_->ResolvePrincipal("account/none").error().code(), Code::kNotFound);
}

TEST_F(DirectoryTest, KeysAreMadeDisabledAndDeleted) {
  PutTwoAccounts();
  auto made = directory_->CreateKey(analytics_, "ada");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->key.created, clock_.Now());
  EXPECT_EQ(directory_->CreateKey(analytics_, "bob").error().code(), Code::kNotFound);
  auto credential = directory_->FindCredential(made->key.id);
  ASSERT_TRUE(credential.ok());
  EXPECT_EQ((*credential)->secret, made->secret);
  EXPECT_EQ((*credential)->principal.name, "ada");
  EXPECT_EQ((*credential)->principal.access_key_id, made->key.id);
  EXPECT_FALSE((*credential)->principal.administrator);

  ASSERT_TRUE(directory_->SetKeyActive(made->key.id, false).ok());
  EXPECT_EQ(directory_->FindCredential(made->key.id).error().code(), Code::kUnauthenticated);
  EXPECT_FALSE(directory_->Keys().at(0).active);
  ASSERT_TRUE(directory_->SetKeyActive(made->key.id, true).ok());
  EXPECT_TRUE(directory_->FindCredential(made->key.id).ok());
  ASSERT_TRUE(directory_->DeleteKey(made->key.id).ok());
  EXPECT_EQ(directory_->FindCredential(made->key.id).error().code(), Code::kUnauthenticated);
  EXPECT_EQ(directory_->DeleteKey(made->key.id).error().code(), Code::kNotFound);
  EXPECT_EQ(directory_->SetKeyActive(made->key.id, true).error().code(), Code::kNotFound);
}

TEST_F(DirectoryTest, ADeletedUsersKeysAreDeadAlsoForTheNextOfThatName) {
  PutTwoAccounts();
  auto made = *directory_->CreateKey(analytics_, "ada");
  ASSERT_TRUE(Do([&](auto& tx) { return directory_->DeleteUser(tx, analytics_, "ada"); }).ok());
  ASSERT_TRUE(Put(User{analytics_, "ada", {}}).ok());
  EXPECT_EQ(directory_->FindCredential(made.key.id).error().code(), Code::kUnauthenticated);
  EXPECT_TRUE(directory_->Keys().empty());
  EXPECT_EQ(
      Do([&](auto& tx) { return directory_->DeleteUser(tx, analytics_, "bob"); }).error().code(),
      Code::kNotFound);
}

TEST_F(DirectoryTest, AnotherMasterKeyOpensNothing) {
  PutTwoAccounts();
  auto made = *directory_->CreateKey(analytics_, "ada");
  Directory other({.master_key = std::string(32, 'x')}, *database_, clock_, random_);
  EXPECT_EQ(other.FindCredential(made.key.id).error().code(), Code::kCorrupt);
  EXPECT_EQ(other.Users().size(), 1U);
}

TEST_F(DirectoryTest, ASecretMovedToAnotherKeyDoesNotOpen) {
  PutTwoAccounts();
  auto one = *directory_->CreateKey(analytics_, "ada"),
       two = *directory_->CreateKey(analytics_, "ada");
  ASSERT_TRUE(Do([&](meta::Transaction& tx) -> Status {
                (void)TRY(
                    tx.Execute("UPDATE identity_keys SET secret = (SELECT secret FROM "
                               "identity_keys WHERE id = :1) WHERE id = :2",
                               {one.key.id, two.key.id}));
                return {};
              }).ok());
  Directory fresh({.master_key = std::string(32, 'k')}, *database_, clock_, random_);
  EXPECT_TRUE(fresh.FindCredential(one.key.id).ok());
  EXPECT_EQ(fresh.FindCredential(two.key.id).error().code(), Code::kCorrupt);
}

TEST_F(DirectoryTest, TheFileAloneDoesNotTellSecrets) {
  const std::string path = testing::TempDir() + "weft_identity_" + std::to_string(getpid()) + ".db";
  auto database = *meta::OpenSqlite({.path = path});
  ASSERT_TRUE(meta::Migrate(*database, "identity", Directory::Migrations()).ok());
  Directory directory({.master_key = std::string(32, 'k')}, *database, clock_, random_);
  const std::string secret = (**directory.EnsureAdministrator()).secret;
  for (const char* suffix : {"", "-wal"}) {
    std::ifstream file(path + suffix, std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)),
                              std::istreambuf_iterator<char>());
    EXPECT_EQ(content.find(secret), std::string::npos);
    EXPECT_EQ(content.find(std::string(32, 'k')), std::string::npos);
    std::filesystem::remove(path + suffix);
  }
}

TEST_F(DirectoryTest, WhereverTheDatabaseFailsNoKeyIsHalfMade) {
  PutTwoAccounts();
  int failed = 0;
  for (int nth = 1;; ++nth) {
    const size_t before = directory_->Keys().size();
    failing_.FailNth(FailingDatabase::Call::kAny, nth);
    auto made = directory_->CreateKey(analytics_, "ada");
    const bool spared = failing_.armed();
    failing_.FailNth(FailingDatabase::Call::kAny, 0);
    EXPECT_EQ(directory_->Keys().size(), before + (made.ok() ? 1 : 0)) << nth;
    if (made.ok()) {
      EXPECT_EQ(directory_->FindCredential(made->key.id).value()->secret, made->secret) << nth;
    }
    failed += made.ok() ? 0 : 1;
    if (spared) break;
  }
  EXPECT_GE(failed, 3);
}

TEST_F(DirectoryTest, ADisabledKeyIsNotServedFromAnOldPictureWhenReadingFails) {
  PutTwoAccounts();
  auto made = *directory_->CreateKey(analytics_, "ada");
  failing_.FailNth(FailingDatabase::Call::kRead, 1);
  ASSERT_TRUE(directory_->SetKeyActive(made.key.id, false).ok());
  EXPECT_FALSE(failing_.armed());
  EXPECT_EQ(directory_->FindCredential(made.key.id).error().code(), Code::kUnauthenticated);
}

TEST_F(DirectoryTest, LooksUpWhileOthersChange) {
  PutTwoAccounts();
  auto made = *directory_->CreateKey(analytics_, "ada");
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        auto credential = directory_->FindCredential(made.key.id);
        EXPECT_TRUE(credential.ok());
        EXPECT_EQ(credential.ok() ? (*credential)->secret : "", made.secret);
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(Put(User{analytics_, "user" + std::to_string(i), {"query"}}).ok());
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(directory_->Users().size(), 51U);
}

}  // namespace
}  // namespace weft::identity
