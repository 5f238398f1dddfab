// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "iceberg/columns.h"

namespace weft::tail {

// Appends all rows of `chunk` to `builder`, which was made for `to`: the chunk's own schema or a
// later one of the same table. Columns are matched by id; those that the chunk lacks, nested ones
// too, become null.
void CopyRows(const iceberg::ColumnChunk& chunk, const iceberg::Schema& to,
              iceberg::ColumnBuilder& builder);

// Whether every field of `earlier`, nested ones too, is in `later`.
bool Covers(const iceberg::Schema& later, const iceberg::Schema& earlier);

}  // namespace weft::tail
