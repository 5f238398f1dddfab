// SPDX-License-Identifier: Apache-2.0
#include "cli/record_parts.h"

#include <gmock/gmock.h>

#include <vector>

namespace weft::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The parts of `text`, fed in pieces of `step` bytes.
std::vector<std::string> Parts(FileFormat format, std::string_view text, int64_t part_bytes,
                               size_t step = 1) {
  std::vector<std::string> parts;
  RecordParts cut(format, part_bytes, [&](RecordParts::Part part) -> Status {
    parts.push_back(part.body);
    return {};
  });
  for (size_t at = 0; at < text.size(); at += step) {
    EXPECT_TRUE(cut.Feed(text.substr(at, step)).ok());
  }
  EXPECT_TRUE(cut.Finish().ok());
  return parts;
}

TEST(RecordParts, TakesJsonApartWhateverItsShape) {
  for (const char* text :
       {R"([{"a":1}, {"a":"]}"} ,{"a":[{}]}])", "{\"a\":1}{\"a\":\"]}\"}\n{\"a\":[{}]}",
        "\xef\xbb\xbf[{\"a\":1},{\"a\":\"]}\"},{\"a\":[{}]}]"}) {
    for (size_t step : {1, 3, 1000}) {
      EXPECT_THAT(Parts(FileFormat::kJson, text, 1, step),
                  ElementsAre("{\"a\":1}\n", "{\"a\":\"]}\"}\n", "{\"a\":[{}]}\n"));
    }
  }
  EXPECT_THAT(Parts(FileFormat::kJson, R"([1, "a\"b", null, [2]])", 1),
              ElementsAre("1\n", "\"a\\\"b\"\n", "null\n", "[2]\n"));
  EXPECT_THAT(Parts(FileFormat::kJson, " [ ] ", 100), IsEmpty());
}

TEST(RecordParts, RepeatsTheHeaderOfCsvInEachPart) {
  EXPECT_THAT(
      Parts(FileFormat::kCsv, "a,b\n1,\"x\ny\"\n2,\"q\"\"\n\"\n3,5\" nail\n4,z", 1),
      ElementsAre("a,b\n1,\"x\ny\"\n", "a,b\n2,\"q\"\"\n\"\n", "a,b\n3,5\" nail\n", "a,b\n4,z"));
}

TEST(RecordParts, FillsPartsUpToTheirSize) {
  EXPECT_THAT(Parts(FileFormat::kNdjson, "{}\n\n{}\n{}\n{\"long\":1}\n{}", 6),
              ElementsAre("{}\n{}\n", "{}\n", "{\"long\":1}\n", "{}\n"));
}

TEST(RecordParts, SaysThatJsonIsCutOff) {
  RecordParts cut(FileFormat::kJson, 100, [](RecordParts::Part) -> Status { return {}; });
  ASSERT_TRUE(cut.Feed(R"([{"a":1}, {"a")").ok());
  auto end = cut.Finish();
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), Code::kInvalid);
}

TEST(RecordParts, EndsWithTheFirstRefusal) {
  RecordParts cut(FileFormat::kNdjson, 1,
                  [](RecordParts::Part) -> Status { return Fail(Code::kDenied, "no"); });
  EXPECT_FALSE(cut.Feed("{}\n{}\n{}\n").ok());
}

}  // namespace
}  // namespace weft::cli
