// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "iceberg/columns.h"

namespace weft::tail {

// The records of one shard from one offset to another, as chunks. Not for two threads at once.
class ShardColumns {
 public:
  struct Entry {
    int64_t begin = 0,
            end = 0;  // offsets: each record of them is a row of the chunk or is none of the table
    std::shared_ptr<const iceberg::ColumnChunk> chunk;  // nullptr: no rows
    std::vector<int64_t> offsets;  // of the rows; empty when row r is the record begin + r
    int64_t record_bytes = 0;      // of the log's records that are rows

    int64_t rows() const { return chunk == nullptr ? 0 : chunk->rows(); }
    int64_t bytes() const { return chunk == nullptr ? 0 : chunk->bytes(); }
    int64_t FirstRowFrom(int64_t offset) const;
    int64_t RecordBytesFrom(int64_t row) const;
  };

  explicit ShardColumns(int64_t begin) : begin_(begin), end_(begin) {}
  int64_t begin() const { return begin_; }
  int64_t end() const { return end_; }
  int64_t bytes() const { return bytes_; }                // of columns
  int64_t record_bytes() const { return record_bytes_; }  // of the rows' records
  size_t chunks() const { return entries_.size(); }

  // Takes the next entry; entry.begin is end().
  void Push(Entry entry);
  // Gives up what lies before `offset`, which may be past the end. Never goes back.
  void Release(int64_t offset);

  // Appends the rows from `from` on: whole entries until `bytes_max` bytes of records were passed
  // (0: all). Returns the offset reached.
  int64_t Collect(int64_t from, int64_t bytes_max, std::vector<engine::ColumnSlice>& slices,
                  int64_t& rows, int64_t& record_bytes) const;

  // How many of the last entries should become one, so that many small ones never pile up: each row
  // is copied a logarithmic number of times until its chunk has `chunk_bytes`. Below 2: none.
  size_t MergeCount(int64_t chunk_bytes) const;
  // Makes the last `count` entries one, with `builder`, which is empty and made for `schema`.
  Status MergeLast(size_t count, const iceberg::Schema& schema, iceberg::ColumnBuilder& builder);
  // Makes every entry one of a later schema.
  Status Rebuild(const iceberg::Schema& schema, iceberg::ColumnBuilder& builder);

 private:
  void Account(const Entry& entry, int sign);

  int64_t begin_, end_;
  int64_t bytes_ = 0;
  int64_t record_bytes_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace weft::tail
