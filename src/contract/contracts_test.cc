// SPDX-License-Identifier: Apache-2.0
#include "contract/contracts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "meta/sqlite.h"

namespace weft::contract {
namespace {

class ContractsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = meta::OpenSqlite({.path = ""});
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    database_ = std::move(*opened);
    ASSERT_TRUE(meta::Migrate(*database_, "contract", Contracts::Migrations()).ok());
    contracts_ = std::make_unique<Contracts>(*database_);
  }

  int Put(const ProductName& product, const std::vector<ShortColumn>& columns) {
    auto contract = FromShortForm(product.text(), columns);
    EXPECT_TRUE(contract.ok());
    int version = 0;
    auto done = database_->Transact([&](meta::Transaction& tx) -> Status {
      version = TRY(contracts_->Put(tx, product, *contract));
      return {};
    });
    EXPECT_TRUE(done.ok());
    return version;
  }
  size_t Columns(const ProductName& product, int version) {
    auto contract = contracts_->Find(product, version);
    return contract.ok() ? (*contract)->objects.at(0).columns.size() : 0;
  }

  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<Contracts> contracts_;
  const ProductName orders_{"orders"}, other_{"other"};
};

TEST_F(ContractsTest, CountsVersionsFromOneAndKeepsOldOnes) {
  EXPECT_EQ(Put(orders_, {{"a", "int"}}), 1);
  EXPECT_EQ(Put(orders_, {{"a", "int"}}), 1) << "the same text is the same version";
  EXPECT_EQ(contracts_->FindCurrent(orders_)->version, 1);
  EXPECT_EQ(Put(orders_, {{"a", "int"}, {"b", "int"}}), 2);
  EXPECT_EQ(contracts_->FindCurrent(orders_)->version, 2);
  EXPECT_EQ(contracts_->FindCurrent(orders_)->contract->objects.at(0).columns.size(), 2U);
  EXPECT_EQ(Columns(orders_, 1), 1U);
  EXPECT_EQ(Columns(orders_, 2), 2U);
  EXPECT_EQ(Put(orders_, {{"a", "int"}}), 3) << "an earlier text again is a new version";
}

TEST_F(ContractsTest, SharesWhatItParsed) {
  Put(orders_, {{"a", "int"}});
  EXPECT_EQ(contracts_->Find(orders_, 1)->get(), contracts_->Find(orders_, 1)->get());
}

TEST_F(ContractsTest, SaysWhatIsNotThere) {
  EXPECT_EQ(contracts_->FindCurrent(orders_).error().code(), Code::kNotFound);
  Put(orders_, {{"a", "int"}});
  EXPECT_EQ(contracts_->Find(orders_, 2).error().code(), Code::kNotFound);
  EXPECT_EQ(contracts_->Find(other_, 1).error().code(), Code::kNotFound);
}

TEST_F(ContractsTest, ForgetsADeletedProductAndNoOther) {
  Put(orders_, {{"a", "int"}});
  Put(other_, {{"a", "int"}});
  ASSERT_TRUE(contracts_->FindCurrent(orders_).ok());
  ASSERT_TRUE(
      database_->Transact([&](meta::Transaction& tx) { return contracts_->Delete(tx, orders_); })
          .ok());
  EXPECT_EQ(contracts_->FindCurrent(orders_).error().code(), Code::kNotFound);
  EXPECT_EQ(contracts_->Find(orders_, 1).error().code(), Code::kNotFound);
  EXPECT_TRUE(contracts_->FindCurrent(other_).ok());
  EXPECT_EQ(Put(orders_, {{"b", "date"}, {"c", "int"}}), 1);
  EXPECT_EQ(Columns(orders_, 1), 2U);
}

// Version n of `orders` has n columns, whoever asks while it grows; what Put answered is never
// followed by an older answer, in any thread.
TEST_F(ContractsTest, NobodyReadsAnOldVersionOnceANewOneIsInForce) {
  constexpr int kVersions = 60;
  std::vector<ShortColumn> columns = {{"c1", "int"}};
  ASSERT_EQ(Put(orders_, columns), 1);
  std::atomic<int> in_force = 1;
  std::atomic<bool> over = false;
  std::atomic<int64_t> asked = 0, wrong = 0;
  auto read = [&](bool by_version) {
    while (!over) {
      const int least = in_force;
      if (by_version) {
        if (Columns(orders_, least) != static_cast<size_t>(least)) ++wrong;
      } else {
        auto current = contracts_->FindCurrent(orders_);
        if (!current.ok() || current->version < least ||
            current->contract->objects.at(0).columns.size() !=
                static_cast<size_t>(current->version))
          ++wrong;
      }
      ++asked;
    }
  };
  // Another product comes and goes beside it.
  auto churn = [&] {
    while (!over) {
      Put(other_, {{"a", "int"}});
      (void)contracts_->FindCurrent(other_);
      EXPECT_TRUE(
          database_->Transact([&](meta::Transaction& tx) { return contracts_->Delete(tx, other_); })
              .ok());
      if (contracts_->FindCurrent(other_).ok() || contracts_->Find(other_, 1).ok()) ++wrong;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(read, i % 2 == 0);
    threads.emplace_back(churn);
    for (int version = 2; version <= kVersions; ++version) {
      columns.push_back({fmt::format("c{}", version), "int"});
      EXPECT_EQ(Put(orders_, columns), version);
      in_force = version;
    }
    over = true;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(asked, 0);
}

TEST_F(ContractsTest, ChangesNothingWhenTheTransactionFails) {
  Put(orders_, {{"a", "int"}});
  auto contract = FromShortForm("orders", {{"b", "int"}});
  auto failed = database_->Transact([&](meta::Transaction& tx) -> Status {
    TRY(contracts_->Put(tx, orders_, *contract));
    return Fail(Code::kConflict, "no");
  });
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(contracts_->FindCurrent(orders_)->version, 1);
  EXPECT_EQ(contracts_->Find(orders_, 2).error().code(), Code::kNotFound);
}

TEST_F(ContractsTest, OutlivesItsProcess) {
  Put(orders_, {{"odd \"key\"", "decimal(12,2)"}});
  Contracts again(*database_);
  auto current = again.FindCurrent(orders_);
  ASSERT_TRUE(current.ok());
  EXPECT_EQ(current->contract->objects.at(0).columns.at(0).name, "odd \"key\"");
  EXPECT_EQ(current->contract->text, contracts_->FindCurrent(orders_)->contract->text);
}

}  // namespace
}  // namespace weft::contract
