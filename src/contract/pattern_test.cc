// SPDX-License-Identifier: Apache-2.0
#include "contract/pattern.h"

#include <gtest/gtest.h>

#include <random>

namespace weft::contract {
namespace {

const std::vector<std::string> kShapes = {
    "^EV[0-9]{4}$",  "^[A-Z]{3}$",  "^\\d+$",      "^\\d{2,4}$",
    "^[a-z0-9_-]*$", "^[-a]{2}x?$", "^a\\.b$",     "^[A-Z]{2}-\\d{3}[a-z]{0,2}$",
    "^[\\w.]{1,}$",  "^$",          "^a{0}b$",     "^[+*?]$",
    "^\\$\\^$",      "^a,b;c$",     "^[\\d-]{3}$", "^[a-cx-z]{2}$"};
const std::vector<std::string> kOthers = {
    "EV[0-9]{4}", "^a",      "a$",    "^(a|b)$", "^a|b$",     "^a+b$",      "^[^a]$",
    "^.$",        "^a+?$",   "^\\s$", "^\\bx$",  "^\u00e9$",  "^[\u00e9]$", "^a{2}{3}$",
    "^[a-\\d]$",  "^(?:a)$", "^[]$",  "^a{$",    "^\\u0041$", "^[A-z]$",    "^[ -~]$"};

TEST(PatternShape, IsThatOfCodesAndIdentifiers) {
  for (const auto& pattern : kShapes) EXPECT_TRUE(PatternShape::Parse(pattern)) << pattern;
  for (const auto& pattern : kOthers) {
    // A range of letters across the two cases is one like any other.
    const bool shape = pattern == "^[A-z]$";
    EXPECT_EQ(PatternShape::Parse(pattern).has_value(), shape) << pattern;
  }
}

TEST(PatternShape, MatchesWhatTheEngineMatches) {
  PatternMatcher matcher;
  std::mt19937 random(3);
  const std::vector<std::string> octets = {
      "E", "V", "0", "9", "5", "a", "b", "c", "x",  "z",      "A",      "Z", "_",  "-", ".",
      ",", ";", "+", "*", "?", "$", "^", " ", "\n", "\u00e9", "\u0663", "[", "\\", "`", "@"};
  int matched = 0;
  for (const auto& source : kShapes) {
    auto pattern = Pattern::Compile(source);
    ASSERT_TRUE(pattern.ok()) << source;
    std::vector<std::string> texts = {"",         "EV0001", "EV0001\n", "ABC", "12",  "a.b",
                                      "AB-123xy", "a,b;c",  "$^",       "b",   "--x", "1-2"};
    for (int i = 0; i < 4'000; ++i) {
      std::string text = texts[random() % 12];
      for (auto times = random() % 4; times > 0; --times) {
        text.insert(random() % (text.size() + 1), octets[random() % octets.size()]);
      }
      // Text is UTF-8: what an insertion tore is left out.
      if (text.find("\u00e9") == std::string::npos && text.find('\xc3') != std::string::npos)
        continue;
      if (text.find("\u0663") == std::string::npos && text.find('\xd9') != std::string::npos)
        continue;
      texts.push_back(std::move(text));
    }
    for (const auto& text : texts) {
      const auto verdict = matcher.FindByEngine(**pattern, text);
      EXPECT_EQ(matcher.Find(**pattern, text), verdict) << source << " in " << text;
      matched += verdict == PatternVerdict::kMatch;
    }
  }
  EXPECT_GT(matched, 500);
}

}  // namespace
}  // namespace weft::contract
