// SPDX-License-Identifier: Apache-2.0
#include "duckdb/common/multi_file/base_file_reader.hpp"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/planner/table_filter_state.hpp"
#include "duckdb/storage/table/column_segment.hpp"
#include "engine/duckdb_types_internal.h"
#include "engine/mesh_scan_internal.h"
#include "engine/text_dictionary_internal.h"

namespace weft::engine {
namespace {

using duckdb::ClientContext;
using duckdb::DataChunk;

// Its columns are all of the table's, in the table's own types: a column that the chunk lacks, or
// holds in an older type, is put right here, so that DuckDB never asks for casts or constants of
// this "file".
class TailReader : public duckdb::BaseFileReader {
 public:
  TailReader(const duckdb::OpenFileInfo& info, std::shared_ptr<const TableSource> source,
             const TailPiece& piece)
      : BaseFileReader(info), source_(std::move(source)), piece_(piece), next_(piece.first_row) {
    for (const auto& field : source_->columns) Add(field);
    for (const auto& field : source_->hidden) Add(field);
  }

  // One thread reads it: a piece is small.
  bool TryInitializeScan(ClientContext&, duckdb::GlobalTableFunctionState&,
                         duckdb::LocalTableFunctionState&) override {
    return !started_.exchange(true);
  }

  void Scan(ClientContext& context, duckdb::GlobalTableFunctionState&,
            duckdb::LocalTableFunctionState&, DataChunk& out) override {
    while (next_ < piece_.end_row) {
      int64_t count = std::min<int64_t>(STANDARD_VECTOR_SIZE, piece_.end_row - next_);
      out.Reset();
      Fill(count, out);
      next_ += count;
      Filter(context, out);
      if (out.size() > 0) return;
    }
    out.Reset();
    out.SetCardinality(0);
  }

  std::string GetReaderType() const override { return "tail"; }

 private:
  void Add(const iceberg::Field& field) {
    columns.push_back(ToDefinition(field));
    fields_.push_back(&field);
    data_.push_back(FindColumn(piece_.chunk->columns(), field.id));
  }

  void Fill(int64_t count, DataChunk& out) {
    RowRange rows{.first = next_, .count = count};
    if (piece_.picked != nullptr) rows.picked = piece_.picked->data() + next_;
    for (duckdb::idx_t i = 0; i < column_indexes.size(); ++i) {
      auto column = column_indexes[i].GetPrimaryIndex();
      auto map = expression_map.find(column);
      if (map == expression_map.end()) {
        if (!FillText(i, column, rows, out.data[i]))
          FillVector(fields_[column]->type, data_[column], rows, out.data[i]);
        continue;
      }
      auto plain = std::make_unique<DataChunk>();
      plain->Initialize(duckdb::Allocator::DefaultAllocator(), {columns[column].type});
      FillVector(fields_[column]->type, data_[column], rows, plain->data[0]);
      plain->SetCardinality(static_cast<duckdb::idx_t>(count));
      kept_.push_back(std::move(plain));
    }
    out.SetCardinality(static_cast<duckdb::idx_t>(count));
  }

  // Whether it was text with few different values; `i`: its place among the scan's columns.
  bool FillText(duckdb::idx_t i, duckdb::idx_t column, const RowRange& rows, duckdb::Vector& to) {
    if (fields_[column]->type.kind != iceberg::TypeKind::kString || data_[column] == nullptr)
      return false;
    if (dictionaries_.size() <= i) dictionaries_.resize(column_indexes.size());
    if (dictionaries_[i] == nullptr) dictionaries_[i] = std::make_unique<TextDictionary>();
    return dictionaries_[i]->Fill(*data_[column], rows, to);
  }

  void Filter(ClientContext& context, DataChunk& out) {
    if (!expression_map.empty()) {
      // Fill left these columns aside; they are computed before the filters see them.
      size_t k = 0;
      for (duckdb::idx_t i = 0; i < column_indexes.size(); ++i) {
        auto map = expression_map.find(column_indexes[i].GetPrimaryIndex());
        if (map == expression_map.end()) continue;
        duckdb::ExpressionExecutor executor(context, *map->second);
        executor.ExecuteExpression(*kept_[k++], out.data[i]);
      }
    }
    kept_.clear();
    if (!filters) return;
    duckdb::SelectionVector chosen;
    duckdb::idx_t count = out.size();
    for (auto& [index, filter] : filters->filters) {
      auto& vector = out.data[index];
      duckdb::UnifiedVectorFormat format;
      vector.ToUnifiedFormat(out.size(), format);
      auto state = duckdb::TableFilterState::Initialize(context, *filter);
      duckdb::ColumnSegment::FilterSelection(chosen, vector, format, *filter, *state, out.size(),
                                             count);
    }
    if (count != out.size()) out.Slice(chosen, count);
  }

  std::shared_ptr<const TableSource> source_;
  TailPiece piece_;
  std::vector<const iceberg::Field*> fields_;
  std::vector<const iceberg::ColumnView*> data_;
  std::vector<std::unique_ptr<DataChunk>> kept_;
  std::vector<std::unique_ptr<TextDictionary>> dictionaries_;  // by place; nullptr: none yet
  std::atomic<bool> started_ = false;
  int64_t next_ = 0;
};

}  // namespace

duckdb::shared_ptr<duckdb::BaseFileReader> MakeTailReader(const duckdb::OpenFileInfo& file,
                                                          std::shared_ptr<const TableSource> source,
                                                          const TailPiece& piece) {
  return duckdb::make_shared_ptr<TailReader>(file, std::move(source), piece);
}

}  // namespace weft::engine
