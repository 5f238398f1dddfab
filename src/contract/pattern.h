// SPDX-License-Identifier: Apache-2.0
// ECMA-262 patterns, run by PCRE2 with limits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "contract/pattern_shape.h"

namespace weft::contract {

enum class PatternVerdict { kMatch, kNoMatch, kTooCostly };

// A compiled pattern. Immutable, safe from any thread; the scratch memory of a match belongs to a
// PatternMatcher.
class Pattern {
 public:
  // kInvalid: not ECMA-262, or more than PCRE2 can hold (lookbehind of varying length, 64 KiB of
  // code).
  static Result<std::shared_ptr<const Pattern>> Compile(const std::string& ecma);
  ~Pattern();
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

 private:
  friend class PatternMatcher;
  Pattern() = default;
  void* code_ = nullptr;
  std::optional<PatternShape> shape_;
};

// Matches for one thread. Work is limited, so that no pattern can hold the thread for long.
class PatternMatcher {
 public:
  PatternMatcher();
  ~PatternMatcher();
  PatternMatcher(const PatternMatcher&) = delete;
  PatternMatcher& operator=(const PatternMatcher&) = delete;

  // Whether the pattern is found anywhere in `text`, which must be UTF-8.
  PatternVerdict Find(const Pattern& pattern, std::string_view text) {
    if (!pattern.shape_) return FindByEngine(pattern, text);
    return pattern.shape_->Matches(text) ? PatternVerdict::kMatch : PatternVerdict::kNoMatch;
  }
  // The same, whatever the pattern.
  PatternVerdict FindByEngine(const Pattern& pattern, std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::contract
