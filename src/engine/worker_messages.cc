// SPDX-License-Identifier: Apache-2.0
#include "engine/worker_messages_internal.h"

namespace weft::engine {
namespace {

using iceberg::DataFile;
using iceberg::Field;

Error Unreadable() {
  return Error(Code::kInternal, "a message between the processes cannot be read");
}

int64_t Of(size_t count) { return static_cast<int64_t>(count); }

void PackFields(const std::vector<Field>& fields, Packer& to) {
  to.Add(Of(fields.size()));
  for (const auto& field : fields) {
    to.Add(field.id).Add(field.name).Add(field.required);
    to.Add(static_cast<int64_t>(field.type.kind))
        .Add(field.type.precision)
        .Add(field.type.scale)
        .Add(field.type.length);
    PackFields(field.type.fields, to);
  }
}

std::vector<Field> UnpackFields(Unpacker& from) {
  std::vector<Field> fields(from.Count());
  for (auto& field : fields) {
    field.id = static_cast<int>(from.Number());
    field.name = from.Text();
    field.required = from.Number() != 0;
    field.type.kind = static_cast<iceberg::TypeKind>(from.Number());
    field.type.precision = static_cast<int>(from.Number());
    field.type.scale = static_cast<int>(from.Number());
    field.type.length = static_cast<int>(from.Number());
    field.type.fields = UnpackFields(from);
  }
  return fields;
}

void PackSpec(const iceberg::PartitionSpec& spec, Packer& to) {
  to.Add(spec.spec_id).Add(Of(spec.fields.size()));
  for (const auto& field : spec.fields) {
    to.Add(field.source_id).Add(field.field_id).Add(field.name);
    to.Add(static_cast<int64_t>(field.transform)).Add(field.transform_text);
  }
}

iceberg::PartitionSpec UnpackSpec(Unpacker& from) {
  iceberg::PartitionSpec spec;
  spec.spec_id = static_cast<int>(from.Number());
  spec.fields.resize(from.Count());
  for (auto& field : spec.fields) {
    field.source_id = static_cast<int>(from.Number());
    field.field_id = static_cast<int>(from.Number());
    field.name = from.Text();
    field.transform = static_cast<iceberg::Transform>(from.Number());
    field.transform_text = from.Text();
  }
  return spec;
}

void PackCounts(const std::map<int, int64_t>& counts, Packer& to) {
  to.Add(Of(counts.size()));
  for (const auto& [id, count] : counts) to.Add(id).Add(count);
}

void UnpackCounts(Unpacker& from, std::map<int, int64_t>& counts) {
  for (size_t left = from.Count(); left > 0; --left) {
    auto id = static_cast<int>(from.Number());
    counts[id] = from.Number();
  }
}

void PackBounds(const std::map<int, Bytes>& bounds, Packer& to) {
  to.Add(Of(bounds.size()));
  for (const auto& [id, bytes] : bounds) to.Add(id).Add(bytes);
}

void UnpackBounds(Unpacker& from, std::map<int, Bytes>& bounds) {
  for (size_t left = from.Count(); left > 0; --left) {
    auto id = static_cast<int>(from.Number());
    bounds[id] = from.Text();
  }
}

}  // namespace

Bytes PackSetup(const WorkerSetup& setup) {
  return Packer().Add(setup.threads).Add(setup.temporary_folder).Add(setup.objects_root).bytes();
}

Result<WorkerSetup> UnpackSetup(BytesView bytes) {
  Unpacker from(bytes);
  WorkerSetup setup;
  setup.threads = static_cast<int>(from.Number());
  setup.temporary_folder = from.Text();
  setup.objects_root = from.Text();
  if (!from.ok()) return Fail(Unreadable());
  return setup;
}

Bytes PackStatement(const QueryRequest& request) {
  Packer to;
  to.Add(request.sql).Add(static_cast<int64_t>(request.format)).Add(request.memory_bytes_max);
  return to.Add(request.rows_max).Add(request.default_database).bytes();
}

Result<QueryRequest> UnpackStatement(BytesView bytes) {
  Unpacker from(bytes);
  QueryRequest request;
  request.sql = from.Text();
  request.format = static_cast<ResultFormat>(from.Number());
  request.memory_bytes_max = from.Number();
  request.rows_max = from.Number();
  request.default_database = from.Text();
  if (!from.ok()) return Fail(Unreadable());
  return request;
}

// Only what reading and pruning need.
Bytes PackFiles(const std::vector<DataFile>& files) {
  Packer to;
  to.Add(Of(files.size()));
  for (const auto& file : files) {
    to.Add(file.location).Add(file.spec_id).Add(file.record_count).Add(file.file_bytes);
    to.Add(Of(file.partition.size()));
    for (const auto& value : file.partition) to.Add(value.has_value()).Add(value.value_or(""));
    PackCounts(file.null_counts, to);
    PackCounts(file.nan_counts, to);
    PackBounds(file.lower_bounds, to);
    PackBounds(file.upper_bounds, to);
  }
  return to.bytes();
}

Result<std::vector<DataFile>> UnpackFiles(BytesView bytes) {
  Unpacker from(bytes);
  std::vector<DataFile> files(from.Count());
  for (auto& file : files) {
    file.location = from.Text();
    file.spec_id = static_cast<int>(from.Number());
    file.record_count = from.Number();
    file.file_bytes = from.Number();
    file.partition.resize(from.Count());
    for (auto& value : file.partition) {
      bool present = from.Number() != 0;
      auto text = from.Text();
      if (present) value = std::move(text);
    }
    UnpackCounts(from, file.null_counts);
    UnpackCounts(from, file.nan_counts);
    UnpackBounds(from, file.lower_bounds);
    UnpackBounds(from, file.upper_bounds);
  }
  if (!from.ok()) return Fail(Unreadable());
  return files;
}

Bytes PackRelation(const Relation& relation, const RelationIds& ids) {
  Packer to;
  PackFields(relation.columns, to);
  PackFields(relation.hidden, to);
  PackSpec(relation.spec, to);
  to.Add(ids.files).Add(Of(relation.tail.size()));
  for (size_t i = 0; i < relation.tail.size(); ++i) {
    to.Add(ids.chunks[i]).Add(relation.tail[i].first_row).Add(relation.tail[i].end_row);
  }
  return to.bytes();
}

Result<Relation> UnpackRelation(BytesView bytes, RelationIds& ids) {
  Unpacker from(bytes);
  Relation relation;
  relation.columns = UnpackFields(from);
  relation.hidden = UnpackFields(from);
  relation.spec = UnpackSpec(from);
  ids.files = from.Number();
  relation.tail.resize(from.Count());
  for (auto& slice : relation.tail) {
    ids.chunks.push_back(from.Number());
    slice.first_row = from.Number();
    slice.end_row = from.Number();
  }
  if (!from.ok()) return Fail(Unreadable());
  return relation;
}

Bytes PackNames(const std::vector<RelationSource::Name>& names) {
  Packer to;
  to.Add(Of(names.size()));
  for (const auto& [database, table] : names) to.Add(database).Add(table);
  return to.bytes();
}

Result<std::vector<RelationSource::Name>> UnpackNames(BytesView bytes) {
  Unpacker from(bytes);
  std::vector<RelationSource::Name> names(from.Count());
  for (auto& [database, table] : names) {
    database = from.Text();
    table = from.Text();
  }
  if (!from.ok()) return Fail(Unreadable());
  return names;
}

Bytes PackColumns(const std::vector<ResultColumn>& columns) {
  Packer to;
  to.Add(Of(columns.size()));
  for (const auto& column : columns) to.Add(column.name).Add(column.type);
  return to.bytes();
}

Result<std::vector<ResultColumn>> UnpackColumns(BytesView bytes) {
  Unpacker from(bytes);
  std::vector<ResultColumn> columns(from.Count());
  for (auto& column : columns) {
    column.name = from.Text();
    column.type = from.Text();
  }
  if (!from.ok()) return Fail(Unreadable());
  return columns;
}

Bytes PackStatus(const Status& status) {
  if (status.ok()) return Packer().Add(-1).Add("").bytes();
  return Packer()
      .Add(static_cast<int64_t>(status.error().code()))
      .Add(status.error().message())
      .bytes();
}

Status UnpackStatus(BytesView bytes) {
  Unpacker from(bytes);
  int64_t code = from.Number();
  auto text = from.Text();
  if (!from.ok() || code > static_cast<int64_t>(Code::kInternal)) return Fail(Unreadable());
  if (code < 0) return {};
  return Fail(static_cast<Code>(code), text);
}

}  // namespace weft::engine
