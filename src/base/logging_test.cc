// SPDX-License-Identifier: Apache-2.0
#include "base/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace weft {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string LineOf(LogFormat format, std::string_view message, LogFields fields = {}) {
  StartLogging(LogLevel::kInfo, format);
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "test", message, fields);
  return testing::internal::GetCapturedStderr();
}

TEST(LoggingTest, OneCallIsOneLineWhateverAClientSent) {
  for (LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    std::string line = LineOf(format, "told", {{"name", "a\nb \"c\" \\ \x01"}, {"empty", ""}});
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_THAT(line, HasSubstr(R"("a\u000ab \"c\" \\ \u0001")"));
  }
}

TEST(LoggingTest, JsonLinesAreJson) {
  auto line = nlohmann::json::parse(LineOf(LogFormat::kJson, "say \"hi\"\n", {{"key", "{value}"}}));
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["module"], "test");
  EXPECT_EQ(line["message"], "say \"hi\"\n");
  EXPECT_EQ(line["key"], "{value}");
}

TEST(LoggingTest, BelowTheLevelIsQuiet) {
  StartLogging(LogLevel::kWarning, LogFormat::kText);
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "test", "quiet");
  Log(LogLevel::kError, "test", "loud");
  std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_THAT(lines, Not(HasSubstr("quiet")));
  EXPECT_THAT(lines, HasSubstr("error test: loud"));
}

TEST(LoggingTest, ReadsItsSettings) {
  EXPECT_EQ(*ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_EQ(*ParseLogLevel("error"), LogLevel::kError);
  EXPECT_EQ(*ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_EQ(ParseLogLevel("INFO").error().code(), Code::kInvalid);
  EXPECT_EQ(ParseLogFormat("").error().code(), Code::kInvalid);
}

}  // namespace
}  // namespace weft
