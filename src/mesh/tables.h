// SPDX-License-Identifier: Apache-2.0
// Which tables a product makes, what they are called and how they are partitioned.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "contract/contract.h"
#include "iceberg/table.h"
#include "mesh/declaration.h"

namespace weft::mesh {

// The name that a database or table gets for a declared one: lower case, with '_' for '-', '.' and
// blank. kInvalid when that is no plain identifier: a letter or '_', then letters, digits and '_',
// 128 at most.
Result<std::string> Identifier(std::string_view declared);

// `a-b` and `a_b` are one product.
std::string ProductKey(std::string_view product);

struct ProductTable {
  const contract::SchemaObject* object = nullptr;
  catalog::TableName name;
};

// The tables of a product, in the contract's order: one object makes the table of the product's
// name, several make one each, of the object's name; an object without columns makes none. kInvalid
// for an object whose name is no identifier, and for two of one name.
Result<std::vector<ProductTable>> TablesOf(const DeclaredProduct& product);

// A part of `partition_by`: "country", "day(ordered_at)", "hour(_arrival)".
struct PartitionTerm {
  iceberg::Transform transform = iceberg::Transform::kIdentity;
  std::string column;
  std::string text() const;
};
Result<PartitionTerm> ParsePartitionTerm(std::string_view text);

// What partitions the tables of the object: the product's `partition_by`, else the contract's
// partition columns (a timestamp by its day).
std::vector<std::string> PartitionTermsOf(const DeclaredProduct& product,
                                          const contract::SchemaObject& object);

// The spec over the schema. kInvalid names a column that is not there or a transform that does not
// fit its type.
Result<iceberg::PartitionSpec> MakePartitionSpec(const std::vector<std::string>& terms,
                                                 const iceberg::Schema& schema);

}  // namespace weft::mesh
