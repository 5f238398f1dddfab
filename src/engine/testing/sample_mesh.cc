// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/sample_mesh.h"

#include <stdlib.h>

#include <filesystem>
#include <sstream>

#include "base/check.h"
#include "objects/local_store.h"

namespace weft::engine::testing {
namespace {

using iceberg::TypeKind;

void AppendText(const iceberg::Field& field, const std::string& text,
                iceberg::ColumnBuilder::Node& to) {
  if (text.empty()) return to.AppendNull();
  switch (field.type.kind) {
    case TypeKind::kBoolean:
      return to.AppendBoolean(text == "true");
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return to.AppendDouble(std::stod(text));
    case TypeKind::kDecimal:
      return to.AppendDecimal(std::stoll(text));
    case TypeKind::kString:
    case TypeKind::kBinary:
    case TypeKind::kUuid:
    case TypeKind::kFixed:
      return to.AppendBytes(text);
    default:
      return to.AppendInteger(std::stoll(text));
  }
}

}  // namespace

Result<Relation> Relations::Find(const Name& name) {
  ++finds;
  auto found = all.find(name);
  if (found == all.end()) return Fail(Code::kNotFound, "no such table");
  return found->second;
}

Result<std::vector<RelationSource::Name>> Relations::List() {
  std::vector<Name> names;
  for (const auto& [name, relation] : all) names.push_back(name);
  return names;
}

iceberg::Field MakeField(int id, const std::string& name, TypeKind kind) {
  iceberg::Field field;
  field.id = id;
  field.name = name;
  field.type.kind = kind;
  return field;
}

std::shared_ptr<const iceberg::ColumnChunk> Rows(const std::vector<iceberg::Field>& fields,
                                                 const std::string& csv) {
  auto schema = std::make_shared<iceberg::Schema>();
  schema->fields = fields;
  auto builder = iceberg::ColumnBuilder::Make(schema);
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream parts(line);
    for (size_t i = 0; i < fields.size(); ++i) {
      std::string text;
      std::getline(parts, text, ',');
      AppendText(fields[i], text, builder->column(i));
    }
    builder->FinishRow();
  }
  auto chunk = builder->Seal();
  CHECK(chunk.ok());
  return *chunk;
}

SampleMesh::SampleMesh(DuckDbOptions options) {
  char folder[] = "/tmp/weft-engine-XXXXXX";
  root_ = ::mkdtemp(folder);
  auto store = objects::OpenLocalStore({.root = root_ + "/objects"}, SystemDisk(), SystemClock());
  CHECK(store.ok());
  store_ = std::move(*store);
  options.objects_root = root_ + "/objects";
  auto engine = OpenDuckDb(options, *store_, SystemClock(), metrics_);
  CHECK(engine.ok());
  engine_ = std::move(*engine);
}

SampleMesh::~SampleMesh() {
  engine_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

Status SampleMesh::Run(QueryRequest request, ResultSink& sink) {
  return engine_->Query(request, relations, sink);
}

std::string SampleMesh::Ask(const std::string& sql, ResultFormat format) {
  TextSink sink;
  auto done = Run({.sql = sql, .format = format}, sink);
  if (!done.ok()) return std::string(CodeName(done.error().code())) + ": " + done.error().message();
  return sink.text;
}

Result<std::vector<iceberg::DataFile>> SampleMesh::Write(const iceberg::Schema& schema,
                                                         const iceberg::PartitionSpec& spec,
                                                         const std::vector<ColumnSlice>& rows,
                                                         const std::string& name) {
  WriteRequest request;
  request.schema = schema;
  request.spec = spec;
  request.rows = rows;
  request.location = "s3://mesh/sales/data";
  request.name = name;
  return engine_->WriteParquet(request);
}

}  // namespace weft::engine::testing
