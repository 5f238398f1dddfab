// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "duckdb.hpp"
#include "engine/duckdb_types_internal.h"
#include "engine/text_words_internal.h"

namespace weft::engine {

// Turns texts of which there are few different ones into DuckDB's dictionary vectors, as its own
// Parquet scan gives them: DuckDB then hashes and computes once for each text, not for each row.
// One thread at a time.
class TextDictionary {
 public:
  // Fills `to` from rows of `column`, which is always the same. False, and `to` as it was, when
  // there are too many different texts: from then on always. What it filled stays right until the
  // next call.
  bool Fill(const iceberg::ColumnView& column, const RowRange& rows, duckdb::Vector& to);

 private:
  static constexpr size_t kEntriesMax = 512;
  static constexpr size_t kSlots = 4 * kEntriesMax;

  bool Code(const TextWords& words, uint32_t& code);
  bool Encode(const iceberg::ColumnView& column, const RowRange& rows);
  void Build(const duckdb::LogicalType& type);

  bool too_many_ = false;
  std::vector<TextWords> entries_;        // by code; of null without data
  std::array<uint16_t, kSlots> slots_{};  // code + 1; 0: free
  uint32_t null_code_ = kEntriesMax;      // that: there was no null yet
  duckdb::SelectionVector codes_{STANDARD_VECTOR_SIZE};
  // The dictionary as a vector, of the first `built_` entries, under a name of its own.
  std::unique_ptr<duckdb::Vector> vector_;
  size_t built_ = 0;
  std::string name_;
};

}  // namespace weft::engine
