// SPDX-License-Identifier: Apache-2.0
// A mesh in a temporary folder for tests: an engine with worker processes, tables with rows in
// files and in the tail.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "engine/duckdb_engine.h"

namespace weft::engine::testing {

// Keeps what a query gives.
class TextSink : public ResultSink {
 public:
  Status Begin(const std::vector<ResultColumn>& given) override {
    columns = given;
    return {};
  }
  Status Write(BytesView piece, int64_t count) override {
    text += piece;
    rows += count;
    pieces.push_back(static_cast<int64_t>(piece.size()));
    return {};
  }
  std::vector<ResultColumn> columns;
  std::string text;
  int64_t rows = 0;
  std::vector<int64_t> pieces;
};

// Relations by name, in memory.
class Relations : public RelationSource {
 public:
  Result<Relation> Find(const Name& name) override;
  Result<std::vector<Name>> List() override;
  std::map<Name, Relation> all;
  int finds = 0;
};

// A column's builder from text: "1,a\n2,b"; fields parted by commas, empty is null. For flat
// schemas.
std::shared_ptr<const iceberg::ColumnChunk> Rows(const std::vector<iceberg::Field>& fields,
                                                 const std::string& csv);
iceberg::Field MakeField(int id, const std::string& name, iceberg::TypeKind kind);

class SampleMesh {
 public:
  explicit SampleMesh(DuckDbOptions options = DuckDbOptions());
  ~SampleMesh();

  // Runs a statement; the text, or "CODE: message".
  std::string Ask(const std::string& sql, ResultFormat format = ResultFormat::kNdjson);
  Status Run(QueryRequest request, ResultSink& sink);
  Result<std::vector<iceberg::DataFile>> Write(const iceberg::Schema& schema,
                                               const iceberg::PartitionSpec& spec,
                                               const std::vector<ColumnSlice>& rows,
                                               const std::string& name);

  Relations relations;
  objects::ObjectStore& store() { return *store_; }
  Engine& engine() { return *engine_; }
  const std::string& root() const { return root_; }

 private:
  std::string root_;
  Metrics metrics_;
  std::unique_ptr<objects::ObjectStore> store_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace weft::engine::testing
