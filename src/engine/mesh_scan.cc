// SPDX-License-Identifier: Apache-2.0
#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp"
#include "duckdb/common/multi_file/multi_file_function.hpp"
#include "duckdb/common/multi_file/multi_file_list.hpp"
#include "duckdb/optimizer/filter_combiner.hpp"
#include "duckdb/parser/tableref/table_function_ref.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "engine/duckdb_types_internal.h"
#include "engine/mesh_scan_internal.h"

namespace weft::engine {
namespace {

using duckdb::ClientContext;
using duckdb::LogicalType;
using duckdb::MultiFileColumnDefinition;
using duckdb::MultiFileReader;
using duckdb::OpenFileInfo;
using duckdb::Value;

// Virtual columns of DuckDB's own lie below.
constexpr duckdb::column_t kFirstHidden = MultiFileReader::COLUMN_IDENTIFIER_FILENAME + 1'000'000;
// Which of the relation's files (then pieces of the tail) a row is of: with its number in there it
// tells the row from all others, whichever files a scan leaves out.
constexpr duckdb::column_t kRowFile = kFirstHidden - 1;
constexpr duckdb::column_t kRowNumber = MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER;
// Rows of a tail piece that one thread takes at a time.
constexpr int64_t kTailRows = 30 * 2048;
constexpr const char* kTailOption = "weft_tail";
constexpr const char* kFileOption = "weft_file";

struct ScanInfo : duckdb::TableFunctionInfo {
  std::shared_ptr<const TableSource> source;
  std::vector<TailPiece> pieces;  // the tail, cut into what one thread takes
  ObjectPaths paths;
  duckdb::TableCatalogEntry* table = nullptr;
};

int64_t RowsOf(const TableSource& source) {
  int64_t rows = 0;
  if (source.files != nullptr) {
    for (const auto& file : *source.files) rows += file.record_count;
  }
  for (const auto& piece : source.tail) rows += piece.end_row - piece.first_row;
  return rows;
}

std::vector<TailPiece> CutTail(const TableSource& source) {
  std::vector<TailPiece> pieces;
  for (const auto& piece : source.tail) {
    for (int64_t row = piece.first_row; row < piece.end_row; row += kTailRows) {
      pieces.push_back(piece);
      pieces.back().first_row = row;
      pieces.back().end_row = std::min(piece.end_row, row + kTailRows);
    }
  }
  return pieces;
}

OpenFileInfo FileEntry(const ObjectPaths& paths, const iceberg::DataFile& file, size_t index) {
  OpenFileInfo info(paths.Path(file.location));
  info.extended_info = duckdb::make_shared_ptr<duckdb::ExtendedOpenFileInfo>();
  info.extended_info->options["validate_external_file_cache"] = Value::BOOLEAN(false);
  info.extended_info->options[kFileOption] = Value::UBIGINT(index);
  return info;
}

OpenFileInfo TailEntry(size_t index) {
  OpenFileInfo info("tail-" + std::to_string(index));
  info.extended_info = duckdb::make_shared_ptr<duckdb::ExtendedOpenFileInfo>();
  info.extended_info->options[kTailOption] = Value::UBIGINT(index);
  return info;
}

const Value* Option(const OpenFileInfo& file, const char* name) {
  if (!file.extended_info) return nullptr;
  auto found = file.extended_info->options.find(name);
  return found == file.extended_info->options.end() ? nullptr : &found->second;
}

// Of one file alone DuckDB takes the number of threads from what it read while binding, which is
// nothing here: then only one thread would read its groups of rows.
class FileList : public duckdb::SimpleMultiFileList {
 public:
  using SimpleMultiFileList::SimpleMultiFileList;
  duckdb::FileExpandResult GetExpandResult() override {
    return paths.empty() ? duckdb::FileExpandResult::NO_FILES
                         : duckdb::FileExpandResult::MULTIPLE_FILES;
  }
  duckdb::unique_ptr<duckdb::MultiFileList> Copy() override {
    return duckdb::make_uniq<FileList>(GetAllFiles());
  }
};

class MeshReader : public MultiFileReader {
 public:
  explicit MeshReader(duckdb::shared_ptr<ScanInfo> scan) : info_(std::move(scan)) {
    for (const auto& field : info_->source->hidden) hidden_.push_back(ToDefinition(field));
  }
  static duckdb::unique_ptr<MultiFileReader> Make(const duckdb::TableFunction& function) {
    return duckdb::make_uniq<MeshReader>(
        duckdb::shared_ptr_cast<duckdb::TableFunctionInfo, ScanInfo>(function.function_info));
  }
  duckdb::unique_ptr<MultiFileReader> Copy() const override {
    return duckdb::make_uniq<MeshReader>(info_);
  }
  ScanInfo& info() { return *info_; }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(ClientContext&,
                                                           const duckdb::vector<std::string>&,
                                                           const duckdb::FileGlobInput&) override {
    duckdb::vector<OpenFileInfo> files;
    if (info_->source->files != nullptr) {
      const auto& all = *info_->source->files;
      for (size_t i = 0; i < all.size(); ++i) files.push_back(FileEntry(info_->paths, all[i], i));
    }
    for (size_t i = 0; i < info_->pieces.size(); ++i) files.push_back(TailEntry(i));
    return duckdb::make_shared_ptr<FileList>(std::move(files));
  }

  bool Bind(duckdb::MultiFileOptions&, duckdb::MultiFileList&, duckdb::vector<LogicalType>& types,
            duckdb::vector<std::string>& names, duckdb::MultiFileReaderBindData& bind) override {
    for (const auto& field : info_->source->columns) {
      bind.schema.push_back(ToDefinition(field));
      names.push_back(field.name);
      types.push_back(bind.schema.back().type);
    }
    bind.mapping = duckdb::MultiFileColumnMappingMode::BY_FIELD_ID;
    return true;
  }
  void BindOptions(duckdb::MultiFileOptions&, duckdb::MultiFileList&, duckdb::vector<LogicalType>&,
                   duckdb::vector<std::string>&, duckdb::MultiFileReaderBindData&) override {}

  duckdb::shared_ptr<duckdb::BaseFileReader> CreateReader(
      ClientContext& context, duckdb::GlobalTableFunctionState& state, const OpenFileInfo& file,
      duckdb::idx_t index, const duckdb::MultiFileBindData& bind) override {
    if (const auto* tail = Option(file, kTailOption)) {
      return MakeTailReader(file, info_->source, info_->pieces.at(tail->GetValue<uint64_t>()));
    }
    return MultiFileReader::CreateReader(context, state, file, index, bind);
  }

  void FinalizeBind(duckdb::MultiFileReaderData& data, const duckdb::MultiFileOptions& options,
                    const duckdb::MultiFileReaderBindData& bind,
                    const duckdb::vector<MultiFileColumnDefinition>& columns,
                    const duckdb::vector<duckdb::ColumnIndex>& column_ids, ClientContext& context,
                    duckdb::optional_ptr<duckdb::MultiFileReaderGlobalState> state) override {
    MultiFileReader::FinalizeBind(data, options, bind, columns, column_ids, context, state);
    for (duckdb::idx_t i = 0; i < column_ids.size(); ++i) {
      if (column_ids[i].GetPrimaryIndex() != kRowFile) continue;
      data.constant_map.Add(duckdb::MultiFileGlobalIndex(i),
                            Value::UBIGINT(NumberOf(data.reader->file)));
    }
  }

  duckdb::unique_ptr<duckdb::Expression> GetVirtualColumnExpression(
      ClientContext& context, duckdb::MultiFileReaderData& data,
      const duckdb::vector<MultiFileColumnDefinition>& local, duckdb::idx_t& id,
      const LogicalType& type, duckdb::MultiFileLocalIndex index,
      duckdb::optional_ptr<MultiFileColumnDefinition>& reference) override {
    if (id >= kFirstHidden && id < kFirstHidden + hidden_.size()) {
      reference = &hidden_[id - kFirstHidden];
      return nullptr;
    }
    return MultiFileReader::GetVirtualColumnExpression(context, data, local, id, type, index,
                                                       reference);
  }

  duckdb::unique_ptr<duckdb::MultiFileList> ComplexFilterPushdown(
      ClientContext& context, duckdb::MultiFileList& files, const duckdb::MultiFileOptions&,
      duckdb::MultiFilePushdownInfo& pushdown,
      duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& filters) override {
    if (filters.empty()) return nullptr;
    duckdb::FilterCombiner combiner(context);
    for (const auto& filter : filters) combiner.AddFilter(filter->Copy());
    duckdb::vector<duckdb::FilterPushdownResult> results;
    auto simple = combiner.GenerateTableScanFilters(pushdown.column_indexes, results);
    // These are keyed by column id, those of the other function by place among the scan's columns.
    return Prune(files, simple, [](duckdb::idx_t id) { return id; });
  }

  duckdb::unique_ptr<duckdb::MultiFileList> DynamicFilterPushdown(
      ClientContext&, const duckdb::MultiFileList& files, const duckdb::MultiFileOptions&,
      const duckdb::vector<std::string>&, const duckdb::vector<LogicalType>&,
      const duckdb::vector<duckdb::column_t>& column_ids,
      duckdb::TableFilterSet& filters) override {
    // Reading the list changes nothing of it; the interface wants it mutable all the same.
    return Prune(const_cast<duckdb::MultiFileList&>(files), filters,
                 [&](duckdb::idx_t index) -> duckdb::column_t {
                   return index < column_ids.size() ? column_ids[index]
                                                    : duckdb::DConstants::INVALID_INDEX;
                 });
  }

 private:
  uint64_t NumberOf(const OpenFileInfo& file) const {
    if (const auto* index = Option(file, kFileOption)) return index->GetValue<uint64_t>();
    const auto& files = info_->source->files;
    return (files == nullptr ? 0 : files->size()) + Option(file, kTailOption)->GetValue<uint64_t>();
  }

  const iceberg::Field* FieldOf(duckdb::column_t id) const {
    const auto& source = *info_->source;
    if (id < source.columns.size()) return &source.columns[id];
    if (id >= kFirstHidden && id - kFirstHidden < source.hidden.size())
      return &source.hidden[id - kFirstHidden];
    return nullptr;
  }

  // The files that may hold matching rows; nullptr when that is all of them.
  template <class ColumnOf>
  duckdb::unique_ptr<duckdb::MultiFileList> Prune(duckdb::MultiFileList& files,
                                                  const duckdb::TableFilterSet& filters,
                                                  ColumnOf column_of) const {
    if (filters.filters.empty() || info_->source->files == nullptr) return nullptr;
    duckdb::vector<OpenFileInfo> kept;
    bool pruned = false;
    for (const auto& file : files.GetAllFiles()) {
      const auto* index = Option(file, kFileOption);
      bool keep = true;
      for (auto it = filters.filters.begin();
           index != nullptr && keep && it != filters.filters.end(); ++it) {
        const auto* field = FieldOf(column_of(it->first));
        if (field == nullptr) continue;
        keep = MayMatch(info_->source->files->at(index->GetValue<uint64_t>()), info_->source->spec,
                        *field, *it->second);
      }
      if (keep) kept.push_back(file);
      pruned = pruned || !keep;
    }
    if (!pruned) return nullptr;
    return duckdb::make_uniq<FileList>(std::move(kept));
  }

  duckdb::shared_ptr<ScanInfo> info_;
  std::vector<MultiFileColumnDefinition> hidden_;
};

ScanInfo& InfoOf(const duckdb::FunctionData& data) {
  return static_cast<MeshReader&>(*data.Cast<duckdb::MultiFileBindData>().multi_file_reader).info();
}

duckdb::unique_ptr<duckdb::NodeStatistics> Cardinality(ClientContext&,
                                                       const duckdb::FunctionData* data) {
  return duckdb::make_uniq<duckdb::NodeStatistics>(
      static_cast<duckdb::idx_t>(RowsOf(*InfoOf(*data).source)));
}

// With those that DuckDB tells rows by, to fetch the other columns of a few chosen rows at the end.
// No statement can name them: the table's entry does not have them.
duckdb::virtual_column_map_t ScanColumns(const TableSource& source) {
  auto columns = VirtualColumns(source);
  columns.insert({kRowFile, duckdb::TableColumn("row_file", LogicalType::UBIGINT)});
  columns.insert({kRowNumber, duckdb::TableColumn("row_number", LogicalType::BIGINT)});
  return columns;
}

}  // namespace

std::shared_ptr<const TableSource> MakeSource(const std::string& database, const std::string& name,
                                              Relation relation) {
  auto source = std::make_shared<TableSource>();
  source->database = database;
  source->name = name;
  source->columns = std::move(relation.columns);
  source->hidden = std::move(relation.hidden);
  source->spec = std::move(relation.spec);
  source->files = std::move(relation.files);
  for (auto& slice : relation.tail) {
    source->tail.push_back({.chunk = std::move(slice.chunk),
                            .first_row = slice.first_row,
                            .end_row = slice.end_row,
                            .picked = nullptr});
  }
  return source;
}

duckdb::virtual_column_map_t VirtualColumns(const TableSource& source) {
  duckdb::virtual_column_map_t columns;
  columns.insert({duckdb::COLUMN_IDENTIFIER_EMPTY, duckdb::TableColumn("", LogicalType::BOOLEAN)});
  for (size_t i = 0; i < source.hidden.size(); ++i) {
    columns.insert({kFirstHidden + i,
                    duckdb::TableColumn(source.hidden[i].name, ToLogical(source.hidden[i].type))});
  }
  return columns;
}

duckdb::TableFunction MakeScan(ClientContext& context, std::shared_ptr<const TableSource> source,
                               const ObjectPaths& paths, duckdb::TableCatalogEntry& table,
                               duckdb::unique_ptr<duckdb::FunctionData>& bind_data) {
  auto& entry =
      duckdb::Catalog::GetSystemCatalog(context).GetEntry<duckdb::TableFunctionCatalogEntry>(
          context, DEFAULT_SCHEMA, "parquet_scan");
  auto function = entry.functions.GetFunctionByArguments(context, {LogicalType::VARCHAR});
  auto info = duckdb::make_shared_ptr<ScanInfo>();
  info->pieces = CutTail(*source);
  info->source = std::move(source);
  info->paths = paths;
  info->table = &table;
  function.function_info = info;
  function.name = "mesh_scan";
  function.get_multi_file_reader = MeshReader::Make;
  function.statistics = nullptr;
  function.get_partition_stats = nullptr;
  function.get_row_id_columns = [](ClientContext&, duckdb::optional_ptr<duckdb::FunctionData>) {
    return duckdb::vector<duckdb::column_t>{kRowFile, kRowNumber};
  };
  function.serialize = nullptr;
  function.deserialize = nullptr;
  // What these would say in a plan names objects.
  function.to_string = nullptr;
  function.dynamic_to_string = nullptr;
  function.cardinality = Cardinality;
  // Binding forgets the virtual columns when the table entry does not come back here.
  function.get_bind_info = [](const duckdb::optional_ptr<duckdb::FunctionData> data) {
    return duckdb::BindInfo(*InfoOf(*data).table);
  };
  function.get_virtual_columns = [](ClientContext&,
                                    duckdb::optional_ptr<duckdb::FunctionData> data) {
    auto columns = ScanColumns(*InfoOf(*data).source);
    data->Cast<duckdb::MultiFileBindData>().virtual_columns = columns;
    return columns;
  };
  duckdb::vector<Value> inputs{Value("")};
  duckdb::named_parameter_map_t named;
  duckdb::vector<LogicalType> input_types;
  duckdb::vector<std::string> input_names;
  duckdb::TableFunctionRef reference;
  duckdb::TableFunctionBindInput input(inputs, named, input_types, input_names, nullptr, nullptr,
                                       function, reference);
  duckdb::vector<LogicalType> types;
  duckdb::vector<std::string> names;
  bind_data = function.bind(context, input, types, names);
  bind_data->Cast<duckdb::MultiFileBindData>().virtual_columns = ScanColumns(*info->source);
  return function;
}

}  // namespace weft::engine
