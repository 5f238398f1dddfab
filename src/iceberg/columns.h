// SPDX-License-Identifier: Apache-2.0
// Rows of a schema as columns in memory, laid out as Apache Arrow lays them out, in one piece of
// memory that other processes can map. Built once, then never changed; shared by queries and
// delivery.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/schema.h"

namespace weft::iceberg {

// One column, or a nested part of one. Buffers, by kind:
//   kBoolean: values, one bit a row, least significant first
//   kInt kDate: int32; kLong kTime kTimestamp kTimestampTz: int64; kFloat, kDouble; kDecimal: 16
//   octets, little endian; kUuid, kFixed: their octets as they read, all in values kString kBinary:
//   offsets (length + 1), values kList: offsets into children[0]; kMap: offsets into children[0]
//   (keys) and children[1] (values) kStruct: children, as long as the column itself
struct ColumnView {
  const Field* field = nullptr;
  int64_t length = 0;
  int64_t null_count = 0;
  const uint8_t* validity = nullptr;  // a bit a row, set where there is a value; nullptr: no nulls
  const int32_t* offsets = nullptr;
  const uint8_t* values = nullptr;
  std::vector<ColumnView> children;

  bool valid(int64_t row) const {
    return validity == nullptr || (validity[row >> 3] >> (row & 7) & 1) != 0;
  }
};

class ColumnChunk {
 public:
  virtual ~ColumnChunk() = default;
  virtual const Schema& schema() const = 0;
  virtual int64_t rows() const = 0;
  virtual const std::vector<ColumnView>& columns() const = 0;  // as schema().fields
  virtual int64_t bytes() const = 0;                           // of memory
  // The memory, sealed against change, for another process: open for as long as this object lives.
  virtual int descriptor() const = 0;
};

// The chunk that another process made and sent: checks every length and offset against the size of
// the memory. Takes the descriptor. kCorrupt when it is not one.
Result<std::shared_ptr<const ColumnChunk>> MapColumnChunk(int descriptor);
// The same of a process that is trusted with this one's memory: what would cost a look at every row
// is not checked.
Result<std::shared_ptr<const ColumnChunk>> MapTrustedChunk(int descriptor);

// Appends rows value by value. One thread at a time.
//   for each row: for each column in order, one value into its node; then FinishRow().
// A column may lag behind, as long as it has its values for all rows before Seal.
class ColumnBuilder {
 public:
  // A column under construction. A value is appended with the call of its kind, a null with
  // AppendNull (for required fields too: checking is the caller's).
  class Node {
   public:
    virtual ~Node() = default;
    virtual void AppendNull() = 0;
    virtual void AppendBoolean(bool value) = 0;
    virtual void AppendInteger(
        int64_t value) = 0;                        // kInt kLong kDate kTime kTimestamp kTimestampTz
    virtual void AppendDouble(double value) = 0;   // kFloat kDouble
    virtual void AppendDecimal(Int128 value) = 0;  // unscaled
    virtual void AppendBytes(std::string_view value) = 0;  // kString kBinary kUuid kFixed
    // kStruct: then one value into each child. kList, kMap: then `count` values into each child.
    virtual void AppendStruct() = 0;
    virtual void AppendList(int64_t count) = 0;
    virtual Node& child(size_t index) = 0;
  };

  static std::unique_ptr<ColumnBuilder> Make(std::shared_ptr<const Schema> schema);
  virtual ~ColumnBuilder() = default;
  virtual Node& column(size_t index) = 0;
  virtual void FinishRow() = 0;
  // Takes back what was appended since the last FinishRow.
  virtual void DropRow() = 0;
  virtual int64_t rows() const = 0;
  virtual int64_t bytes() const = 0;  // what Seal would make, about
  // The finished rows as they are, until the builder is used again. Columns that lag behind
  // FinishRow are shorter.
  virtual std::vector<ColumnView> Views() const = 0;
  // Appends the rows from `first` to before `end` of columns of the same schema: a chunk's, or
  // another builder's Views. Whole buffers are copied, so that a row costs little. A column that
  // has no values there yet lags behind here: its values follow before the next call.
  virtual void AppendRows(const std::vector<ColumnView>& columns, int64_t first, int64_t end) = 0;
  // Forgets all rows: Clear keeps the memory for the next ones, Reset gives it back.
  virtual void Clear() = 0;
  virtual void Reset() = 0;
  // Copies the finished rows into shared memory; the builder is empty afterwards, as by Clear.
  // kUnavailable when there is no memory. One chunk holds less than 2 GiB in any one buffer.
  virtual Result<std::shared_ptr<const ColumnChunk>> Seal() = 0;
};

}  // namespace weft::iceberg
