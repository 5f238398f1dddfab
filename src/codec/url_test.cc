// SPDX-License-Identifier: Apache-2.0
#include "codec/url.h"

#include <gtest/gtest.h>

namespace weft::codec {
namespace {

TEST(Url, EncodesAllButTheUnreserved) {
  EXPECT_EQ(PercentEncode("aZ09-_.~"), "aZ09-_.~");
  EXPECT_EQ(PercentEncode("a b/c+\xc3\xa9%"), "a%20b%2Fc%2B%C3%A9%25");
  EXPECT_EQ(PercentEncode("a/b", true), "a/b");
  EXPECT_EQ(PercentEncode(std::string_view("\0\xff", 2)), "%00%FF");
}

TEST(Url, DecodesWhatItEncoded) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(*PercentDecode(PercentEncode(all)), all);
  EXPECT_EQ(*PercentDecode("a+b%2b%2B"), "a+b++");
  EXPECT_EQ(*PercentDecode("a+b", true), "a b");
}

TEST(Url, RefusesBrokenEscapes) {
  for (const char* bad : {"%", "%4", "abc%", "%zz", "%4g", "% 41"}) {
    EXPECT_EQ(PercentDecode(bad).error().code(), Code::kInvalid) << bad;
    EXPECT_FALSE(ParseQuery(bad).ok()) << bad;
  }
}

TEST(Url, ReadsQueries) {
  auto query = ParseQuery("a=1&b=&c&&a=2&x%20y=1%262+3&=e&f=g=h");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(*query,
            (std::map<std::string, std::string>{
                {"a", "2"}, {"b", ""}, {"c", ""}, {"x y", "1&2 3"}, {"", "e"}, {"f", "g=h"}}));
  EXPECT_TRUE(ParseQuery("")->empty());
}

}  // namespace
}  // namespace weft::codec
