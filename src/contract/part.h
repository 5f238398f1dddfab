// SPDX-License-Identifier: Apache-2.0
// A contract's column beside its table column, prepared for the checker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "contract/checks.h"
#include "contract/contract.h"

namespace weft::contract {

struct Part;

// What FlatWalk asks of a column again and again, close together.
struct FlatField {
  enum class Way : uint8_t { kText, kLimitedText, kInteger, kDecimal, kMoment, kOther };
  std::string lead;  // ,"name": as it mostly stands before the value; "" where it never does
  const Part* part = nullptr;
  int64_t low = 0, high = 0;  // of an integer or, unscaled, of a decimal
  Way way = Way::kOther;
  uint8_t scale = 0, whole_digits_max = 0;  // of a decimal
};

struct Part {
  std::string name;
  bool raw_name = true;  // the name is its own JSON text
  bool required = false;
  iceberg::TypeKind kind = iceberg::TypeKind::kString;
  Column::JsonText json_text = Column::JsonText::kNo;
  int precision = 0, scale = 0;
  Checks checks;
  int64_t low = 0, high = 0;  // of an int or long
  bool exact_bounds = false;  // checks has bounds or a multiple, of what is neither int nor long

  size_t index = 0;            // of this part among its parent's table columns
  std::vector<Part> children;  // struct: as declared; list: one; map: key and value
  std::vector<size_t> absent;  // table columns of a struct that the contract does not have
  std::unordered_map<std::string_view, size_t> by_name;  // views into the children's names
  std::vector<FlatField> flat;  // as the children; empty where they are not few scalars

  // kInvalid when a column of the contract is not in the table, or has another type there.
  static Result<std::unique_ptr<Part>> Make(const std::vector<Column>& columns,
                                            const std::vector<iceberg::Field>& fields);
};

}  // namespace weft::contract
