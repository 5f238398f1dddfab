// SPDX-License-Identifier: Apache-2.0
// A write is one COPY for each partition, from a table of the mesh's catalog that holds the
// partition's rows, or the files to be merged: so that one scan serves users' queries, delivery and
// maintenance.
#include <algorithm>
#include <thread>

#include "engine/duckdb_types_internal.h"
#include "engine/file_statistics_internal.h"
#include "engine/mesh_catalog_internal.h"
#include "engine/parquet_writer_internal.h"
#include "engine/partition_rows_internal.h"
#include "engine/statement_check_internal.h"
#include "iceberg/single_value.h"
#include "objects/local_store.h"

namespace weft::engine {
namespace {

using iceberg::DataFile;

std::string Literal(const std::string& text) {
  return "'" + duckdb::StringUtil::Replace(text, "'", "''") + "'";
}

struct Job {
  std::shared_ptr<const TableSource> source;
  std::vector<iceberg::SingleValue> partition;
  int64_t bytes = 0;  // about, before compression
  size_t number = 0;
};

int64_t PieceBytes(const TailPiece& piece) {
  auto rows = std::max<int64_t>(piece.chunk->rows(), 1);
  auto part = static_cast<double>(piece.end_row - piece.first_row) / static_cast<double>(rows);
  return static_cast<int64_t>(static_cast<double>(piece.chunk->bytes()) * part);
}

Result<std::vector<Job>> MakeJobs(const WriteRequest& request) {
  auto base = std::make_shared<TableSource>();
  base->database = "write";
  base->name = "rows";
  base->columns = request.schema.fields;
  base->spec = request.spec;
  std::vector<Job> jobs;
  if (!request.merged_files.empty()) {
    base->files = std::make_shared<const std::vector<DataFile>>(request.merged_files);
    int64_t bytes = 0;
    for (const auto& file : request.merged_files) bytes += file.file_bytes;
    jobs.push_back({.source = base,
                    .partition = request.merged_files[0].partition,
                    .bytes = bytes,
                    .number = 0});
    return jobs;
  }
  for (auto& part : TRY(PartRows(request))) {
    int64_t rows = 0, bytes = 0;
    for (const auto& piece : part.pieces) {
      rows += piece.end_row - piece.first_row;
      bytes += PieceBytes(piece);
    }
    if (rows == 0) continue;
    auto source = std::make_shared<TableSource>(*base);
    source->tail = std::move(part.pieces);
    jobs.push_back({.source = source,
                    .partition = std::move(part.partition),
                    .bytes = bytes,
                    .number = jobs.size()});
  }
  return jobs;
}

// DuckDB writes octets as Parquet's BYTE_ARRAY whatever their number, where the table's
// specification wants FIXED_LEN_BYTE_ARRAY.
const iceberg::Field* FindFixed(const std::vector<iceberg::Field>& fields) {
  for (const auto& field : fields) {
    if (field.type.kind == iceberg::TypeKind::kFixed) return &field;
    if (const auto* found = FindFixed(field.type.fields)) return found;
  }
  return nullptr;
}

class Writing {
 public:
  Writing(MeshDatabase& database, const WriteRequest& request)
      : database_(database), request_(request) {}

  Result<std::vector<DataFile>> Run(const Job& job) {
    try {
      duckdb::Connection connection(database_.database());
      StatementTables::Attach(*connection.context, database_.paths()).Add(job.source);
      auto result = connection.Query(Copy(job));
      if (result->HasError()) return Fail(Failure(result->GetErrorObject()));
      return Read(job, *result);
    } catch (const std::exception& error) {
      return Fail(Failure(duckdb::ErrorData(error)));
    }
  }

 private:
  Error Failure(const duckdb::ErrorData& error) const {
    bool passing = error.Type() == duckdb::ExceptionType::IO ||
                   error.Type() == duckdb::ExceptionType::OUT_OF_MEMORY;
    return Error(passing ? Code::kUnavailable : Code::kInternal,
                 "writing Parquet: " + duckdb::StringUtil::Replace(
                                           error.RawMessage(), database_.paths().prefix, "s3://"));
  }

  std::string Folder(const Job& job) const {
    auto path = iceberg::PartitionPath(request_.spec, request_.schema, job.partition);
    return path.empty() ? request_.location : request_.location + "/" + path;
  }

  std::string Copy(const Job& job) const {
    auto base = fmt::format("{}-{}", request_.name, job.number);
    // Rows that surely fit go into the one file that is named for them, in order.
    bool one = job.bytes <= request_.file_bytes_target;
    auto target = one ? Folder(job) + "/" + base + ".parquet" : Folder(job);
    auto sql = fmt::format(
        "copy (from {}.\"write\".\"rows\") to {} (format parquet, compression zstd, "
        "return_stats true, field_ids {}",
        kMeshCatalog, Literal(database_.paths().Path(target)),
        FieldIdsText(request_.schema.fields));
    if (one) {
      sql += ", use_tmp_file false";
    } else {
      sql += fmt::format(", file_size_bytes {}, overwrite_or_ignore true, filename_pattern {}",
                         request_.file_bytes_target, Literal(base + "-{i}"));
    }
    return sql + ")";
  }

  Result<std::vector<DataFile>> Read(const Job& job,
                                     duckdb::MaterializedQueryResult& result) const {
    std::vector<DataFile> files;
    const auto& prefix = database_.paths().prefix;
    for (duckdb::idx_t row = 0; row < result.RowCount(); ++row) {
      DataFile file;
      auto path = result.GetValue(0, row).ToString();
      file.record_count = result.GetValue(1, row).GetValue<int64_t>();
      file.file_bytes = result.GetValue(2, row).GetValue<int64_t>();
      if (!path.starts_with(prefix))
        return Fail(Code::kInternal, "a written file has a foreign name");
      file.location = "s3://" + path.substr(prefix.size());
      file.spec_id = request_.spec.spec_id;
      file.partition = job.partition;
      AddStatistics(request_.schema, result.GetValue(4, row), file);
      // One group of rows begins behind the four octets that every file begins with.
      if (file.record_count <= 122'880) file.split_offsets = {4};
      if (file.record_count > 0) files.push_back(std::move(file));
    }
    return files;
  }

  MeshDatabase& database_;
  const WriteRequest& request_;
};

}  // namespace

Result<MeshDatabase*> ParquetWriter::Database() {
  std::lock_guard lock(mutex_);
  if (database_ != nullptr) return database_.get();
  try {
    database_ = std::make_unique<MeshDatabase>(
        MeshDatabaseOptions{.threads = options_.writer_threads,
                            .memory_bytes = options_.writer_memory_bytes,
                            .temporary_folder = options_.temporary_folder,
                            .local_root = options_.objects_root},
        store_);
    return database_.get();
  } catch (const std::exception& error) {
    return Fail(Code::kInternal, std::string("starting DuckDB: ") + error.what());
  }
}

Result<std::vector<DataFile>> ParquetWriter::Write(const WriteRequest& request) {
  if (const auto* field = FindFixed(request.schema.fields)) {
    return Fail(Code::kNotOffered,
                fmt::format("writing columns of type fixed is not offered: {}", field->name));
  }
  auto* database = TRY(Database());
  auto jobs = TRY(MakeJobs(request));
  Writing writing(*database, request);
  std::vector<Result<std::vector<DataFile>>> results(jobs.size());
  // Partitions side by side: each file waits for its own way to the disk.
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  auto work = [&] {
    for (size_t i = next++; i < jobs.size() && !failed; i = next++) {
      results[i] = writing.Run(jobs[i]);
      if (!results[i].ok()) failed = true;
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1;
       i < std::min(jobs.size(), static_cast<size_t>(std::max(options_.writer_threads, 1))); ++i) {
    others.emplace_back(work);
  }
  work();
  for (auto& other : others) other.join();
  std::vector<DataFile> files;
  for (auto& result : results) {
    if (!result.ok()) return Fail(result.error());
    for (auto& file : *result) files.push_back(std::move(file));
  }
  return files;
}

}  // namespace weft::engine
