// SPDX-License-Identifier: Apache-2.0
#include "app/settings.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>

#include "base/disk.h"

namespace weft::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SettingsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/weft-settings-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    (void)SystemDisk().Remove(file()).ok();
    (void)SystemDisk().Remove(folder_).ok();
  }
  std::string file() const { return folder_ + "/weft.yaml"; }
  void Write(const std::string& text) { ASSERT_TRUE(WriteFile(SystemDisk(), file(), text).ok()); }
  std::string FaultOf(const SettingSources& sources) {
    auto read = Read(sources);
    return read.ok() ? "" : read.error().message();
  }

  std::string folder_;
};

TEST_F(SettingsTest, LaterSourcesWin) {
  Write("listen: 127.0.0.1:1\nquery:\n  time_max: 5 s\n  workers: 3\nlog: { level: debug }\n");
  auto read = Read({.file = file(),
                    .environment = {{"WEFT_QUERY_TIME_MAX", "7 s"}, {"WEFT_LISTEN", "127.0.0.1:2"}},
                    .flags = {{"listen", "[::1]:3"}}});
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->settings.listen_host, "::1");
  EXPECT_EQ(read->settings.listen_port, 3);
  EXPECT_EQ(read->settings.query_time_max, seconds(7));
  EXPECT_EQ(read->settings.query_workers, 3);
  EXPECT_EQ(read->settings.log_level, LogLevel::kDebug);
  EXPECT_TRUE(read->warnings.empty());
}

TEST_F(SettingsTest, UnknownKeysOfTheFileAreErrorsThatNameTheNearest) {
  Write("query:\n  workers: 2\n  time_maxx: 5 s\n");
  EXPECT_EQ(FaultOf({.file = file(), .environment = {}, .flags = {}}),
            file() + ":3: unknown setting 'query.time_maxx'; did you mean 'query.time_max'?");
}

TEST_F(SettingsTest, UnknownVariablesAreWarnings) {
  auto read = Read({.file = "", .environment = {{"WEFT_NONSENSE", "1"}}, .flags = {}});
  ASSERT_TRUE(read.ok());
  EXPECT_THAT(read->warnings, ElementsAre("unknown variable WEFT_NONSENSE"));
}

TEST_F(SettingsTest, BadValuesSayWhereAndWhat) {
  Write("query: { workers: many }\n");
  EXPECT_THAT(FaultOf({.file = file(), .environment = {}, .flags = {}}),
              HasSubstr("weft.yaml:1: query.workers is a whole number from 1 to 64; it is 'many'"));
  EXPECT_THAT(FaultOf({.file = "", .environment = {{"WEFT_QUERY_MEMORY_MAX", "1"}}, .flags = {}}),
              HasSubstr("WEFT_QUERY_MEMORY_MAX: query.memory_max"));
  EXPECT_THAT(FaultOf({.file = "", .environment = {}, .flags = {{"listen", "4566"}}}),
              HasSubstr("--listen: listen is HOST:PORT"));
  EXPECT_THAT(FaultOf({.file = "", .environment = {}, .flags = {{"server.tls_key", "k"}}}),
              HasSubstr("go together"));
  EXPECT_THAT(FaultOf({.file = folder_ + "/none.yaml", .environment = {}, .flags = {}}),
              HasSubstr("none.yaml"));
  Write("query: [\n");
  EXPECT_THAT(FaultOf({.file = file(), .environment = {}, .flags = {}}), HasSubstr("weft.yaml:"));
}

TEST_F(SettingsTest, EveryDefaultIsTheOneThatIsDocumented) {
  SettingSources defaults;
  for (const auto& setting : AllSettings()) {
    if (!setting.default_text.empty()) defaults.flags[setting.name] = setting.default_text;
  }
  auto said = Read(defaults);
  auto built = Read({});
  ASSERT_TRUE(said.ok()) << said.error().message();
  EXPECT_EQ(said->settings, built->settings);
}

// The table of docs/settings.md. WEFT_WRITE_DOCS=1 writes it anew.
TEST_F(SettingsTest, TheReferenceIsTheTable) {
  const std::string path = std::string(WEFT_SOURCE_DIR) + "/docs/settings.md";
  std::string text =
      "# Settings of the server\n\n"
      "A YAML file (`weft serve --config FILE`; sections and keys as below, `query:` and under it "
      "`time_max: 30 s`), the\nenvironment, and flags; the later source wins. An unknown key of "
      "the "
      "file is an error, an unknown `WEFT_` variable a\nwarning. Sizes are written `64 MiB` or `10 "
      "MB`, times `60 s`, `24h`, `7d`.\n\n"
      "| Setting | Default | What it is | Variable |\n|---|---|---|---|\n";
  for (const auto& setting : AllSettings()) {
    text += fmt::format("| `{}` | {} | {} | `{}` |\n", setting.name,
                        setting.default_text.empty() ? "" : "`" + setting.default_text + "`",
                        setting.help, setting.environment());
  }
  if (std::getenv("WEFT_WRITE_DOCS") != nullptr) {
    ASSERT_TRUE(WriteFile(SystemDisk(), path, text).ok());
  }
  auto written = ReadFile(SystemDisk(), path);
  ASSERT_TRUE(written.ok()) << written.error().message();
  EXPECT_EQ(*written, text) << "run this test with WEFT_WRITE_DOCS=1";
}

}  // namespace
}  // namespace weft::app
