// SPDX-License-Identifier: Apache-2.0
#include "tail/draft.h"

#include <algorithm>
#include <string>

namespace weft::tail {
namespace {

// The rows of usual records are smaller than their text; from here on something is unusual.
constexpr int64_t kBytesMaxAtLeast = int64_t{1} << 20;
constexpr int64_t kGrowth = 4;

// The `_id` of the next record of the shard, out of that of the one before.
void Step(std::string& id) {
  size_t at = id.size() - 1;
  for (; id[at] == '9'; --at) id[at] = '0';
  ++id[at];
}

}  // namespace

Draft::Draft(int64_t table_id, std::shared_ptr<const iceberg::Schema> schema,
             std::shared_ptr<std::atomic<int64_t>> bytes_total)
    : table_id_(table_id),
      schema_(std::move(schema)),
      rows_(iceberg::ColumnBuilder::Make(schema_)),
      charge_(std::move(bytes_total)) {}

void Draft::Begin(int64_t record_bytes) {
  rows_->Clear();
  // What an old one has grown to is still there.
  charge_.Set(std::max(charge_.bytes(), record_bytes));
  bytes_max_ = std::max(kBytesMaxAtLeast, kGrowth * record_bytes);
}

void Draft::Place(int shard, int64_t first, int64_t arrival_us, int64_t record_bytes) {
  shard_ = shard;
  first_ = first;
  arrival_us_ = arrival_us;
  record_bytes_ = record_bytes;
  charge_.Set(std::max(charge_.bytes(), rows_->bytes()));
}

void Draft::AppendTo(iceberg::ColumnBuilder& columns, size_t id_column,
                     size_t arrival_column) const {
  columns.AppendRows(rows_->Views(), 0, rows_->rows());
  auto& ids = columns.column(id_column);
  auto& arrivals = columns.column(arrival_column);
  std::string id = stream::RecordId(shard_, {first_});
  for (int64_t row = 0; row < rows_->rows(); ++row) {
    ids.AppendBytes(id);
    arrivals.AppendInteger(arrival_us_);
    Step(id);
  }
}

}  // namespace weft::tail
