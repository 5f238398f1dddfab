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
      RowRange rows{.first = next_,
                    .count = std::min<int64_t>(STANDARD_VECTOR_SIZE, piece_.end_row - next_)};
      if (piece_.picked != nullptr) rows.picked = piece_.picked->data() + next_;
      out.Reset();
      Fill(context, rows, out);
      next_ += rows.count;
      if (out.size() > 0) return;
    }
    out.Reset();
    out.SetCardinality(0);
  }

  std::string GetReaderType() const override { return "tail"; }

  // There is one: a row's number. Its definition was just added to `columns`.
  void AddVirtualColumn(duckdb::column_t) override {
    fields_.push_back(nullptr);
    data_.push_back(nullptr);
  }

 private:
  void Add(const iceberg::Field& field) {
    columns.push_back(ToDefinition(field));
    fields_.push_back(&field);
    data_.push_back(FindColumn(piece_.chunk->columns(), field.id));
  }

  // The rows that the filters let through; where that is none, the other columns are not looked at.
  void Fill(ClientContext& context, const RowRange& rows, DataChunk& out) {
    const auto all = static_cast<duckdb::idx_t>(rows.count);
    auto tested = [&](duckdb::idx_t i) {
      return filters && filters->filters.find(i) != filters->filters.end();
    };
    for (duckdb::idx_t i = 0; i < column_indexes.size(); ++i) {
      if (tested(i)) FillColumn(context, i, rows, out.data[i]);
    }
    duckdb::SelectionVector chosen;
    duckdb::idx_t count = all;
    if (filters) Choose(context, all, out, chosen, count);
    out.SetCardinality(count == 0 ? 0 : all);
    if (count == 0) return;
    for (duckdb::idx_t i = 0; i < column_indexes.size(); ++i) {
      if (!tested(i)) FillColumn(context, i, rows, out.data[i]);
    }
    if (count != all) out.Slice(chosen, count);
  }

  void Choose(ClientContext& context, duckdb::idx_t all, DataChunk& out,
              duckdb::SelectionVector& chosen, duckdb::idx_t& count) {
    for (auto& [index, filter] : filters->filters) {
      auto& vector = out.data[index];
      duckdb::UnifiedVectorFormat format;
      vector.ToUnifiedFormat(all, format);
      auto state = duckdb::TableFilterState::Initialize(context, *filter);
      duckdb::ColumnSegment::FilterSelection(chosen, vector, format, *filter, *state, all, count);
    }
  }

  // `i`: the column's place among the scan's.
  void FillColumn(ClientContext& context, duckdb::idx_t i, const RowRange& rows,
                  duckdb::Vector& to) {
    const auto column = column_indexes[i].GetPrimaryIndex();
    if (fields_[column] == nullptr) {
      auto* numbers = duckdb::FlatVector::GetData<int64_t>(to);
      for (int64_t row = 0; row < rows.count; ++row) numbers[row] = next_ + row;
      return;
    }
    const auto& type = fields_[column]->type;
    auto map = expression_map.find(column);
    if (map == expression_map.end()) {
      if (!FillText(i, column, rows, to)) FillVector(type, data_[column], rows, to);
      return;
    }
    DataChunk plain;
    plain.Initialize(duckdb::Allocator::DefaultAllocator(), {columns[column].type});
    FillVector(type, data_[column], rows, plain.data[0]);
    plain.SetCardinality(static_cast<duckdb::idx_t>(rows.count));
    duckdb::ExpressionExecutor executor(context, *map->second);
    executor.ExecuteExpression(plain, to);
  }

  // Whether it was text with few different values.
  bool FillText(duckdb::idx_t i, duckdb::idx_t column, const RowRange& rows, duckdb::Vector& to) {
    if (fields_[column]->type.kind != iceberg::TypeKind::kString || data_[column] == nullptr)
      return false;
    if (dictionaries_.size() <= i) dictionaries_.resize(column_indexes.size());
    if (dictionaries_[i] == nullptr) dictionaries_[i] = std::make_unique<TextDictionary>();
    return dictionaries_[i]->Fill(*data_[column], rows, to);
  }

  std::shared_ptr<const TableSource> source_;
  TailPiece piece_;
  std::vector<const iceberg::Field*> fields_;  // as columns; nullptr: the number of the row
  std::vector<const iceberg::ColumnView*> data_;
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
