// SPDX-License-Identifier: Apache-2.0
// Manifests and manifest lists of the specification, as bytes and in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "iceberg/table.h"

namespace weft::iceberg {

// What the files of a manifest have in one partition field.
struct PartitionSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan;
  SingleValue lower, upper;
};

// An entry of a manifest list. Numbers of files and rows are -1 where the writer did not say.
struct ManifestFile {
  std::string location;
  int64_t bytes = 0;
  int spec_id = 0;
  bool deletes = false;
  int64_t sequence_number = 0, min_sequence_number = 0;
  int64_t added_snapshot_id = 0;
  int64_t added_files = -1, existing_files = -1, deleted_files = -1;
  int64_t added_rows = -1, existing_rows = -1, deleted_rows = -1;
  std::optional<std::vector<PartitionSummary>> partitions;
  SingleValue key_metadata;

  bool counted() const { return added_files >= 0 && existing_files >= 0 && deleted_files >= 0; }
  // False only where it is known to hold nothing but deleted entries.
  bool live() const { return !counted() || added_files + existing_files > 0; }
};

enum class EntryStatus { kExisting = 0, kAdded = 1, kDeleted = 2 };
enum class EntryContent { kData = 0, kPositionDeletes = 1, kEqualityDeletes = 2 };

// A file in a manifest; what was left to be inherited from the list is filled in.
struct ManifestEntry {
  EntryStatus status = EntryStatus::kAdded;
  EntryContent content = EntryContent::kData;
  int64_t snapshot_id = 0;
  int64_t file_sequence_number = 0;
  std::string file_format = "PARQUET";
  std::optional<int64_t> sort_order_id;
  SingleValue key_metadata;
  DataFile file;  // with its data sequence number

  bool live() const { return status != EntryStatus::kDeleted; }
};

Result<std::vector<ManifestFile>> ReadManifestList(BytesView bytes);
// `list_entry` gives what entries inherit; `specs` the order of partition values.
Result<std::vector<ManifestEntry>> ReadManifest(BytesView bytes, const ManifestFile& list_entry,
                                                const std::vector<PartitionSpec>& specs);

struct ListHeader {
  int64_t snapshot_id = 0;
  std::optional<int64_t> parent_snapshot_id;
  int64_t sequence_number = 0;
};
Bytes WriteManifestList(const std::vector<ManifestFile>& manifests, const ListHeader& header,
                        Random& random);

struct WrittenManifest {
  Bytes bytes;
  ManifestFile list_entry;  // all but the location
};
// Data files of one spec, never none. Entries that are added leave their sequence numbers to be
// inherited from a snapshot that gets `sequence_number`. kInvalid where a partition value is none
// of its type.
Result<WrittenManifest> WriteManifest(const std::vector<ManifestEntry>& entries,
                                      const TableMetadata& metadata, int spec_id,
                                      int64_t snapshot_id, int64_t sequence_number, Random& random);

// The types of a spec's partition values; nothing where a source column is in no schema any more.
std::optional<std::vector<Type>> PartitionTypes(const TableMetadata& metadata,
                                                const PartitionSpec& spec);

}  // namespace weft::iceberg
