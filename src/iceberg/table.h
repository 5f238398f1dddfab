// SPDX-License-Identifier: Apache-2.0
// Iceberg tables on an object store: https://iceberg.apache.org/spec/. Version 2 is written; 1 to 3
// are read. Nothing here moves a table's pointer: functions write objects and say where the new
// metadata lies; the caller swaps the pointer (catalog::Catalog::Advance) and, when that fails,
// starts again from the new base.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "iceberg/schema.h"
#include "objects/object_store.h"

namespace weft::iceberg {

enum class Transform { kIdentity, kYear, kMonth, kDay, kHour, kVoid, kOther };

struct PartitionField {
  int source_id = 0;
  int field_id = 0;  // from 1000
  std::string name;  // "country", "ordered_at_day"
  Transform transform = Transform::kIdentity;
  std::string transform_text;  // as written: "day", "bucket[16]"
};
struct PartitionSpec {
  int spec_id = 0;
  std::vector<PartitionField> fields;
};
// Specification, "Partition Transforms": the name that Java gives (col, col_day, …) and the
// result's type.
PartitionField MakePartitionField(const Field& source, Transform transform, int field_id);
Type ResultType(const PartitionField& field, const Type& source);

// A value in the single-value binary form of the specification ("Appendix D"); nothing is null.
using SingleValue = std::optional<Bytes>;

struct DataFile {
  std::string location;  // "s3://…"
  int spec_id = 0;
  std::vector<SingleValue> partition;  // as the spec's fields, of their result types
  int64_t record_count = 0;
  int64_t file_bytes = 0;
  // By field id of leaf columns; a column that is absent has no known figure.
  std::map<int, int64_t> column_bytes, value_counts, null_counts, nan_counts;
  std::map<int, Bytes> lower_bounds, upper_bounds;
  std::vector<int64_t> split_offsets;
  int64_t data_sequence_number = 0;  // 0: not yet committed
};

struct Snapshot {
  int64_t snapshot_id = 0;
  std::optional<int64_t> parent_snapshot_id;
  int64_t sequence_number = 0;
  Timestamp time;
  std::string manifest_list;
  std::map<std::string, std::string> summary;
  int schema_id = 0;
  std::vector<std::string> manifests;  // version 1 may name them here instead of in a list
  std::string other_members;           // JSON object of what another writer put here; may be empty
};

// A branch or tag; retention that it does not set is the table's.
struct SnapshotRef {
  int64_t snapshot_id = 0;
  bool branch = true;
  std::optional<int64_t> snapshots_min, snapshot_age_max_ms, ref_age_max_ms;
};

struct TableMetadata {
  int format_version = 2;
  std::string table_uuid, location;
  int64_t last_sequence_number = 0;
  Timestamp last_updated;
  int last_column_id = 0;
  std::vector<Schema> schemas;
  int current_schema_id = 0;
  std::vector<PartitionSpec> partition_specs;
  int default_spec_id = 0;
  int last_partition_id = 999;
  std::map<std::string, std::string> properties;
  std::optional<int64_t> current_snapshot_id;
  std::vector<Snapshot> snapshots;
  struct SnapshotLogEntry {
    Timestamp time;
    int64_t snapshot_id = 0;
  };
  std::vector<SnapshotLogEntry> snapshot_log;
  struct MetadataLogEntry {
    Timestamp time;
    std::string location;
  };
  std::vector<MetadataLogEntry> metadata_log;
  // Branches and tags but for "main", which is always the current snapshot; its entry here only
  // holds retention.
  std::map<std::string, SnapshotRef> refs;
  // JSON object of the members that are not above (sort orders, statistics, …), so that they
  // outlive a commit.
  std::string other_members;

  const Schema& schema() const;       // the current one
  const PartitionSpec& spec() const;  // the default one
  const Snapshot* snapshot() const;   // the current one, or nullptr
  const PartitionSpec* FindSpec(int spec_id) const;
  const Snapshot* FindSnapshot(int64_t snapshot_id) const;
};
// Always as version 2 writes it, with the version's number that the metadata has.
std::string MetadataToJson(const TableMetadata& metadata);
Result<TableMetadata> MetadataFromJson(std::string_view json);

// A version of a table: the metadata and the object that holds it.
struct TableVersion {
  std::string metadata_location;
  std::shared_ptr<const TableMetadata> metadata;
};

class Tables {
 public:
  Tables(objects::ObjectStore& store, const Clock& clock, Random& random);
  ~Tables();

  // Versions and manifests are immutable; the latest ones used are kept in memory.
  Result<TableVersion> Load(const std::string& metadata_location);

  struct NewTable {
    std::string location;  // "s3://BUCKET/PREFIX"
    Schema schema;         // with ids
    PartitionSpec spec;
    int last_column_id = 0;
    std::map<std::string, std::string> properties;
  };
  Result<TableVersion> Create(const NewTable& table);

  // A snapshot with these files more (operation "append"). `summary` is added to the
  // specification's counters.
  Result<TableVersion> Append(const TableVersion& base, const std::vector<DataFile>& added,
                              const std::map<std::string, std::string>& summary);
  // The same rows in other files (operation "replace"). kConflict when one of `removed` is not in
  // the base.
  Result<TableVersion> Replace(const TableVersion& base, const std::vector<std::string>& removed,
                               const std::vector<DataFile>& added);
  // A new current schema; ids of fields that stay must stay. No new snapshot.
  Result<TableVersion> UpdateSchema(const TableVersion& base, const Schema& schema,
                                    int last_column_id);

  // Without the snapshots that are older than `snapshot_age_max` and beyond the latest
  // `snapshots_min`; the current one stays. `unreachable`: the objects that only those reached (and
  // metadata files beyond `metadata_files_max`), to be deleted once the pointer has moved. Nothing
  // to do: the base itself.
  struct Expiry {
    TableVersion version;
    std::vector<std::string> unreachable;
  };
  struct ExpiryOptions {
    milliseconds snapshot_age_max{std::chrono::hours(120)};
    int snapshots_min = 1;
    int metadata_files_max = 100;
  };
  Result<Expiry> Expire(const TableVersion& base, const ExpiryOptions& options);

  // The live data files of the current snapshot; kNotOffered when it has delete files.
  Result<std::shared_ptr<const std::vector<DataFile>>> Files(const TableVersion& version);

  // Objects under the table's location that no snapshot of `version` reaches and that are older
  // than `age_min`: what crashes left behind.
  Result<std::vector<std::string>> Orphans(const TableVersion& version, milliseconds age_min);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::iceberg
