// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace weft {
namespace {

Result<std::unique_ptr<int>> Make(bool good) {
  if (!good) return Fail(Code::kConflict, "moved on");
  return std::make_unique<int>(7);
}

Result<int> PassUp(bool good) {
  auto made = TRY(Make(good));
  return *made + 1;
}

Status PassUpStatus(bool good) {
  TRY(Make(good));
  return {};
}

TEST(ResultTest, TryYieldsTheValueOrPassesTheFailureUp) {
  EXPECT_EQ(*PassUp(true), 8);
  EXPECT_EQ(PassUp(false).error().code(), Code::kConflict);
  EXPECT_EQ(PassUp(false).error().message(), "moved on");
  EXPECT_TRUE(PassUpStatus(true).ok());
  EXPECT_FALSE(PassUpStatus(false).ok());
}

TEST(ResultTest, AnErrorSaysWhereItHappened) {
  Error error = Error(Code::kCorrupt, "bad").In("file a");
  EXPECT_EQ(error.message(), "file a: bad");
  EXPECT_EQ(error.code(), Code::kCorrupt);
}

TEST(ResultTest, SystemErrorsSayWhatToDoNext) {
  EXPECT_EQ(SystemError("x", ENOSPC).code(), Code::kUnavailable);
  EXPECT_EQ(SystemError("x", EDQUOT).code(), Code::kUnavailable);
  EXPECT_EQ(SystemError("x", ENOENT).code(), Code::kNotFound);
  EXPECT_EQ(SystemError("x", EEXIST).code(), Code::kExists);
  EXPECT_EQ(SystemError("x", EACCES).code(), Code::kDenied);
  EXPECT_EQ(SystemError("x", EIO).code(), Code::kInternal);
}

}  // namespace
}  // namespace weft
