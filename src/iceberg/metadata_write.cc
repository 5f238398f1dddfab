// SPDX-License-Identifier: Apache-2.0
#include "iceberg/json_internal.h"
#include "iceberg/metadata_internal.h"
#include "iceberg/table.h"

namespace weft::iceberg {
namespace {

int64_t Millis(Timestamp time) {
  return std::chrono::floor<milliseconds>(time).time_since_epoch().count();
}

// The object that another writer's members were kept in; they are this program's own dump.
Json OtherMembers(const std::string& kept) {
  Json json = kept.empty() ? Json::object() : Json::parse(kept, nullptr, false);
  return json.is_object() ? json : Json::object();
}

Json SnapshotJson(const Snapshot& snapshot) {
  Json json = OtherMembers(snapshot.other_members);
  json["snapshot-id"] = snapshot.snapshot_id;
  if (snapshot.parent_snapshot_id.has_value()) {
    json["parent-snapshot-id"] = *snapshot.parent_snapshot_id;
  }
  json["sequence-number"] = snapshot.sequence_number;
  json["timestamp-ms"] = Millis(snapshot.time);
  if (!snapshot.manifest_list.empty()) {
    json["manifest-list"] = snapshot.manifest_list;
  } else {
    json["manifests"] = snapshot.manifests;
  }
  json["summary"] = snapshot.summary;
  json["schema-id"] = snapshot.schema_id;
  return json;
}

Json RefJson(int64_t snapshot_id, const SnapshotRef& ref) {
  Json json = {{"snapshot-id", snapshot_id}, {"type", ref.branch ? "branch" : "tag"}};
  if (ref.snapshots_min.has_value()) json["min-snapshots-to-keep"] = *ref.snapshots_min;
  if (ref.snapshot_age_max_ms.has_value()) json["max-snapshot-age-ms"] = *ref.snapshot_age_max_ms;
  if (ref.ref_age_max_ms.has_value()) json["max-ref-age-ms"] = *ref.ref_age_max_ms;
  return json;
}

Json RefsJson(const TableMetadata& metadata) {
  Json refs = Json::object();
  for (const auto& [name, ref] : metadata.refs) {
    if (name != "main") refs[name] = RefJson(ref.snapshot_id, ref);
  }
  if (metadata.current_snapshot_id.has_value()) {
    const auto main = metadata.refs.find("main");
    refs["main"] = RefJson(*metadata.current_snapshot_id,
                           main == metadata.refs.end() ? SnapshotRef() : main->second);
  }
  return refs;
}

void AddLogs(const TableMetadata& metadata, Json& json) {
  Json snapshots = Json::array();
  for (const auto& [time, snapshot_id] : metadata.snapshot_log) {
    snapshots.push_back({{"timestamp-ms", Millis(time)}, {"snapshot-id", snapshot_id}});
  }
  json["snapshot-log"] = std::move(snapshots);
  Json files = Json::array();
  for (const auto& [time, location] : metadata.metadata_log) {
    files.push_back({{"timestamp-ms", Millis(time)}, {"metadata-file", location}});
  }
  json["metadata-log"] = std::move(files);
}

}  // namespace

Json PartitionFieldsJson(const PartitionSpec& spec) {
  Json fields = Json::array();
  for (const PartitionField& field : spec.fields) {
    fields.push_back({{"source-id", field.source_id},
                      {"field-id", field.field_id},
                      {"name", field.name},
                      {"transform", field.transform_text}});
  }
  return fields;
}

std::string JsonText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string MetadataToJson(const TableMetadata& metadata) {
  Json json = OtherMembers(metadata.other_members);
  json["format-version"] = metadata.format_version;
  json["table-uuid"] = metadata.table_uuid;
  json["location"] = metadata.location;
  json["last-sequence-number"] = metadata.last_sequence_number;
  json["last-updated-ms"] = Millis(metadata.last_updated);
  json["last-column-id"] = metadata.last_column_id;
  json["current-schema-id"] = metadata.current_schema_id;
  json["schemas"] = Json::array();
  for (const Schema& schema : metadata.schemas) json["schemas"].push_back(SchemaJson(schema));
  json["default-spec-id"] = metadata.default_spec_id;
  json["last-partition-id"] = metadata.last_partition_id;
  json["partition-specs"] = Json::array();
  for (const PartitionSpec& spec : metadata.partition_specs) {
    json["partition-specs"].push_back(
        {{"spec-id", spec.spec_id}, {"fields", PartitionFieldsJson(spec)}});
  }
  if (!json.contains("sort-orders")) {
    json["sort-orders"] = Json::array({{{"order-id", 0}, {"fields", Json::array()}}});
    json["default-sort-order-id"] = 0;
  }
  json["properties"] = metadata.properties;
  if (metadata.current_snapshot_id.has_value()) {
    json["current-snapshot-id"] = *metadata.current_snapshot_id;
  }
  json["snapshots"] = Json::array();
  for (const Snapshot& snapshot : metadata.snapshots) {
    json["snapshots"].push_back(SnapshotJson(snapshot));
  }
  json["refs"] = RefsJson(metadata);
  AddLogs(metadata, json);
  return JsonText(json);
}

}  // namespace weft::iceberg
