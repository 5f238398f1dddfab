// SPDX-License-Identifier: Apache-2.0
// The usual record of a contract whose columns are all scalars, taken in one look at each octet:
// keys compared where they are expected, values read from where they lie. What is not usual (a
// fault, another shape of a value, a key of no column) is not judged here but left to Walk, so that
// nothing is said of a record in two places. What is taken here, Walk would take as well.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "contract/walk_internal.h"

namespace weft::contract {

template <bool kAppend>
class FlatWalk {
 public:
  // `root` is flat; `order` is what the last walk of this contract left, or empty.
  FlatWalk(WalkState& state, const Part& root, std::vector<uint8_t>& order,
           iceberg::ColumnBuilder* builder);

  // Takes the one record of `text`, which State().Load gave; the row is not finished. False when
  // it has to be judged by Walk: then part of a row may be in the builder.
  bool Run();

  // Checker::Session::CheckArray, with few records that Walk judges. False also where those are
  // many, for Walk to take the whole.
  bool RunArray(std::string_view text, const Checker::Options& options,
                const Checker::Session::Taking& taking,
                std::vector<Checker::Session::Judged>& judged, std::vector<FieldError>& errors);

 private:
  // `at` is where a record begins: returns what follows it, or nullptr as Run returns false.
  const char* Record(const char* at);
  const char* OddRecord(const char* at, const Checker::Options& options,
                        std::vector<FieldError>& errors);
  const char* Key(const char* at, bool first, size_t last, size_t& found);
  const char* Value(const FlatField& field, Node* node, const char* at);
  const char* Text(const FlatField& field, Node* node, const char* at);
  const char* Integer(const FlatField& field, Node* node, const char* at);
  const char* Decimal(const FlatField& field, Node* node, const char* at);
  const char* Moment(const FlatField& field, Node* node, const char* at);
  const char* Other(const FlatField& field, Node* node, const char* at);
  bool Missing(uint64_t seen);

  WalkState& s_;
  const Part& root_;
  const std::vector<FlatField>& fields_;
  uint8_t* order_;  // [0]: the field that came first; [1 + i]: what came behind field i
  iceberg::ColumnBuilder* builder_;
  std::vector<Node*>& nodes_;
};

}  // namespace weft::contract
