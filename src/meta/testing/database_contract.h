// SPDX-License-Identifier: Apache-2.0
// What every back end of meta::Database must keep: instantiate DatabaseContract with a maker of
// empty ones.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "meta/database.h"

namespace weft::meta {

using MakeDatabase = std::function<std::unique_ptr<Database>()>;

// Nothing else in a test program refers to the suite's object file, which the linker would then
// leave out.
bool LinkDatabaseContract();
inline const bool kDatabaseContractLinked = LinkDatabaseContract();

class DatabaseContract : public testing::TestWithParam<MakeDatabase> {
 protected:
  void SetUp() override;
  Database& db() { return *database_; }
  Status Run(std::string_view sql, const std::vector<Value>& values = {});
  Result<std::vector<Row>> Ask(std::string_view sql, const std::vector<Value>& values = {});
  int64_t Count();  // of the rows of table t (k INTEGER PRIMARY KEY, v TEXT)

 private:
  std::unique_ptr<Database> database_;
};

}  // namespace weft::meta
