// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "iceberg/columns.h"
#include "stream/shard.h"

namespace weft::tail {

// Octets that count against the memory for columns as long as this lives.
class Charge {
 public:
  explicit Charge(std::shared_ptr<std::atomic<int64_t>> total) : total_(std::move(total)) {}
  ~Charge() { *total_ -= bytes_; }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  void Set(int64_t bytes) {
    *total_ += bytes - bytes_;
    bytes_ = bytes;
  }
  int64_t bytes() const { return bytes_; }

 private:
  const std::shared_ptr<std::atomic<int64_t>> total_;
  int64_t bytes_ = 0;
};

// Rows of one table, made in the pass that checks its records, before the log has them: for each
// good record one, but for `_id` and `_arrival`, which follow from its place. One thread at a time;
// may outlive the Tail.
class Draft {
 public:
  Draft(int64_t table_id, std::shared_ptr<const iceberg::Schema> schema,
        std::shared_ptr<std::atomic<int64_t>> bytes_total);
  // For the rows of records of about so many octets. An old one is emptied first.
  void Begin(int64_t record_bytes);

  iceberg::ColumnBuilder& rows() { return *rows_; }
  const std::shared_ptr<const iceberg::Schema>& schema() const { return schema_; }
  // Whether it may grow further; asked now and then. Records can be far smaller than their rows.
  bool Fits() const { return rows_->bytes() <= bytes_max_; }
  int64_t bytes_max() const { return bytes_max_; }

  // When the records are durable: where they are.
  void Place(int shard, int64_t first, int64_t arrival_us, int64_t record_bytes);
  // Copies the rows to columns of the same schema, where each gets its `_id` and `_arrival` too.
  void AppendTo(iceberg::ColumnBuilder& columns, size_t id_column, size_t arrival_column) const;

  int64_t table_id() const { return table_id_; }
  int shard() const { return shard_; }
  int64_t begin() const { return first_; }
  int64_t end() const { return first_ + rows_->rows(); }
  int64_t record_bytes() const { return record_bytes_; }
  int64_t bytes() const { return charge_.bytes(); }

 private:
  const int64_t table_id_;
  const std::shared_ptr<const iceberg::Schema> schema_;
  const std::unique_ptr<iceberg::ColumnBuilder> rows_;
  Charge charge_;
  int64_t bytes_max_ = 0;
  int shard_ = 0;
  int64_t first_ = 0;
  int64_t arrival_us_ = 0;
  int64_t record_bytes_ = 0;
};

}  // namespace weft::tail
