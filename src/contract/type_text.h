// SPDX-License-Identifier: Apache-2.0
// The names of types as SQL and Hive write them: "varchar(20)", "array<struct<sku:string,n:int>>".
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "contract/contract.h"

namespace weft::contract {

enum class TypeDialect {
  kHive,  // the short form: Hive's names alone; `timestamp` has no zone
  kOdcs,  // physicalType: those of the common databases too; `timestamp` has a zone
};

// A column of that type, without name. Nothing for a name that is not known; kInvalid for a known
// one whose arguments no table can hold: decimal(50,2).
Result<std::optional<Column>> ParseTypeText(const std::string& text, TypeDialect dialect);

// The type as kOdcs reads it.
std::string PhysicalTypeText(const Column& column);

}  // namespace weft::contract
