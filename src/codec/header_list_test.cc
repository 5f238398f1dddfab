// SPDX-License-Identifier: Apache-2.0
#include "codec/header_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::codec {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<std::pair<std::string, std::string>> FieldsOf(const HeaderList& list) {
  return {list.begin(), list.end()};
}

TEST(HeaderList, KeepsFieldsAsTheyWereAddedInOrder) {
  HeaderList list = {{"Host", "h"}, {"x-a", ""}};
  list.emplace_back("x-a", std::string(1000, 'v'));
  list.push_back({"", "nameless"});
  EXPECT_THAT(FieldsOf(list),
              ElementsAre(Pair("Host", "h"), Pair("x-a", ""), Pair("x-a", std::string(1000, 'v')),
                          Pair("", "nameless")));
  EXPECT_EQ(list.size(), 4u);
  EXPECT_EQ(list[1].first, "x-a");
  list.clear();
  EXPECT_TRUE(list.empty());
}

TEST(HeaderList, CopiesAndMovesStandOnTheirOwn) {
  HeaderList copied, moved;
  {
    HeaderList list = {{"a", "1"}, {"b", "2"}};
    copied = list;
    list.emplace_back("c", "3");
    moved = std::move(list);
  }
  EXPECT_THAT(FieldsOf(copied), ElementsAre(Pair("a", "1"), Pair("b", "2")));
  EXPECT_THAT(FieldsOf(moved), ElementsAre(Pair("a", "1"), Pair("b", "2"), Pair("c", "3")));
}

TEST(HeaderList, TakesTextOfWhichFieldsAreParts) {
  HeaderList list = {{"gone", "with the text"}};
  char* text = list.Take("Host: h\r\n");
  text[0] = 'h';
  list.AddPart(0, 4, 6, 1);
  EXPECT_THAT(FieldsOf(list), ElementsAre(Pair("host", "h")));
  list.emplace_back("more", "fields");
  EXPECT_THAT(FieldsOf(list), ElementsAre(Pair("host", "h"), Pair("more", "fields")));
}

TEST(HeaderList, IsSearchedInAnyCaseOfItsLetters) {
  const HeaderList list = {{"x-a", "1"}, {"X-A", "2"}, {"Host", "h"}};
  EXPECT_EQ(FindHeader(list, "X-a"), "1");
  EXPECT_EQ(FindHeader(list, "host"), "h");
  EXPECT_EQ(FindHeader(list, "hos"), "");
  // Pairs of other characters that lie as far apart as the cases of a letter do.
  for (auto [a, b] : {std::pair("@", "`"), {"[", "{"}, {"\r", "-"}, {"\x10", "0"}}) {
    EXPECT_FALSE(EqualIgnoringCase(a, b)) << a << b;
  }
}

}  // namespace
}  // namespace weft::codec
