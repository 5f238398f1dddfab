// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <limits>

#include "iceberg/json_internal.h"
#include "iceberg/table.h"

namespace weft::iceberg {
namespace {

constexpr std::array kTransforms = {
    std::pair<std::string_view, Transform>{"identity", Transform::kIdentity},
    std::pair<std::string_view, Transform>{"year", Transform::kYear},
    std::pair<std::string_view, Transform>{"month", Transform::kMonth},
    std::pair<std::string_view, Transform>{"day", Transform::kDay},
    std::pair<std::string_view, Transform>{"hour", Transform::kHour},
    std::pair<std::string_view, Transform>{"void", Transform::kVoid},
};

Transform TransformOf(std::string_view text) {
  for (const auto& [name, transform] : kTransforms) {
    if (text == name) return transform;
  }
  return Transform::kOther;
}

Result<Timestamp> Time(const Json& json, const char* key) {
  const int64_t value = TRY(Integer(json, key));
  constexpr int64_t kLimit = std::numeric_limits<int64_t>::max() / 1000;
  if (value < -kLimit || value > kLimit) {
    return Fail(Code::kCorrupt, fmt::format("\"{}\" is no time", key));
  }
  return Timestamp(milliseconds(value));
}

Result<std::map<std::string, std::string>> TextMap(const Json& json, const char* key) {
  std::map<std::string, std::string> map;
  const Json* object = TRY(OptionalObject(json, key));
  if (object == nullptr) return map;
  for (const auto& [name, value] : object->items()) {
    // Some writers put numbers and booleans into summaries.
    map[name] = value.is_string() ? value.get<std::string>()
                                  : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return map;
}

// The fields of a spec; version 1 may leave out their ids, which then count up from 1000.
Result<std::vector<PartitionField>> PartitionFieldsOf(const Json& list) {
  std::vector<PartitionField> fields;
  for (const Json& item : list) {
    PartitionField field;
    const Json* sources = TRY(OptionalArray(item, "source-ids"));
    if (sources != nullptr && !Has(item, "source-id")) {
      if (sources->size() != 1 || !sources->front().is_number_integer()) {
        return Fail(Code::kNotOffered, "partition fields of several columns are not offered");
      }
      field.source_id = static_cast<int>(sources->front().get<int64_t>());
    } else {
      field.source_id = TRY(SmallInteger(item, "source-id"));
    }
    field.field_id = Has(item, "field-id") ? TRY(SmallInteger(item, "field-id"))
                                           : 1000 + static_cast<int>(fields.size());
    field.name = TRY(Text(item, "name"));
    field.transform_text = TRY(Text(item, "transform"));
    field.transform = TransformOf(field.transform_text);
    fields.push_back(std::move(field));
  }
  return fields;
}

Status ReadSpecs(const Json& json, TableMetadata& metadata) {
  if (const Json* list = TRY(OptionalArray(json, "partition-specs")); list != nullptr) {
    for (const Json& item : *list) {
      PartitionSpec spec;
      spec.spec_id = TRY(SmallInteger(item, "spec-id"));
      const Json* fields = TRY(OptionalArray(item, "fields"));
      if (fields != nullptr) spec.fields = TRY(PartitionFieldsOf(*fields));
      metadata.partition_specs.push_back(std::move(spec));
    }
    metadata.default_spec_id = TRY(SmallInteger(json, "default-spec-id"));
  } else if (const Json* old = TRY(OptionalArray(json, "partition-spec")); old != nullptr) {
    PartitionSpec spec;
    spec.fields = TRY(PartitionFieldsOf(*old));
    metadata.partition_specs.push_back(std::move(spec));
  }
  if (metadata.FindSpec(metadata.default_spec_id) == nullptr) {
    return Fail(Code::kCorrupt, "the default partition spec is missing");
  }
  metadata.last_partition_id = 999;
  for (const PartitionSpec& spec : metadata.partition_specs) {
    for (const PartitionField& field : spec.fields) {
      metadata.last_partition_id = std::max(metadata.last_partition_id, field.field_id);
    }
  }
  if (Has(json, "last-partition-id")) {
    metadata.last_partition_id =
        std::max(metadata.last_partition_id, TRY(SmallInteger(json, "last-partition-id")));
  }
  return {};
}

Status ReadSchemas(const Json& json, TableMetadata& metadata) {
  if (const Json* list = TRY(OptionalArray(json, "schemas")); list != nullptr) {
    for (const Json& item : *list) metadata.schemas.push_back(TRY(SchemaOf(item)));
    metadata.current_schema_id = TRY(SmallInteger(json, "current-schema-id"));
  } else if (const Json* old = TRY(OptionalObject(json, "schema")); old != nullptr) {
    metadata.schemas.push_back(TRY(SchemaOf(*old)));
    metadata.current_schema_id = metadata.schemas.back().schema_id;
  }
  const bool found = std::any_of(
      metadata.schemas.begin(), metadata.schemas.end(),
      [&](const Schema& schema) { return schema.schema_id == metadata.current_schema_id; });
  if (!found) return Fail(Code::kCorrupt, "the current schema is missing");
  return {};
}

// What is left of an object once the members that a struct holds are taken out; empty where nothing
// is.
template <class Names>
std::string OtherMembers(const Json& json, const Names& known) {
  Json rest = json;
  for (const char* name : known) rest.erase(name);
  return rest.empty() ? std::string() : rest.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Snapshot> SnapshotOf(const Json& json, const TableMetadata& metadata) {
  static constexpr std::array kKnown = {"snapshot-id",  "parent-snapshot-id", "sequence-number",
                                        "timestamp-ms", "manifest-list",      "summary",
                                        "schema-id",    "manifests"};
  Snapshot snapshot;
  snapshot.snapshot_id = TRY(Integer(json, "snapshot-id"));
  snapshot.parent_snapshot_id = TRY(OptionalInteger(json, "parent-snapshot-id"));
  snapshot.sequence_number = TRY(OptionalInteger(json, "sequence-number")).value_or(0);
  snapshot.time = TRY(Time(json, "timestamp-ms"));
  if (const Json* list = TRY(OptionalArray(json, "manifests")); list != nullptr) {
    for (const Json& item : *list) {
      if (!item.is_string()) return Fail(Code::kCorrupt, "a manifest's location is not text");
      snapshot.manifests.push_back(item.get<std::string>());
    }
  }
  if (Has(json, "manifest-list") || !Has(json, "manifests")) {
    snapshot.manifest_list = TRY(Text(json, "manifest-list"));
  }
  snapshot.summary = TRY(TextMap(json, "summary"));
  snapshot.schema_id =
      Has(json, "schema-id") ? TRY(SmallInteger(json, "schema-id")) : metadata.current_schema_id;
  snapshot.other_members = OtherMembers(json, kKnown);
  return snapshot;
}

Status ReadSnapshots(const Json& json, TableMetadata& metadata) {
  if (const Json* list = TRY(OptionalArray(json, "snapshots")); list != nullptr) {
    for (const Json& item : *list) {
      metadata.snapshots.push_back(TRY(SnapshotOf(item, metadata)));
    }
  }
  if (const Json* list = TRY(OptionalArray(json, "snapshot-log")); list != nullptr) {
    for (const Json& item : *list) {
      metadata.snapshot_log.push_back(
          {TRY(Time(item, "timestamp-ms")), TRY(Integer(item, "snapshot-id"))});
    }
  }
  metadata.current_snapshot_id = TRY(OptionalInteger(json, "current-snapshot-id"));
  if (metadata.current_snapshot_id == -1) metadata.current_snapshot_id.reset();
  if (metadata.current_snapshot_id.has_value() && metadata.snapshot() == nullptr) {
    return Fail(Code::kCorrupt, "the current snapshot is missing");
  }
  return {};
}

Status ReadRefs(const Json& json, TableMetadata& metadata) {
  const Json* refs = TRY(OptionalObject(json, "refs"));
  if (refs == nullptr) return {};
  for (const auto& [name, item] : refs->items()) {
    SnapshotRef ref;
    ref.snapshot_id = TRY(Integer(item, "snapshot-id"));
    ref.branch = TRY(Text(item, "type")) == "branch";
    ref.snapshots_min = TRY(OptionalInteger(item, "min-snapshots-to-keep"));
    ref.snapshot_age_max_ms = TRY(OptionalInteger(item, "max-snapshot-age-ms"));
    ref.ref_age_max_ms = TRY(OptionalInteger(item, "max-ref-age-ms"));
    metadata.refs[name] = ref;
  }
  return {};
}

}  // namespace

const Schema& TableMetadata::schema() const {
  for (const Schema& schema : schemas) {
    if (schema.schema_id == current_schema_id) return schema;
  }
  static const Schema kNone;
  return kNone;
}

const PartitionSpec& TableMetadata::spec() const {
  static const PartitionSpec kNone;
  const PartitionSpec* spec = FindSpec(default_spec_id);
  return spec == nullptr ? kNone : *spec;
}

const Snapshot* TableMetadata::snapshot() const {
  return current_snapshot_id.has_value() ? FindSnapshot(*current_snapshot_id) : nullptr;
}

const PartitionSpec* TableMetadata::FindSpec(int spec_id) const {
  for (const PartitionSpec& spec : partition_specs) {
    if (spec.spec_id == spec_id) return &spec;
  }
  return nullptr;
}

const Snapshot* TableMetadata::FindSnapshot(int64_t snapshot_id) const {
  for (auto snapshot = snapshots.rbegin(); snapshot != snapshots.rend(); ++snapshot) {
    if (snapshot->snapshot_id == snapshot_id) return &*snapshot;
  }
  return nullptr;
}

Result<TableMetadata> MetadataFromJson(std::string_view text) {
  static constexpr std::array kKnown = {"format-version",
                                        "table-uuid",
                                        "location",
                                        "last-sequence-number",
                                        "last-updated-ms",
                                        "last-column-id",
                                        "schemas",
                                        "schema",
                                        "partition-specs",
                                        "partition-spec",
                                        "current-schema-id",
                                        "default-spec-id",
                                        "properties",
                                        "last-partition-id",
                                        "snapshots",
                                        "current-snapshot-id",
                                        "snapshot-log",
                                        "metadata-log",
                                        "refs"};
  const Json json = TRY(ParseObject(text, "the table's metadata"));
  TableMetadata metadata;
  metadata.format_version = TRY(SmallInteger(json, "format-version"));
  if (metadata.format_version < 1 || metadata.format_version > 3) {
    return Fail(Code::kNotOffered, fmt::format("tables of format version {} are not offered",
                                               metadata.format_version));
  }
  if (metadata.format_version > 1 || Has(json, "table-uuid")) {
    metadata.table_uuid = TRY(Text(json, "table-uuid"));
  }
  metadata.location = TRY(Text(json, "location"));
  while (metadata.location.ends_with('/')) metadata.location.pop_back();
  metadata.last_sequence_number = TRY(OptionalInteger(json, "last-sequence-number")).value_or(0);
  metadata.last_updated = TRY(Time(json, "last-updated-ms"));
  metadata.last_column_id = TRY(SmallInteger(json, "last-column-id"));
  TRY(ReadSchemas(json, metadata));
  TRY(ReadSpecs(json, metadata));
  metadata.properties = TRY(TextMap(json, "properties"));
  TRY(ReadSnapshots(json, metadata));
  TRY(ReadRefs(json, metadata));
  if (const Json* list = TRY(OptionalArray(json, "metadata-log")); list != nullptr) {
    for (const Json& item : *list) {
      metadata.metadata_log.push_back(
          {TRY(Time(item, "timestamp-ms")), TRY(Text(item, "metadata-file"))});
    }
  }
  metadata.other_members = OtherMembers(json, kKnown);
  return metadata;
}

}  // namespace weft::iceberg
