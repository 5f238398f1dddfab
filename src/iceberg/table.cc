// SPDX-License-Identifier: Apache-2.0
#include "iceberg/table.h"

#include <algorithm>

#include "iceberg/table_objects_internal.h"

namespace weft::iceberg {
namespace {

// The largest id of the fields; 0 also where one has no id.
int LargestId(const std::vector<Field>& fields, bool& complete) {
  int largest = 0;
  for (const Field& field : fields) {
    if (field.id <= 0) complete = false;
    largest = std::max({largest, field.id, LargestId(field.type.fields, complete)});
  }
  return largest;
}

Status CheckSpec(const PartitionSpec& spec, const Schema& schema) {
  for (const PartitionField& field : spec.fields) {
    const Field* source = FindField(schema.fields, field.source_id);
    if (source == nullptr && field.transform == Transform::kVoid) continue;
    if (source == nullptr || source->type.nested()) {
      return Fail(Code::kInvalid,
                  fmt::format("the partition field {} has no column to be made from", field.name));
    }
  }
  return {};
}

// A manifest of the base, and what is to stand in its place; no entries: it stays.
struct Rewrite {
  ManifestFile manifest;
  Entries entries;
};

Result<std::vector<Rewrite>> PlanReplace(TableObjects& objects, SnapshotDraft& draft,
                                         const std::vector<std::string>& removed, int64_t rows) {
  std::set<std::string> left(removed.begin(), removed.end());
  std::vector<Rewrite> rewrites;
  Manifests manifests = TRY(draft.LiveManifests());
  for (ManifestFile& manifest : manifests) {
    if (manifest.deletes) {
      return Fail(Code::kNotOffered, "compacting tables with delete files is not offered");
    }
    const auto entries = TRY(objects.EntriesOf(draft.base(), manifest));
    Rewrite rewrite{std::move(manifest), {}};
    const size_t before = left.size();
    for (ManifestEntry entry : *entries) {
      if (!entry.live()) continue;
      entry.status = EntryStatus::kExisting;
      if (left.erase(entry.file.location) > 0) {
        entry.status = EntryStatus::kDeleted;
        entry.snapshot_id = draft.snapshot_id();
        rows -= entry.file.record_count;
        draft.CountRemoved(entry.file);
      }
      rewrite.entries.push_back(std::move(entry));
    }
    if (left.size() == before) rewrite.entries.clear();
    rewrites.push_back(std::move(rewrite));
  }
  if (!left.empty()) {
    return Fail(Code::kConflict,
                fmt::format("a file to be replaced is not in the table: {}", *left.begin()));
  }
  if (rows != 0) {
    return Fail(Code::kInvalid, "the files of a replacement do not hold as many rows as before");
  }
  return rewrites;
}

}  // namespace

Tables::Tables(objects::ObjectStore& store, const Clock& clock, Random& random)
    : state_(new State{{store, clock, random}}) {}
Tables::~Tables() = default;

Result<TableVersion> Tables::Load(const std::string& metadata_location) {
  return state_->objects.Load(metadata_location);
}

Result<TableVersion> Tables::Create(const NewTable& table) {
  TRY(objects::ParseLocation(table.location + "/metadata"));
  bool complete = true;
  const int largest = LargestId(table.schema.fields, complete);
  if (!complete) return Fail(Code::kInvalid, "a column of the new table has no id");
  TRY(CheckSpec(table.spec, table.schema));
  TableMetadata metadata;
  metadata.table_uuid = state_->objects.random().NextUuid();
  metadata.location = table.location;
  while (metadata.location.ends_with('/')) metadata.location.pop_back();
  metadata.last_updated = std::chrono::floor<milliseconds>(state_->objects.Now());
  metadata.last_column_id = std::max(table.last_column_id, largest);
  metadata.schemas = {table.schema};
  metadata.current_schema_id = table.schema.schema_id;
  metadata.partition_specs = {table.spec};
  metadata.default_spec_id = table.spec.spec_id;
  for (const PartitionField& field : table.spec.fields) {
    metadata.last_partition_id = std::max(metadata.last_partition_id, field.field_id);
  }
  metadata.properties = table.properties;
  return state_->objects.PutMetadata(nullptr, std::move(metadata));
}

Result<TableVersion> Tables::Append(const TableVersion& base, const std::vector<DataFile>& added,
                                    const std::map<std::string, std::string>& summary) {
  SnapshotDraft draft = TRY(SnapshotDraft::Begin(state_->objects, base));
  Manifests manifests = TRY(draft.WriteAdded(added));
  Manifests older = TRY(draft.LiveManifests());
  manifests.insert(manifests.end(), std::make_move_iterator(older.begin()),
                   std::make_move_iterator(older.end()));
  return draft.Commit("append", std::move(manifests), summary);
}

Result<TableVersion> Tables::Replace(const TableVersion& base,
                                     const std::vector<std::string>& removed,
                                     const std::vector<DataFile>& added) {
  TableObjects& objects = state_->objects;
  SnapshotDraft draft = TRY(SnapshotDraft::Begin(objects, base));
  int64_t rows = 0;
  for (const DataFile& file : added) rows += file.record_count;
  // Nothing is written before it is known that the replacement is right.
  std::vector<Rewrite> rewrites = TRY(PlanReplace(objects, draft, removed, rows));
  Manifests manifests = TRY(draft.WriteAdded(added));
  for (Rewrite& rewrite : rewrites) {
    if (rewrite.entries.empty()) {
      manifests.push_back(std::move(rewrite.manifest));
    } else {
      manifests.push_back(
          TRY(objects.PutManifest(rewrite.entries, *base.metadata, rewrite.manifest.spec_id,
                                  draft.snapshot_id(), draft.sequence_number())));
    }
  }
  return draft.Commit("replace", std::move(manifests), {});
}

Result<TableVersion> Tables::UpdateSchema(const TableVersion& base, const Schema& schema,
                                          int last_column_id) {
  const TableMetadata& metadata = *base.metadata;
  if (metadata.format_version != 2) {
    return Fail(Code::kNotOffered,
                "changing tables of another format than version 2 is not offered");
  }
  bool complete = true;
  const int largest = LargestId(schema.fields, complete);
  if (!complete || largest > std::max(last_column_id, metadata.last_column_id)) {
    return Fail(Code::kInvalid, "a column of the new schema has no id that was given to it");
  }
  TRY(CheckSpec(metadata.spec(), schema));
  TableMetadata next = metadata;
  int next_id = 0;
  bool known = false;
  for (const Schema& other : metadata.schemas) {
    next_id = std::max(next_id, other.schema_id + 1);
    if (known || other.fields != schema.fields ||
        other.identifier_field_ids != schema.identifier_field_ids) {
      continue;
    }
    known = true;
    next.current_schema_id = other.schema_id;
  }
  if (known && next.current_schema_id == metadata.current_schema_id) return base;
  if (!known) {
    next.schemas.push_back(schema);
    next.schemas.back().schema_id = next.current_schema_id = next_id;
  }
  next.last_column_id = std::max(metadata.last_column_id, last_column_id);
  next.last_updated = std::max<Timestamp>(std::chrono::floor<milliseconds>(state_->objects.Now()),
                                          metadata.last_updated);
  return state_->objects.PutMetadata(&base, std::move(next));
}

Result<std::shared_ptr<const std::vector<DataFile>>> Tables::Files(const TableVersion& version) {
  return state_->objects.FilesOf(version);
}

}  // namespace weft::iceberg
