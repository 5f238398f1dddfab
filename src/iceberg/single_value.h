// SPDX-License-Identifier: Apache-2.0
// Single values of columns: bounds and partition values, in the binary form of the specification,
// appendix D.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "iceberg/schema.h"
#include "iceberg/table.h"

namespace weft::iceberg {

// bool: kBoolean; int64_t: kInt kLong kDate kTime kTimestamp kTimestampTz; double: kFloat kDouble;
// Int128: kDecimal, unscaled; Bytes: kString, kBinary, kFixed, kUuid (16 octets, as it reads).
using PrimitiveValue = std::variant<bool, int64_t, double, Int128, Bytes>;

// The value must be of the kind that the type has.
Bytes EncodeSingleValue(const Type& type, const PrimitiveValue& value);
// Also a narrower value, written before the column was widened (int for long, float for double).
// kCorrupt where it is no value of the type.
Result<PrimitiveValue> DecodeSingleValue(const Type& type, BytesView bytes);
// Below 0, 0 or above 0 as a sorts before, with or after b; NaN after every number, -0.0 before
// 0.0.
Result<int> CompareSingleValues(const Type& type, BytesView a, BytesView b);

// A bound shortened to 16 code points or octets, as engines expect of long text: still at most (at
// least) every value that the whole bound covers. Nothing where there is none so short: then the
// column has no bound.
std::optional<Bytes> ShortenLowerBound(const Type& type, BytesView bound);
std::optional<Bytes> ShortenUpperBound(const Type& type, BytesView bound);

// The partition value of a column's value. kNotOffered for transforms that Weft does not write.
Result<SingleValue> ApplyTransform(const PartitionField& field, const Type& source,
                                   const SingleValue& value);
// "country=CH/ordered_at_day=2026-11-01", fit for an object's key: whatever is not plain is
// replaced by "_". Empty without partition fields. For people and prefixes only: two values may
// have the same path.
std::string PartitionPath(const PartitionSpec& spec, const Schema& schema,
                          const std::vector<SingleValue>& partition);

}  // namespace weft::iceberg
