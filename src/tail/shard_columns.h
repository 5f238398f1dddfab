// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "iceberg/columns.h"
#include "tail/draft.h"

namespace weft::tail {

// The records of one shard from one offset to another, as chunks, and behind them the rows that the
// next chunk is being made of. Not for two threads at once.
class ShardColumns {
 public:
  struct Entry {
    int64_t begin = 0,
            end = 0;  // offsets: each record of them is a row of the chunk or is none of the table
    std::shared_ptr<const iceberg::ColumnChunk> chunk;  // nullptr: no rows
    std::vector<int64_t> offsets;  // of the rows' records; empty when row r is the record begin + r
    int64_t record_bytes = 0;      // of the log's records that are rows

    int64_t rows() const { return chunk == nullptr ? 0 : chunk->rows(); }
    int64_t bytes() const { return chunk == nullptr ? 0 : chunk->bytes(); }
    void SetOffsets(std::vector<int64_t> of_rows);  // in order; `begin` and `end` are set
    int64_t FirstRowFrom(int64_t offset) const;
    int64_t RecordBytesFrom(int64_t row) const;
  };

  explicit ShardColumns(int64_t begin) : begin_(begin), end_(begin) {}
  int64_t begin() const { return begin_; }
  int64_t end() const { return end_; }
  int64_t bytes() const { return bytes_ + open_bytes() + spare_bytes_; }  // of columns
  int64_t record_bytes() const { return record_bytes_; }                  // of the rows' records

  // Takes rows of the table's schema: they are what is a row of the records from end() to `end`.
  // `offsets` says which records they are; empty when row r is the record end() + r, and they are
  // all.
  void Append(const std::shared_ptr<const iceberg::Schema>& schema,
              const std::vector<iceberg::ColumnView>& rows, int64_t end,
              const std::vector<int64_t>& offsets, int64_t record_bytes);
  // The same for a draft of all the records from end() on to its own end.
  void Append(const Draft& draft, size_t id_column, size_t arrival_column);
  int64_t open_bytes() const { return open_ == nullptr ? 0 : open_->bytes(); }
  // Takes what is a chunk already and begins at end(). Nothing is open.
  void Push(Entry entry);
  // Makes a chunk of the rows that are in none yet. Should it fail, end() goes back before them.
  // What a large one was made in is kept for the next.
  Status Close();
  // Gives that memory back when it was not used since the last call.
  void DropSpare();
  // Gives up what lies before `offset`, which may be past the end. Never goes back.
  void Release(int64_t offset);

  // Appends the rows of chunks from `from` on: whole entries until `bytes_max` bytes of records
  // were passed (0: all). Returns the offset reached.
  int64_t Collect(int64_t from, int64_t bytes_max, std::vector<engine::ColumnSlice>& slices,
                  int64_t& rows, int64_t& record_bytes) const;

  // How many of the last entries should become one, so that many small ones never pile up: each row
  // is copied a logarithmic number of times until its chunk has `chunk_bytes`. Below 2: none.
  size_t MergeCount(int64_t chunk_bytes) const;
  // Makes the last `count` entries one, with `builder`, which is empty and made for the table's
  // schema. Nothing is open.
  Status MergeLast(size_t count, iceberg::ColumnBuilder& builder);
  // Makes every entry one of a later schema. Nothing is open.
  Status Rebuild(const iceberg::Schema& schema, iceberg::ColumnBuilder& builder);

 private:
  void Account(const Entry& entry, int sign);
  // Where the rows behind end() go.
  iceberg::ColumnBuilder& Open(const std::shared_ptr<const iceberg::Schema>& schema);
  // So many rows were taken: of all records from end() to `end`, or of those at `offsets`.
  void Advance(int64_t rows, int64_t end, const std::vector<int64_t>& offsets,
               int64_t record_bytes);

  int64_t begin_, end_;
  int64_t bytes_ = 0;  // of chunks
  int64_t record_bytes_ = 0;
  std::deque<Entry> entries_;

  // The rows behind them, of the records from next_.begin to end_. nullptr: none.
  std::unique_ptr<iceberg::ColumnBuilder> open_;
  Entry next_;
  bool scattered_ = false;  // next_.offsets holds where its rows are
  std::unique_ptr<iceberg::ColumnBuilder> spare_;
  int64_t spare_bytes_ = 0;
  bool appended_ = false;  // since DropSpare
};

}  // namespace weft::tail
