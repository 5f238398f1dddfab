// SPDX-License-Identifier: Apache-2.0
// Scalar values: from a JSON token to what a table stores, or the reason why not.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "contract/json_text.h"
#include "contract/part.h"
#include "contract/pattern.h"

namespace weft::contract {

// Reads tokens for one thread. Texts that it gives out live until Reset.
class Scalars {
 public:
  // Makes room for the texts of a record of so many octets.
  void Reset(size_t record_bytes);

  // Each takes a token without white space around it, as simdjson found it: its first character
  // says what it means to be, the rest is not checked yet.
  static Reason Boolean(const Part& part, std::string_view token, bool& out);
  static Reason Integer(const Part& part, std::string_view token, int64_t& out);
  static Reason Real(const Part& part, std::string_view token, double& out);
  Reason Decimal(const Part& part, std::string_view token, Int128& out);
  // Days or microseconds.
  Reason Moment(const Part& part, std::string_view token, int64_t& out);
  // A string, UUID or binary: the octets to store.
  Reason Octets(const Part& part, std::string_view token, std::string_view& out);
  // What to say of an object or array where a scalar should be.
  static Reason WrongKind(const Part& part);
  // A key of a map, already unescaped.
  static Reason KeyInteger(const Part& part, std::string_view key, int64_t& out);
  Reason Text(const Part& part, std::string_view text);  // the limits of a text
  // As Moment, of the text of a string.
  Reason MomentOf(const Part& part, std::string_view text, int64_t& out);

  // The text of a string token.
  Reason String(std::string_view token, std::string_view& out);
  Reason Inside(std::string_view inside, std::string_view& out);
  // A value that has no type to hold to: a scalar of any kind.
  Reason Any(std::string_view token);

 private:
  Reason MomentText(const Part& part, std::string_view text, int64_t& out);

  std::unique_ptr<char[]> texts_;
  size_t capacity_ = 0, used_ = 0;
  std::string binary_;
  PatternMatcher matcher_;
  UsualMoments moments_;
};

}  // namespace weft::contract
